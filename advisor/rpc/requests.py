"""What requests must be like: every check runs, and all faults are reported at once."""

from __future__ import annotations

import difflib
import hashlib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from advisor import names
from advisor.errors import InvalidInput, Violation
from advisor.knowledge.approaches import Approach
from advisor.knowledge.durations import duration_fault
from advisor.knowledge.facts import encode_facts
from advisor.names import shown
from advisor.storage import pages
from advisor.storage.records import Request
from advisor.v1 import facts_pb2, recommendation_pb2
from advisor.wire.recommendation import approach_from_proto

__all__ = ["Checks", "fingerprint", "new_id", "under"]

DESCRIPTION_CHARACTERS = 4_000
ORIGINS = 100
ORIGIN_CHARACTERS = 1_000


class Checks:
    """Collects what is wrong with one request.

    Each check takes a value and its field, notes a violation where the value
    is not allowed, and returns what the value stands for. `refuse` ends them.
    """

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        """Note a violation."""
        self._violations.append(Violation(field, description))

    def refuse(self) -> None:
        """Raise InvalidInput with everything noted, where anything was."""
        if self._violations:
            raise InvalidInput(self._violations)

    @contextmanager
    def gather(self, prefix: str = "") -> Iterator[None]:
        """Note the violations of an InvalidInput raised inside, with `prefix` before their fields."""
        try:
            yield
        except InvalidInput as error:
            self._violations.extend(under(prefix, error).violations if prefix else error.violations)

    def use_case(self, name: str, field: str) -> str:
        """Return the id in a use case's resource name."""
        with self.gather():
            return names.parse_use_case(name, field)
        return ""

    def adapter(self, name: str, field: str, *, of_use_case: str | None = None) -> tuple[str, str]:
        """Return the ids of use case and adapter in an adapter's resource name."""
        with self.gather():
            ids = names.parse_adapter(name, field)
            if of_use_case is not None and ids[0] != of_use_case:
                wanted = names.use_case_name(of_use_case)
                self.add(field, f"{shown(name)} belongs to another use case; name one of {wanted}")
            return ids
        return "", ""

    def trial(self, name: str, field: str) -> tuple[str, str]:
        """Return the ids of use case and trial in a trial's resource name."""
        with self.gather():
            return names.parse_trial(name, field)
        return "", ""

    def profile(self, name: str, field: str) -> str:
        """Return the id of the use case in a profile's resource name."""
        with self.gather():
            return names.parse_profile(name, field)
        return ""

    def operation(self, name: str, field: str) -> str:
        """Return the id in an operation's resource name."""
        with self.gather():
            return names.parse_operation(name, field)
        return ""

    def new_id(self, value: str, field: str) -> str:
        """Return an id for something new; a random one where empty."""
        if not value:
            return new_id()
        if not names.is_id(value):
            self.add(field, f"{shown(value)} is not an id; allowed: {names.ID_RULE}")
        return value

    def request_id(self, value: str, field: str = "request_id") -> str:
        """Return a request's id in its usual form; empty where none is given."""
        if not value:
            return ""
        try:
            return str(uuid.UUID(value))
        except ValueError:
            self.add(field, f"{shown(value)} is not a UUID; send one such as {uuid.UUID(int=0)}, or none")
            return ""

    def approach(
        self, value: recommendation_pb2.Approach, field: str, allowed: Sequence[Approach]
    ) -> Approach | None:
        """Return the name of an approach; None where unspecified."""
        if value == recommendation_pb2.APPROACH_UNSPECIFIED:
            return None
        found = approach_from_proto(value)
        if found not in allowed:
            known = value in recommendation_pb2.Approach.values()
            name = recommendation_pb2.Approach.Name(value).removeprefix("APPROACH_") if known else str(value)
            self.add(field, f"{name} cannot be asked for; allowed: {', '.join(allowed)}, or unspecified")
        return found

    def facts(self, message: facts_pb2.Facts, path: str) -> None:
        """Check facts against their bounds."""
        with self.gather():
            encode_facts(message, path)

    def description(self, text: str, field: str) -> None:
        """Check a use case's description."""
        if len(text) > DESCRIPTION_CHARACTERS:
            self.add(field, f"has {len(text):,} characters; at most {DESCRIPTION_CHARACTERS:,} are allowed")
        if "\0" in text:
            self.add(field, "holds the character U+0000, which cannot be kept; remove it")

    def origins(self, values: Sequence[str], field: str) -> None:
        """Check the places that a use case is kept in step from."""
        if len(values) > ORIGINS:
            self.add(field, f"has {len(values)} entries; at most {ORIGINS} are allowed")
        for index, value in enumerate(values):
            if not value or len(value) > ORIGIN_CHARACTERS or "\0" in value:
                self.add(
                    f"{field}[{index}]",
                    f"must have 1 to {ORIGIN_CHARACTERS:,} characters, none of them U+0000",
                )

    def bounds(self, value: float, field: str, low: float, high: float) -> None:
        """Check a number against its bounds, both included; NaN is outside any."""
        if not low <= value <= high:
            self.add(field, f"{value:,} is out of bounds; allowed: {low:,} to {high:,}")

    def timeout(self, value: Duration, field: str) -> float:
        """Return how many seconds a client wants to wait."""
        fault = duration_fault(value)
        seconds = value.seconds + value.nanos / 1e9
        if not fault and seconds < 0:
            fault = f"{seconds:g} s is negative; 0 s returns at once"
        if fault:
            self.add(field, fault)
        return seconds

    def page(self, size: int) -> None:
        """Check a page's size."""
        with self.gather():
            pages.page_size(size)

    def mask(
        self, paths: Sequence[str], allowed: Sequence[str], ignored: Sequence[str], field: str = "update_mask"
    ) -> list[str]:
        """Return the paths of a field mask that are to change; `*` stands for the whole resource (AIP-134).

        Args:
            paths: What the client sent.
            allowed: What can be changed.
            ignored: What only the server sets: a client that read the resource may send it back.
            field: Where the mask is.
        """
        whole = [path for path in allowed if "." not in path]
        if list(paths) == ["*"]:
            return whole
        most = len(allowed) + len(ignored)
        if len(paths) > most:  # each that is unknown costs a search for what was meant
            self.add(field, f"has {len(paths):,} paths; at most {most} are allowed: name each once")
            return []
        for path in paths:
            if path == "*":
                self.add(field, '"*" stands for everything; send it alone, or only the paths to change')
            elif path not in (*allowed, *ignored):
                close = difflib.get_close_matches(path, allowed, n=1)
                hint = f'did you mean "{close[0]}"? ' if close else ""
                parts = [f"or a part such as {each}" for each in allowed if "." in each][:1]
                self.add(
                    field,
                    f"{shown(path)} cannot be changed; {hint}allowed: {', '.join(['*', *whole, *parts])}",
                )
        return [path for path in paths if path in allowed]


def under(prefix: str, error: InvalidInput) -> InvalidInput:
    """Return the same error with `prefix` before every field."""
    return InvalidInput(Violation(f"{prefix}.{each.field}", each.description) for each in error.violations)


def new_id() -> str:
    """Return an id that nothing has yet."""
    return f"x{uuid.uuid4().hex[:12]}"


def fingerprint(method: str, message: Message, request_id: str) -> Request | None:
    """Return the name of a mutating call, for `advisor.storage.requests`; None where it has none."""
    if not request_id:
        return None
    plain = type(message)()
    plain.CopyFrom(message)
    for name in {"request_id", "validate_only"}.intersection(plain.DESCRIPTOR.fields_by_name):
        plain.ClearField(name)
    content = method.encode() + b"\0" + plain.SerializeToString(deterministic=True)
    return Request(request_id, hashlib.sha256(content).hexdigest(), names.principal())
