"""Tokens at the door, and principals who do not see what is others'."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from advisor.client import Client
from advisor.errors import (
    AdvisorError,
    AlreadyExists,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)
from advisor.rpc import doorkeeper
from advisor.rpc.doorkeeper import Doorkeeper
from advisor.rpc.permissions import OPEN, ROLES, role_for
from advisor.rpc.requests import new_id
from advisor.rpc.server import Parts
from advisor.storage import tokens
from advisor.storage.tokens import Role
from advisor.v1 import use_case_pb2, use_case_service_pb2
from backends.base import Generation, GenerationOptions
from tests.rpc.test_any_request import METHODS
from tests.servers import Running

PATIENCE_S = 10.0


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def until(true: Callable[[], bool]) -> None:
    """Wait until the server has read the tokens again."""
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def is_open(address: str, token: str | None = None) -> bool:
    with Client(address, token=token) as client:
        try:
            list(client.use_cases())
        except Unauthenticated:
            return False
    return True


@pytest.fixture(autouse=True, scope="module")
def _often() -> Iterator[None]:
    """Have the server read tokens more often than it does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doorkeeper, "REFRESH_S", 0.02)
        yield


@pytest.fixture
def issued(server: Running) -> Iterator[Callable[..., str]]:
    """Yield what makes tokens that the server knows, and open it again at the end."""

    def issue(principal: str = "", role: Role = Role.WRITE, **given: Any) -> str:
        _, text = tokens.issue(server.database, principal=principal, role=role, **given)
        until(lambda: not is_open(server.address) and (bool(given) or is_open(server.address, text)))
        return text

    yield issue
    with server.database.transaction() as connection:
        connection.execute("TRUNCATE tokens")
    until(lambda: is_open(server.address))


def called(channel: grpc.Channel, method: MethodDescriptor, token: str | None, **values: Any) -> list[Any]:
    """Make a call with one message, and return what came."""
    kinds = (
        "stream" if method.client_streaming else "unary",
        "stream" if method.server_streaming else "unary",
    )
    call = getattr(channel, "_".join(kinds))(path_of(method))
    content = GetMessageClass(method.input_type)(**values).SerializeToString()
    metadata = [("authorization", f"Bearer {token}")] if token else []
    answer = call(iter([content]) if method.client_streaming else content, timeout=5, metadata=metadata)
    received = list(answer) if method.server_streaming else [answer]
    return [GetMessageClass(method.output_type).FromString(each) for each in received]


def test_every_method_has_its_role() -> None:
    """The table names what there is and nothing else; what it lacks would need the highest role."""
    offered = {path_of(each) for each in METHODS if each.containing_service.full_name not in OPEN}
    named = {f"/{service}/{name}" for service, methods in ROLES.items() for name in methods}
    named -= {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}
    assert offered <= named
    assert role_for("/advisor.v1.DecisionService/Unheard") is Role.ADMIN


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_closed_from_the_first_token_on(issued, channel: grpc.Channel, method: MethodDescriptor) -> None:
    """Without a token, or with one that is not good, nothing but health is answered."""
    issued()
    for token in (None, "nonsense", "rot_aaaaaaaa_nonsense"):
        if method.containing_service.full_name in OPEN:
            if method.name == "Check":
                called(channel, method, token)
            continue
        with pytest.raises(grpc.RpcError) as caught:
            called(channel, method, token)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "method",
    [each for each in METHODS if role_for(path_of(each)) not in (None, Role.READ)],
    ids=lambda each: each.name,
)
def test_reading_changes_nothing(issued, channel: grpc.Channel, method: MethodDescriptor) -> None:
    """A token for reading is refused where something is changed, and told which role that needs."""
    with pytest.raises(grpc.RpcError) as caught:
        called(channel, method, issued(role=Role.READ))
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "needs the role" in caught.value.details()


def test_tokens_end(server: Running, issued) -> None:
    """Revoked and expired ones are good for nothing, and the server stays closed."""
    text = issued()
    until(lambda: not is_open(server.address))
    tokens.revoke(server.database, text.split("_")[1])
    until(lambda: not is_open(server.address, text))
    expired = issued(expire_time=datetime.now(UTC) - timedelta(seconds=1))
    with (
        Client(server.address, token=expired) as client,
        pytest.raises(Unauthenticated, match="not any more"),
    ):
        list(client.use_cases())
    assert not is_open(server.address)


