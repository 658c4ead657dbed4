"""Write docs/api.md, the reference of the API, from the comments of the protos: `make docs`.

What buf compiles is read, with its comments, and written out file by file:
services with their calls, then messages and enums, in the order of the protos.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.api import field_behavior_pb2
from google.longrunning import operations_pb2
from google.protobuf import descriptor_pb2 as pb

from advisor import errors
from advisor.v1 import annotations_pb2

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ".advisor.v1."
# In the order in which a reader meets them; every other file follows.
FIRST = (
    "decision_service",
    "use_case_service",
    "execution_service",
    "trial_service",
    "learning_service",
    "server_service",
    "facts",
    "recommendation",
    "use_case",
    "trial",
)
STREAMS = {
    (False, False): "one request, one response",
    (True, False): "a stream of requests, one response",
    (False, True): "one request, a stream of responses",
    (True, True): "a stream of requests, a stream of responses",
}
Field = pb.FieldDescriptorProto
# The folders whose errors reach clients.
RAISING = ("execution", "rpc", "storage", "work")
HEAD = """\
# API reference

Made by `make docs` from the comments in [protos/advisor/v1](../protos/advisor/v1); never edited.
[clients.md](clients.md) shows how to call it from several languages.

Every field of a request is optional unless it says *required*. A scalar field that *may be absent* tells absent from
zero. Names of resources are paths such as `useCases/faq`; lists are paged by `page_size` and `page_token`. Long work,
such as Tune, returns a `google.longrunning.Operation`; the service `google.longrunning.Operations`, on the same port,
gets, lists, waits for, cancels and deletes it.
"""
ERRORS = """\
## Errors

A call that fails carries `google.rpc` details: one `ErrorInfo`, with a `reason` for programs and the domain
`advisor.dev`; one `RequestInfo`, with the id under which the server's log tells of the call, which is the one that was
sent as metadata `x-request-id`, if any; and more where the table says so. An operation that fails holds the same in its
`error`, but for the `RequestInfo`.
Send a call again only after UNAVAILABLE; `service_config.json` in the bundle of protos says so to gRPC. A request that
changes something takes a `request_id`: with the same one it is carried out once, however often it is sent.

| code | when | reasons | what else it carries |
| --- | --- | --- | --- |
"""
CODES = {
    "INVALID_ARGUMENT": (
        "the request breaks its contract",
        "`BadRequest`: every field at fault, what is allowed",
    ),
    "NOT_FOUND": ("a resource does not exist", "its name in the metadata of `ErrorInfo`"),
    "ALREADY_EXISTS": (
        "a name is taken, or an operation is making it",
        "the name, and the operation, in the metadata",
    ),
    "FAILED_PRECONDITION": ("the request is right, but the state does not allow it yet", ""),
    "ABORTED": ("another change of the same thing is under way: start over later", ""),
    "UNAUTHENTICATED": ("the call has no token that is good; see [operations.md](operations.md)", ""),
    "PERMISSION_DENIED": ("the token is not good for this", "the role that it needs, in the metadata"),
    "RESOURCE_EXHAUSTED": ("a limit, or the disk, is used up", ""),
    "UNAVAILABLE": ("not now: send the same again after a while", "`RetryInfo`: how long to wait"),
    "UNIMPLEMENTED": ("a standard option or method that this server does not have", ""),
    "INTERNAL": ("a fault of the server", "an error id in the metadata, which the server's log has too"),
}


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a file, by the path of what they stand above."""

    of_path: Mapping[tuple[int, ...], str]

    def lines(self, *path: int) -> str:
        """Return a comment as it stands, less what is said to linters; empty where there is none."""
        found = (line.strip() for line in self.of_path.get(path, "").splitlines())
        return "\n".join(line for line in found if not line.startswith("buf:lint:")).strip()

    def line(self, *path: int) -> str:
        """Return a comment in one line, for a table."""
        return self.lines(*path).replace("\n", " ").replace("|", "\\|")


