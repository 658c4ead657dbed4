"""Facts measured from the documents and the examples of a use case."""