def test_the_time_counts(server: Running, issued) -> None:
    """A token is good until the moment that it was made for."""
    end = datetime.now(UTC) + timedelta(days=1)
    text = issued(expire_time=end)
    now = end - timedelta(seconds=1)
    door = Doorkeeper(server.database, now=lambda: now)
    sent = [("authorization", f"Bearer {text}")]
    door.admit("/advisor.v1.DecisionService/Recommend", sent)
    now = end
    with pytest.raises(Unauthenticated):
        door.admit("/advisor.v1.DecisionService/Recommend", sent)


def test_only_the_operator_makes_all_passages_anew(server: Running, issued) -> None:
    """That concerns every principal, so none with a name may."""
    with (
        Client(server.address, token=issued("red", Role.ADMIN)) as client,
        pytest.raises(PermissionDenied, match="made without --principal"),
    ):
        client.reindex()


def test_only_the_operator_ends_that(server: Running, issued) -> None:
    """A token that could not begin it cannot cancel it."""
    with (
        Client(server.address, token=issued(role=Role.ADMIN)) as admin,
        Client(server.address, token=issued(role=Role.WRITE)) as writer,
    ):
        asked = admin.reindex()
        with pytest.raises(PermissionDenied, match="cancelling it needs the role ADMIN"):
            writer.operation(asked.name).cancel()
        admin.operation(asked.name).cancel()
        assert admin.operation(asked.name).state == "cancelled"


def test_a_set_token_is_good_for_everything(server: Running) -> None:
    """It closes the server by itself, and needs no row."""
    door = Doorkeeper(server.database, admin_token="s" * 32)
    method = "/advisor.v1.ExecutionService/Reindex"
    door.admit(method, [("authorization", f"Bearer {'s' * 32}")])
    with pytest.raises(Unauthenticated, match="asks for a token"):
        door.admit(method, [])
    with pytest.raises(Unauthenticated, match="none of this server's"):
        door.admit(method, [("authorization", "Bearer other")])


def test_too_many_calls(server: Running) -> None:
    """Each principal has a pace of its own; health checks and whoever waits are not refused."""
    door = Doorkeeper(server.database, calls=0.5)
    method = "/advisor.v1.DecisionService/Recommend"
    door.admit(method, [])
    with pytest.raises(
        ResourceExhausted, match=r"more than 0.5 calls a second; the next is taken in (2|1\.\d) s"
    ):
        door.admit(method, [])
    door.admit("/grpc.health.v1.Health/Check", [])
    door = Doorkeeper(server.database, calls=1000)
    for _ in range(2000):
        door.admit(method, [])


def test_too_much_is_told_apart_from_overload(
    session_parts: Parts, server: Running, run_server: Callable[[Parts], AbstractContextManager[str]]
) -> None:
    """What a principal has used up is RESOURCE_EXHAUSTED, by a limit that is named."""
    settings = session_parts.settings.model_copy(update={"principal_bytes": 30, "principal_operations": 1})
    with (
        run_server(replace(session_parts, settings=settings)) as address,
        Client(address) as client,
    ):
        for name in ("one", "two"):
            client.create_use_case(name)
            client.import_examples(name, [{"question": f"q{number}", "answer": "a"} for number in range(64)])
        client.import_documents("one", [use_case_pb2.Document(source="a.md", content=b"x" * 20)])
        with pytest.raises(
            ResourceExhausted, match="all your documents would take 40 bytes, and 30 are"
        ) as caught:
            client.import_documents("two", [use_case_pb2.Document(source="a.md", content=b"x" * 20)])
        assert caught.value.reason == "STORAGE_LIMIT"
        assert client.get_use_case("two").document_count == 0
        future = client.tune("one")
        with pytest.raises(ResourceExhausted, match="1 operation of yours wait or run, and 1 may") as caught:
            client.tune("two")
        assert caught.value.reason == "OPERATIONS_LIMIT"
        future.cancel()
        client.tune("two").cancel()


def test_nobody_fills_the_queue_alone(
    session_parts: Parts, server: Running, issued, run_server: Callable[[Parts], AbstractContextManager[str]]
) -> None:
    """Half of it is left for others where there are any."""
    tokens_of = {owner: issued(owner) for owner in ("red", "blue")}
    settings = session_parts.settings.model_copy(update={"queued_operations": 3})
    with run_server(replace(session_parts, settings=settings)) as address:
        with Client(address, token=tokens_of["red"]) as red:
            red.create_use_case("faq")
            red.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
            red.tune("faq", adapter_id="a")
            assert red.server_info().caller.operations_limit == 1
            with pytest.raises(ResourceExhausted, match="1 operation of yours wait or run, and 1 may"):
                red.tune("faq", adapter_id="b")
        with Client(address, token=tokens_of["blue"]) as blue:
            blue.create_use_case("faq")
            blue.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
            blue.tune("faq", adapter_id="a")


