"""Backups from the command line."""

from __future__ import annotations

import json

import pytest

from advisor.client import Client


@pytest.mark.usefixtures("no_models")
def test_a_backup_is_made_and_brought_back(advisor, server, monkeypatch, tmp_path, empty_database_url):
    """What it holds is told, to people and to programs."""
    with Client(server.address) as client:
        client.create_use_case("faq")
    told = advisor("backup", tmp_path / "backup").out
    assert told.startswith(f"1 use case with 0 adapters backed up to {tmp_path / 'backup'}: ")
    monkeypatch.setenv("ADVISOR_DATABASE_URL", empty_database_url)
    back = json.loads(advisor("restore", tmp_path / "backup", "--json").out)
    assert (back["use_cases"], back["adapters"]) == (1, 0)
    assert back["size_bytes"] > 0
    again = advisor("restore", tmp_path / "backup")
    assert (again.status, "is in use already" in again.err) == (2, True)