def compile_protos() -> list[pb.FileDescriptorProto]:
    """Return our files with their comments, in the order of the reference."""
    command = [Path(sys.executable).with_name("buf"), "build", "-o", "-", "--as-file-descriptor-set"]
    image = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    ours = [
        file for file in pb.FileDescriptorSet.FromString(image).file if file.package == PACKAGE.strip(".")
    ]
    rank = {f"advisor/v1/{name}.proto": place for place, name in enumerate(FIRST)}
    return sorted(ours, key=lambda file: (rank.get(file.name, len(rank)), file.name))


def reference(files: list[pb.FileDescriptorProto]) -> str:
    """Return the whole page."""
    blocks = (block for file in files for block in file_blocks(file))
    return "\n".join([HEAD, *contents(files), "", f"{ERRORS}{error_rows()}\n", *blocks])


def contents(files: list[pb.FileDescriptorProto]) -> Iterator[str]:
    """Yield a line for each service, with its calls."""
    for service in (service for file in files for service in file.service):
        names = [f"{service.name}.{method.name}" for method in service.method]
        calls = ", ".join(f"[{name.partition('.')[2]}](#{name.replace('.', '').lower()})" for name in names)
        yield f"* [{service.name}](#{service.name.lower()}): {calls}"


def error_rows() -> str:
    """Return a row for each code that the server fails a call with."""
    found = reasons()
    return "\n".join(
        f"| {code} | {when} | {', '.join(f'`{each}`' for each in sorted(found[code]))} | {more} |"
        for code, (when, more) in CODES.items()
    )


