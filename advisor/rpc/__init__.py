"""The gRPC edge: the only place besides `advisor.client` that knows of gRPC."""
