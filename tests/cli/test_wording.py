"""What a server says, as the command line tells it."""

from __future__ import annotations

import pytest
import typer
from google.longrunning import operations_pb2

from advisor.cli import app
from advisor.cli.wording import COMMANDS, as_commands, as_option
from advisor.v1 import (
    decision_service_pb2,
    execution_service_pb2,
    learning_service_pb2,
    server_service_pb2,
    trial_service_pb2,
    use_case_service_pb2,
)

SERVICES = [
    service
    for module in (
        decision_service_pb2,
        use_case_service_pb2,
        execution_service_pb2,
        trial_service_pb2,
        learning_service_pb2,
        server_service_pb2,
        operations_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
]


def test_every_call_of_the_api_has_its_command() -> None:
    assert set(COMMANDS) == {method.name for service in SERVICES for method in service.methods}


@pytest.mark.parametrize("command", sorted(set(COMMANDS.values())))
def test_every_command_named_is_there(command) -> None:
    program, *words = command.split()
    assert program == "advisor"
    group = typer.main.get_command(app)
    for word in words:
        if not hasattr(group, "commands"):
            assert word.isupper(), f"{word} is no argument"
            continue
        group = group.commands[word]
    assert not hasattr(group, "commands"), f"{command} is a group"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ListUseCases tells which there are", "`advisor use-cases list` tells which there are"),
        ("train one with Tune and the approach", "train one with `advisor tune FILE` and the approach"),
        ("Answer the question.", "Answer the question."),
        ("Recommend nothing; Tune the piano", "Recommend nothing; Tune the piano"),
    ],
)
def test_calls_become_commands_and_words_stay(said, told) -> None:
    assert as_commands(said) == told


def test_what_does_not_exist_is_told_with_a_command(advisor, server) -> None:
    ended = advisor("use-cases", "show", "none-1", "--server", server.address)
    assert ended.status == 2
    assert "useCases/none-1 does not exist; `advisor use-cases list` tells which there are" in ended.err


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("options.labels[3]", "--label[3]"),
        ("history[1].answer", "--history[1].answer"),
        ("options.output_schema", "--schema"),
        ("options.seed", "options.seed"),
        ("question", "question"),
    ],
)
def test_a_field_is_told_as_the_option_it_comes_from(field, told) -> None:
    """With its place; what no option gives keeps its name."""
    assert as_option(field) == told


@pytest.mark.parametrize("option", ["--label", "--schema", "--history", "--max-tokens"])
def test_the_options_named_are_those_of_answer(option) -> None:
    command = typer.main.get_command(app).commands["answer"]
    assert option in {name for parameter in command.params for name in parameter.opts}
