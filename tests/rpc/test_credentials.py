"""The client's token and encryption, against a server that asks for both on every call."""
# ruff: noqa: N802 - the names of the handlers are those of the proto

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2

from advisor.client import CallFailed, Client
from advisor.client.credentials import credentials_from, refuse_plain_text
from advisor.errors import ConfigurationError, Unavailable
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import recommendation_pb2, use_case_pb2

TOKEN = "right"  # noqa: S105 - of these tests alone
RAG = recommendation_pb2.Recommendation(approach=recommendation_pb2.APPROACH_RAG)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")


class Demanding(grpc.ServerInterceptor):
    """Refuses every call without the token."""

    def intercept_service(self, continuation, details):
        handler = continuation(details)
        if ("authorization", f"Bearer {TOKEN}") in details.invocation_metadata:
            return handler

        def refuse(_, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "send the token")

        make = (
            grpc.unary_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(refuse)


class Decisions(decision_grpc.DecisionServiceServicer):
    def Recommend(self, request, context):
        return decision_pb2.RecommendResponse(recommendation=RAG)


class Executions(execution_grpc.ExecutionServiceServicer):
    def Answer(self, request, context):
        yield execution_pb2.AnswerResponse(recommendation=RAG)
        yield execution_pb2.AnswerResponse(token=execution_pb2.Token(text="said"))

    def Tune(self, request, context):
        return started(execution_pb2.TuneMetadata.STAGE_QUEUED)


class Operations(operations_pb2_grpc.OperationsServicer):
    """Has one operation, which ends when it is waited for."""

    def GetOperation(self, request, context):
        return started(execution_pb2.TuneMetadata.STAGE_TRAINING)

    def WaitOperation(self, request, context):
        ended = started(execution_pb2.TuneMetadata.STAGE_DONE)
        ended.done = True
        ended.response.Pack(use_case_pb2.Adapter(name="useCases/faq/adapters/a"))
        return ended

    def CancelOperation(self, request, context):
        return empty_pb2.Empty()


def started(stage: execution_pb2.TuneMetadata.Stage) -> operations_pb2.Operation:
    operation = operations_pb2.Operation(name="operations/one")
    operation.metadata.Pack(execution_pb2.TuneMetadata(stage=stage))
    return operation


connect = partial(Client, timeout_s=120)  # a machine that is busy takes its time to shake hands


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Return a key and a certificate for 127.0.0.1 that signs itself."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def make_certificate(folder: Path) -> tuple[bytes, bytes]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-keyout", str(key), "-out", str(certificate), "-days", "1"),
        *("-subj", "/CN=tests", "-addext", "subjectAltName=IP:127.0.0.1"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return key.read_bytes(), certificate.read_bytes()


@pytest.fixture(scope="module")
def guarded(certificate: tuple[bytes, bytes]) -> Iterator[str]:
    """Run a server that speaks TLS alone and demands the token, and yield its address."""
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads, interceptors=[Demanding()])
        decision_grpc.add_DecisionServiceServicer_to_server(Decisions(), server)
        execution_grpc.add_ExecutionServiceServicer_to_server(Executions(), server)
        operations_pb2_grpc.add_OperationsServicer_to_server(Operations(), server)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([certificate]))
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(0).wait()


@pytest.fixture
def trust(certificate: tuple[bytes, bytes]) -> grpc.ChannelCredentials:
    """Return credentials of a client that knows the server's certificate."""
    return grpc.ssl_channel_credentials(certificate[1])


CALLS = {
    "unary": lambda client: client.recommend({}).approach,
    "stream": lambda client: client.answer({}, "one", approach="PROMPTING").text,
    "long": lambda client: client.tune("faq").name,
}


def test_the_right_token_opens_everything(guarded, trust):
    """It goes with unary calls, with streams, and with all that a training run's future calls."""
    with connect(guarded, credentials=trust, token=TOKEN) as client:
        found = {name: call(client) for name, call in CALLS.items()}
        future = client.operation("operations/one")
        assert not future.done()
        future.cancel()
        assert list(future.progress())
        assert future.result().name == "useCases/faq/adapters/a"
    assert found == {"unary": recommendation_pb2.APPROACH_RAG, "stream": "said", "long": "operations/one"}


