"""The same walk with the package's own client: python with_client.py [ADDRESS]."""

import sys

from advisor import Client
from advisor.errors import InvalidInput

EXAMPLES = [
    {"question": "The capital of France?", "answer": "Paris"},
    {"question": "The capital of Italy?", "answer": "Rome"},
]


def main(address="localhost:50051"):
    """Recommend, read an error, create a use case, import examples, stream an answer."""
    with Client(address, timeout_s=10) as client:
        print(client.recommend({"update_interval": "7d", "needs_citations": True}).summary)
        try:
            client.recommend({"retrieval_hit_rate": 80})
        except InvalidInput as error:
            for each in error.violations:
                print(f"  {each.field}: {each.description}")

        # Without an id of ours, the server chooses one.
        name = client.create_use_case("", description="Answer in one word.").name
        imported = client.import_examples(name, EXAMPLES).imported
        print(f"imported {imported} examples into {name}")

        stream = client.answer(name, "The capital of Spain?", approach="PROMPTING", timeout_s=120)
        print(stream.text)
        print(f"{stream.summary.output_tokens} tokens")
        client.delete_use_case(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
