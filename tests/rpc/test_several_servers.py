"""Several servers on one database."""

from __future__ import annotations

from pathlib import Path

from advisor.client import Client
from advisor.decision.advisor import Advisor
from advisor.v1 import use_case_pb2
from tests.doubles import FakeGenerator
from tests.servers import Running, fake_parts, running


def test_what_is_deleted_on_one_is_in_no_memory_of_another(
    server: Running, database_url: str, tmp_path: Path, rules_advisor: Advisor, until
) -> None:
    """Neither what it opened of the use case, nor what its model was asked."""
    with fake_parts(database_url, tmp_path, rules_advisor) as parts, running(parts) as address:
        generator = parts.loader.models(lambda _: None, lambda: False).generator
        assert isinstance(generator, FakeGenerator)
        with Client(server.address) as one, Client(address) as other:
            one.create_use_case("faq")
            one.import_documents("faq", [use_case_pb2.Document(source="a.txt", content=b"The door is red.")])
            assert other.answer("faq", "Which colour?", approach="PROMPTING").text
            assert "The door is red." in str(generator.asked)
            one.delete_use_case("faq")
            until(lambda: not generator.asked)
            one.create_use_case("faq")
            assert other.answer("faq", "Which colour?", approach="PROMPTING").text
            assert "The door is red." not in str(generator.asked)
