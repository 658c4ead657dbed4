"""Tokens from the command line: made once, listed without their secrets, revoked."""

from __future__ import annotations

import json
import re

import pytest

from advisor.client import Client
from advisor.errors import Unauthenticated
from advisor.storage import tokens


@pytest.fixture
def here(monkeypatch, server, database_url, until):
    """Have the commands find the database of the server that runs, and leave no token there."""
    monkeypatch.setenv("ADVISOR_DATABASE_URL", database_url)
    yield server
    with server.database.transaction() as connection:
        connection.execute("TRUNCATE tokens")
    with Client(server.address) as client:
        until(lambda: _is_open(client))


@pytest.mark.usefixtures("no_models")
def test_a_token_opens_the_server_until_it_is_revoked(advisor, here, until):
    """It is told once; nothing that is kept or listed holds its secret."""
    made = advisor("tokens", "create", "--role", "read", "--principal", "red", "--days", 30, "--note", "a\tb")
    assert (made.status, made.out) == (2, "")
    made = advisor(
        "tokens", "create", "--role", "read", "--principal", "red", "--days", 30, "--note", "for reports"
    )
    text = made.out.strip()
    assert re.fullmatch(r"rot_[a-z2-7]{8}_[\w-]{43}", text)
    assert "every call needs a token" in made.err
    with Client(here.address, token=text) as client, Client(here.address) as nobody:
        until(lambda: not _is_open(nobody))
        assert list(client.use_cases()) == []
        listed = advisor("tokens", "list").out
        assert listed.split("\t")[:3] == [text.split("_")[1], "red", "read"]
        assert "good until" in listed
        assert "for reports" in listed
        assert text.split("_", 2)[2] not in listed
        assert advisor("tokens", "revoke", text.split("_")[1]).status == 0
        until(lambda: not _is_open(client))
        again = advisor("tokens", "revoke", text.split("_")[1])
        assert (again.status, "was revoked before" in again.err) == (2, True)
        assert "revoked" in advisor("tokens", "list").out
        with here.database.transaction() as connection:
            connection.execute("TRUNCATE tokens")
        until(lambda: _is_open(nobody))


@pytest.mark.usefixtures("no_models")
def test_tokens_for_programs(advisor, here):
    """JSON has the text where it is made, and the hash nowhere."""
    assert "the server is open to whoever reaches it" in advisor("tokens", "list").err
    made = json.loads(advisor("tokens", "create", "--json").out)["token"]
    assert (made["role"], made["principal"]) == ("WRITE", "")
    (listed,) = json.loads(advisor("tokens", "list", "--json").out)["tokens"]
    assert listed == {name: value for name, value in made.items() if name != "text"}
    none = advisor("tokens", "revoke", "aaaaaaaa")
    assert "token aaaaaaaa does not exist; advisor tokens list shows which there are" in none.err


@pytest.mark.usefixtures("no_models")
def test_a_command_with_a_server_of_its_own_needs_no_token(advisor, here):
    """Whoever can start the server on its database is let in by it, and nobody else is meanwhile."""
    tokens.issue(here.database, principal="", role=tokens.Role.READ)
    ended = advisor("use-cases", "list")
    assert (ended.status, ended.out) == (0, "")


def _is_open(client: Client) -> bool:
    try:
        list(client.use_cases())
    except Unauthenticated:
        return False
    return True


def test_what_a_server_is_and_who_calls(advisor, server):
    """Versions, models and limits; and what the caller may do and has used."""
    shown = dict(line.split("\t") for line in advisor("info", "--server", server.address).out.splitlines())
    assert (shown["principal"], shown["role"], shown["documents"]) == ("-", "admin", "0 bytes")
    assert (shown["document bytes"], shown["batch requests"]) == ("4,000,000", "1,000")
    told = json.loads(advisor("info", "--json", "--server", server.address).out)["server"]
    assert told["limits"]["document_bytes"] == "4000000"
    assert told["versions"]["advisor"]