def test_a_caller_is_told_who_it_is(
    session_parts: Parts, server: Running, issued, run_server: Callable[[Parts], AbstractContextManager[str]]
) -> None:
    """With what it has used of its own, and may."""
    text = issued("red", Role.READ)
    with Client(server.address, token=issued("red")) as client:
        client.create_use_case("faq")
        client.import_documents("faq", [use_case_pb2.Document(source="a.md", content=b"x" * 20)])
    settings = session_parts.settings.model_copy(update={"principal_bytes": 30, "principal_calls": 50.0})
    with (
        run_server(replace(session_parts, settings=settings)) as address,
        Client(address, token=text) as client,
    ):
        info = client.server_info()
    caller = info.caller
    assert (caller.principal, caller.role) == ("red", type(caller).ROLE_READ)
    assert (caller.document_bytes, caller.document_bytes_limit, caller.calls_limit) == (20, 30, 50)
    assert (caller.operations, caller.operations_limit) == (0, settings.queued_operations // 2)
    assert info.limits.document_bytes == settings.document_bytes
    assert info.versions.rules == session_parts.advisor.version
    assert info.models.generator == settings.generator


def test_it_stays_closed_beyond_this_machine(server: Running) -> None:
    """Though all tokens have gone from the database, as after it was restored from before there were any."""
    method = "/advisor.v1.DecisionService/Recommend"
    doors = [Doorkeeper(server.database, stays_closed=stays) for stays in (True, False)]
    tokens.issue(server.database, principal="", role=Role.READ)
    for door in doors:
        door.read()
    with server.database.transaction() as connection:
        connection.execute("TRUNCATE tokens")
    for door in doors:
        door.read()
    doors[1].admit(method, [])
    with pytest.raises(Unauthenticated):
        doors[0].admit(method, [])


def test_nobody_waits_for_what_a_stranger_sends(issued, channel: grpc.Channel) -> None:
    """A call without a token ends before its message has come."""
    issued()
    never = threading.Event()

    def messages() -> Iterator[bytes]:
        never.wait(PATIENCE_S)
        yield b""

    call = channel.stream_stream("/advisor.v1.DecisionService/Recommend")(messages(), timeout=5)
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    never.set()
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


class TestPrincipals:
    """Two principals on one server, who choose the same names."""

    @pytest.fixture
    def red(self, server: Running, issued) -> Iterator[Client]:
        with Client(server.address, token=issued("red")) as client:
            client.create_use_case("faq", description="Red.")
            client.import_documents(
                "faq", [use_case_pb2.Document(source="a.md", content=b"# Leave\n\nTwenty days.")]
            )
            client.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
            yield client

    @pytest.fixture
    def blue(self, server: Running, issued) -> Iterator[Client]:
        with Client(server.address, token=issued("blue")) as client:
            yield client

    def test_a_name_is_each_ones_own(self, red: Client, blue: Client) -> None:
        """The same id is free for the other, who sees nothing of the first."""
        assert list(blue.use_cases()) == []
        with pytest.raises(NotFound, match=r"^useCases/faq does not exist"):
            blue.get_use_case("faq")
        assert blue.create_use_case("faq", description="Blue.").name == "useCases/faq"
        assert red.get_use_case("faq").description == "Red."
        assert [each.description for each in red.use_cases()] == ["Red."]
        blue.delete_use_case("faq")
        assert red.get_use_case("faq").document_count == 1
        with pytest.raises(AlreadyExists):
            red.create_use_case("faq", description="Again.")

    def test_a_batch_is_about_ones_own(self, red: Client, blue: Client, server: Running) -> None:
        """Names inside of messages stand for what is the caller's, in whichever thread they are read."""
        with server.database.transaction() as connection:
            connection.execute("INSERT INTO use_cases (id, description, facts) VALUES ('nobodys', '', '')")
        (own,) = red.recommend_many(["faq"])
        assert own.WhichOneof("result") == "recommendation"
        for name in ("faq", "nobodys"):
            (found,) = blue.recommend_many([name])
            assert found.error.message.startswith(f"useCases/{name} does not exist")

    def test_the_same_request_is_another_ones(self, red: Client, blue: Client, channel, issued) -> None:
        """An id of a request that someone else sent before is as good as any."""
        method = use_case_service_pb2.DESCRIPTOR.services_by_name["UseCaseService"].methods_by_name[
            "CreateUseCase"
        ]
        request = {"use_case_id": "again", "request_id": str(uuid.uuid4())}
        made = [
            called(channel, method, issued(owner), use_case={"description": owner}, **request)[0]
            for owner in ("red", "blue", "red")
        ]
        assert [each.description for each in made] == ["red", "blue", "red"]
        assert blue.get_use_case("again").description == "blue"

    def test_requests_and_operations_are_each_ones_own(self, red: Client, blue: Client) -> None:
        """An operation of the one is none to the other, under way or not, by name or in lists."""
        future = red.tune("faq", adapter_id="a")
        assert [each.name for each in red.operations()] == [future.name]
        assert list(blue.operations()) == []
        for call in (blue.operation, lambda name: blue.operation(name).cancel()):
            with pytest.raises(NotFound, match=f"^{future.name} does not exist"):
                call(future.name)
        blue.create_use_case("faq")
        blue.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
        assert blue.tune("faq", adapter_id="a").target == future.target
        assert len(list(red.operations())) == 1

    def test_what_was_read_for_one_speeds_up_no_other(
        self, red: Client, blue: Client, server: Running, monkeypatch
    ) -> None:
        """A model is told whom it reads a prompt for."""
        scopes = []
        generate = server.generator.generate

        def seen(*messages: Any, options: GenerationOptions, **more: Any) -> Generation:
            scopes.append(options.scope)
            return generate(*messages, options=options, **more)

        monkeypatch.setattr(server.generator, "generate", seen)
        for client in (red, blue):
            list(client.answer({}, "How long?", approach="PROMPTING"))
        assert scopes == ["red", "blue"]

    @pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
    def test_nothing_of_others_is_seen(
        self, red: Client, server: Running, issued, channel: grpc.Channel, method: MethodDescriptor
    ) -> None:
        """Whatever is asked of a use case of another principal is answered as of one that does not exist."""
        token = issued("blue", Role.WRITE)
        (document,), example = red.documents("faq"), next(iter(red.examples("faq")))
        operation = red.tune("faq", adapter_id="a").name
        trial = red.trials.run("faq", trial_id="a").target
        before = red.get_use_case("faq")
        tails = [name.removeprefix("useCases/faq") for name in (trial, document.name, example.name)]
        for values, none in _asked(method, operation, ["", "/profile", "/adapters/a", *tails]):
            found = [_outcome(channel, method, token, each) for each in (values, none)]
            assert _anonymous(found[0], values) == _anonymous(found[1], none)
            assert "Red" not in found[0]
        assert red.get_use_case("faq") == before
        assert red.get_document(document.name).content
        assert [each.state for each in red.operations()] == ["queued", "queued"]


def _asked(
    method: MethodDescriptor, operation: str, tails: Sequence[str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield what names a resource of another in a request, and one that does not exist at all."""
    nothing = f"operations/{'0' * 8}-0000-0000-0000-{'0' * 12}"
    for field in method.input_type.fields:
        if field.name not in ("name", "parent", "use_case") or method.name == "CreateUseCase":
            continue
        if method.containing_service.name == "Operations":
            yield {field.name: operation}, {field.name: nothing}
            continue
        for tail in tails:
            yield {field.name: f"useCases/faq{tail}"}, {field.name: f"useCases/{new_id()}{tail}"}


def _anonymous(outcome: str, values: dict[str, Any]) -> str:
    """Return what a call says, without the name that it was asked by."""
    (name,) = values.values()
    return outcome.replace("/".join(name.split("/")[:2]), "NAME")


def _outcome(channel: grpc.Channel, method: MethodDescriptor, token: str, values: dict[str, Any]) -> str:
    """Return what a call says, as text."""
    if method.name == "UpdateUseCase":
        values = {"use_case": use_case_pb2.UseCase(name=values["use_case"])}
    if method.name in ("Answer", "Search"):
        values = {**values, "question": "How long?"}
    try:
        return f"{called(channel, method, token, **values)}"
    except grpc.RpcError as error:
        return f"{error.code()} {error.details()}"
    except AdvisorError as error:
        return str(error)