def reasons() -> Mapping[str, set[str]]:
    """Return the reasons that the source names, by code."""
    found = defaultdict(set, {"INTERNAL": {"INTERNAL"}})
    for _, code, reason in errors.BACKEND_FAILURES:
        found[code].add(reason)
    for path in (path for folder in RAISING for path in (ROOT / "advisor" / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (kind := raised(node)):
                found[kind.code].add(reason_of(kind, node))
    return found


def raised(call: ast.Call) -> type[errors.AdvisorError] | None:
    """Return the class of error for clients that a call makes, itself or by a method of its own; None where none."""
    made = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    kind = getattr(errors, made.id, None) if isinstance(made, ast.Name) else None
    if kind in (errors.ConfigurationError, errors.RulesError):  # with this the server does not start
        return None
    return kind if isinstance(kind, type) and issubclass(kind, errors.AdvisorError) else None


def reason_of(kind: type[errors.AdvisorError], call: ast.Call) -> str:
    """Return the reason that a call gives, or that its class has where every instance has the same."""
    given = [each.value for each in call.keywords if each.arg == "reason"]
    given += [] if "reason" in vars(kind) else call.args[:1]
    return next((str(each.value) for each in given if isinstance(each, ast.Constant)), kind.reason)


def file_blocks(file: pb.FileDescriptorProto) -> Iterator[str]:
    """Yield the blocks of one file."""
    places = file.source_code_info.location
    comments = Comments({tuple(place.path): place.leading_comments for place in places})
    name = file.name.rpartition("/")[2]
    yield f"## {name}\n\n{comments.lines(2)}\n"
    for index, service in enumerate(file.service):
        yield from service_blocks(service, comments, (6, index))
    for index, message in enumerate(file.message_type):
        yield from message_blocks(message, comments, (4, index), message.name)
    for index, enum in enumerate(file.enum_type):
        yield enum_block(enum, comments, (5, index), enum.name)


def service_blocks(
    service: pb.ServiceDescriptorProto, comments: Comments, path: tuple[int, ...]
) -> Iterator[str]:
    """Yield what a service is for, and each of its calls."""
    yield f"### {service.name}\n\n{comments.lines(*path)}\n"
    for index, method in enumerate(service.method):
        streams = STREAMS[method.client_streaming, method.server_streaming]
        yield f"#### {service.name}.{method.name}\n"
        yield f"{linked(method.input_type)} → {linked(method.output_type)}: {streams}.\n"
        yield f"{comments.lines(*path, 2, index)}\n"
        info = method.options.Extensions[operations_pb2.operation_info]
        if info.response_type:
            ends, tells = (linked(f"{PACKAGE}{name}") for name in (info.response_type, info.metadata_type))
            yield f"The operation ends with {ends}; until then {tells} tells how far it is.\n"


def message_blocks(
    message: pb.DescriptorProto, comments: Comments, path: tuple[int, ...], name: str
) -> Iterator[str]:
    """Yield a message's comment and the table of its fields, then what is defined inside it."""
    meanings = [meaning(field, comments, (*path, 2, index)) for index, field in enumerate(message.field)]
    rows = [
        f"| `{field.name}` | {type_of(field)} | {notes(field, message)} | {text} |"
        for field, text in zip(message.field, meanings, strict=True)
    ]
    head = ["| field | type | | meaning |", "| --- | --- | --- | --- |"] if rows else []
    yield "\n".join([f"### {name}\n", f"{comments.lines(*path)}\n", *head, *rows, ""])
    for index, nested in enumerate(message.nested_type):
        yield from message_blocks(nested, comments, (*path, 3, index), f"{name}.{nested.name}")
    for index, enum in enumerate(message.enum_type):
        yield enum_block(enum, comments, (*path, 4, index), f"{name}.{enum.name}")


def enum_block(enum: pb.EnumDescriptorProto, comments: Comments, path: tuple[int, ...], name: str) -> str:
    """Return an enum's comment and the table of its values."""
    rows = [
        f"| `{value.name}` | {value.number} | {comments.line(*path, 2, index)} |"
        for index, value in enumerate(enum.value)
    ]
    head = ["| value | number | meaning |", "| --- | --- | --- |"]
    return "\n".join([f"### {name}\n", f"{comments.lines(*path)}\n", *head, *rows, ""])


def type_of(field: Field) -> str:
    """Return a field's type, linked where it is a message or an enum."""
    scalar = Field.Type.Name(field.type).removeprefix("TYPE_").lower()
    name = linked(field.type_name) if field.type_name else f"`{scalar}`"
    return f"repeated {name}" if field.label == Field.LABEL_REPEATED else name


def linked(full_name: str) -> str:
    """Return a type's name, with a link where it is defined on this page."""
    name = full_name.removeprefix(PACKAGE)
    return f"[{name}](#{name.replace('.', '').lower()})" if name != full_name else f"`{name.strip('.')}`"


def notes(field: Field, message: pb.DescriptorProto) -> str:
    """Return what a client must know of a field besides its type."""
    behaviours = field.options.Extensions[field_behavior_pb2.field_behavior]
    names = [field_behavior_pb2.FieldBehavior.Name(each).replace("_", " ").lower() for each in behaviours]
    found = [name for name in names if name != "optional"]
    if field.proto3_optional:
        found.append("may be absent")
    elif field.HasField("oneof_index"):
        found.append(f"one of `{message.oneof_decl[field.oneof_index].name}`")
    return ", ".join(found)


def meaning(field: Field, comments: Comments, path: tuple[int, ...]) -> str:
    """Return a field's comment and, for a fact, what is allowed."""
    fact = field.options.Extensions[annotations_pb2.fact]
    if not fact.maximum:
        return comments.line(*path)
    unit = f" {fact.unit}" if fact.unit not in ("share", "quality") else ""
    return f"{comments.line(*path)} Allowed: {number(fact.minimum)} to {number(fact.maximum)}{unit}."


def number(value: float) -> str:
    """Return a bound as people write it."""
    return re.sub(r"\.0$", "", f"{value:,}")


if __name__ == "__main__":
    (ROOT / "docs" / "api.md").write_text(reference(compile_protos()), encoding="utf-8")