def test_a_future_waits_with_the_token(guarded, trust):
    """The result is asked for with the token as well."""
    with connect(guarded, credentials=trust, token=TOKEN) as client:
        assert client.tune("faq").result().name == "useCases/faq/adapters/a"


@pytest.mark.parametrize("token", ["wrong", "", None])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_without_the_right_token_nothing_opens(guarded, trust, call, token):
    """The code says what is missing, and the server's words come along."""
    with connect(guarded, credentials=trust, token=token) as client, pytest.raises(CallFailed) as refused:
        call(client)
    assert refused.value.code == "UNAUTHENTICATED"
    assert "send the token" in str(refused.value)


def test_plain_text_to_a_server_that_encrypts(guarded):
    """It is no answer, and told as a server that cannot be reached."""
    with connect(guarded, token=TOKEN) as client, pytest.raises(Unavailable) as caught:
        client.recommend({})
    assert caught.value.reason == "UNREACHABLE"
    assert str(caught.value)


def test_a_certificate_that_nobody_vouches_for(guarded, tmp_path):
    """A client that trusts another certificate says what is wrong with this one."""
    _, other = make_certificate(tmp_path)
    credentials = grpc.ssl_channel_credentials(other)
    with connect(guarded, credentials=credentials, token=TOKEN) as client:
        with pytest.raises(Unavailable, match="(?i)certificate") as caught:
            client.recommend({})
    assert caught.value.reason == "UNREACHABLE"


def test_a_certificate_of_another_host(guarded, trust):
    """The name that is asked for must be in the certificate, or the token is not sent."""
    address = guarded.replace("127.0.0.1", "localhost")  # the same server
    with connect(address, credentials=trust, token=TOKEN) as client, pytest.raises(Unavailable):
        client.recommend({})


def test_credentials_come_from_the_environment(guarded, certificate, tmp_path):
    """As commands take them: the authority in a file, and a certificate with its key."""
    paths = {name: tmp_path / f"{name}.pem" for name in ("key", "certificate")}
    for path, content in zip(paths.values(), certificate, strict=True):
        path.write_bytes(content)
    found = credentials_from(
        {
            "ADVISOR_SERVER_CA": str(paths["certificate"]),
            "ADVISOR_CLIENT_CERTIFICATE": str(paths["certificate"]),
            "ADVISOR_CLIENT_KEY": str(paths["key"]),
        }
    )
    with connect(guarded, credentials=found, token=TOKEN) as client:
        assert client.recommend({}).approach == recommendation_pb2.APPROACH_RAG
    assert credentials_from({}) is None
    assert credentials_from({"ADVISOR_SERVER_CA": "system"}) is not None


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ADVISOR_CLIENT_KEY": "k.pem"}, "ADVISOR_CLIENT_CERTIFICATE and ADVISOR_CLIENT_KEY go together"),
        ({"ADVISOR_SERVER_CA": "/none.pem"}, "ADVISOR_SERVER_CA is /none.pem: cannot be read: No such file"),
    ],
)
def test_credentials_that_cannot_be_read(environment, told):
    """The variable at fault is named."""
    with pytest.raises(ConfigurationError, match=told):
        credentials_from(environment)


@pytest.mark.parametrize("target", ["advisor.example:50051", "192.0.2.1:50051", "[2001:db8::1]:50051"])
def test_tokens_do_not_cross_networks_in_plain_text(target):
    """Unless that is asked for by name; on this machine they may."""
    with pytest.raises(ConfigurationError, match=r"would be sent to .* in plain text; set ADVISOR_SERVER_CA"):
        refuse_plain_text(target, {})
    refuse_plain_text(target, {"ADVISOR_INSECURE": "true"})
    for here in ("localhost:50051", "127.0.0.1:50051", "[::1]:50051"):
        refuse_plain_text(here, {})
