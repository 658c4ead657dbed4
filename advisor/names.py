"""Resource names: built of ids and parsed back, in pairs, by one table of patterns.

    useCases/{id}                  use_case_name    parse_use_case
    useCases/{id}/adapters/{id}    adapter_name     parse_adapter
    useCases/{id}/documents/{hash} document_name    parse_document
    useCases/{id}/examples/{hash}  example_name     parse_example
    useCases/{id}/trials/{id}      trial_name       parse_trial
    useCases/{id}/profile          profile_name     parse_profile
    operations/{id}                operation_name   parse_operation

A document is named by its source and an example by its content: the first 32
hexadecimal digits of the SHA-256.

Nothing else in this package puts a name together or takes one apart. A new
resource is one more row of the table, and its pair.

Each use case belongs to a principal, and so does all that hangs off it. It is
kept under `{principal}~{id}`, of the principal without a name under `{id}`;
names do not tell whose. So a name stands for another use case with each
principal: what belongs to others has no name, and cannot be asked for.
"""

from __future__ import annotations

import hashlib
import re
from contextvars import ContextVar
from dataclasses import dataclass

from advisor.errors import InvalidInput

__all__ = [
    "ID_RULE",
    "act_as",
    "adapter_name",
    "document_name",
    "example_content",
    "example_name",
    "is_id",
    "is_within",
    "kept_for",
    "kept_id",
    "operation_name",
    "parse_adapter",
    "parse_document",
    "parse_example",
    "parse_operation",
    "parse_profile",
    "parse_trial",
    "parse_use_case",
    "principal",
    "principal_of",
    "profile_name",
    "shown",
    "source_hash",
    "trial_name",
    "use_case_name",
]

ID_RULE = "1 to 63 of a-z, 0-9 and hyphen, starting with a letter and not ending with a hyphen"
_ID = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HASH = r"[0-9a-f]{32}"
_OF = "~"  # stands in no id
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How the names of one kind of resource look.

    Attributes:
        noun: What such a name stands for, as errors say it.
        template: The name, with {} for each id.
        id: Regular expression of an id.
        rule: What an id is, in words.
        last: Regular expression of the last id where that is another one.
        owned: Whether the first id is that of a use case, which belongs to a principal.
    """

    noun: str
    template: str
    id: str
    rule: str
    last: str = ""
    owned: bool = True

    def build(self, first: str, *more: str) -> str:
        return self.template.format(first.rpartition(_OF)[2], *more)

    def parse(self, name: str, field: str) -> tuple[str, ...]:
        *before, last = [f"({self.id})"] * self.template.count("{}")
        found = re.fullmatch(self.template.format(*before, f"({self.last})" if self.last else last), name)
        if found is None:
            form = self.template.replace("{}", "ID")
            raise InvalidInput.of(field, f"{shown(name)} is not {self.noun}; write {form}, {self.rule}")
        first, *more = found.groups()
        return (kept_id(first) if self.owned else first, *more)


_USE_CASE = _Pattern("a use case", "useCases/{}", _ID, f"where ID is {ID_RULE}")
_ADAPTER = _Pattern("an adapter", "useCases/{}/adapters/{}", _ID, f"where ID is {ID_RULE}")
_DOCUMENT = _Pattern("a document", "useCases/{}/documents/{}", _ID, "as ListDocuments returns it", last=_HASH)
_EXAMPLE = _Pattern("an example", "useCases/{}/examples/{}", _ID, "as ListExamples returns it", last=_HASH)
_TRIAL = _Pattern("a trial", "useCases/{}/trials/{}", _ID, f"where ID is {ID_RULE}")
_PROFILE = _Pattern("a profile", "useCases/{}/profile", _ID, f"where ID is {ID_RULE}")
_OPERATION = _Pattern(
    "an operation",
    "operations/{}",
    _UUID,
    "as the call that started it returned it, or as ListOperations does",
    owned=False,
)

_principal: ContextVar[str] = ContextVar("principal", default="")


def principal() -> str:
    """Return who the present call is for; empty for whoever has no name, as where no tokens are asked for."""
    return _principal.get()


def act_as(name: str) -> None:
    """Have names stand for what belongs to a principal, until the present task ends."""
    _principal.set(name)


def kept_id(use_case_id: str) -> str:
    """Return the id under which a use case of the present call's principal is kept."""
    return kept_for(_principal.get(), use_case_id)


def kept_for(owner: str, own_id: str) -> str:
    """Return what tells an id that a principal chose from the same id of others."""
    return f"{owner}{_OF}{own_id}" if owner else own_id


def principal_of(kept: str) -> str:
    """Return whose a use case is, by the id under which it is kept."""
    return kept.rpartition(_OF)[0]


def use_case_name(use_case_id: str) -> str:
    """Return the resource name of a use case."""
    return _USE_CASE.build(use_case_id)


def parse_use_case(name: str, field: str = "name") -> str:
    """Return the id in the resource name of a use case.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    (use_case_id,) = _USE_CASE.parse(name, field)
    return use_case_id


def adapter_name(use_case_id: str, adapter_id: str) -> str:
    """Return the resource name of an adapter."""
    return _ADAPTER.build(use_case_id, adapter_id)


def parse_adapter(name: str, field: str = "name") -> tuple[str, str]:
    """Return the ids of use case and adapter in the resource name of an adapter.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    use_case_id, adapter_id = _ADAPTER.parse(name, field)
    return use_case_id, adapter_id


def trial_name(use_case_id: str, trial_id: str) -> str:
    """Return the resource name of a trial."""
    return _TRIAL.build(use_case_id, trial_id)


def parse_trial(name: str, field: str = "name") -> tuple[str, str]:
    """Return the ids of use case and trial in the resource name of a trial.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    use_case_id, trial_id = _TRIAL.parse(name, field)
    return use_case_id, trial_id


def profile_name(use_case_id: str) -> str:
    """Return the resource name of a use case's profile."""
    return _PROFILE.build(use_case_id)


def parse_profile(name: str, field: str = "name") -> str:
    """Return the id of the use case in the resource name of its profile.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    (use_case_id,) = _PROFILE.parse(name, field)
    return use_case_id


def source_hash(source: str) -> str:
    """Return what stands for a document's source in its name."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def document_name(use_case_id: str, source_hash: str) -> str:
    """Return the resource name of a use case's document, by the hash of its source."""
    return _DOCUMENT.build(use_case_id, source_hash)


def parse_document(name: str, field: str = "name") -> tuple[str, str]:
    """Return the use case's id and the hash of the source in the resource name of a document.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    use_case_id, source_hash = _DOCUMENT.parse(name, field)
    return use_case_id, source_hash


def example_name(use_case_id: str, sha256: str) -> str:
    """Return the resource name of a use case's example, by the SHA-256 of its content."""
    return _EXAMPLE.build(use_case_id, sha256[:32])


def example_content(question: str, answer: str, context: str, *, held_out: bool) -> bytes:
    """Return what an example is told apart by: the content that its name is a hash of."""
    kept_apart = "held out\0" if held_out else ""
    return f"{question}\0{answer}\0{context}\0{kept_apart}".encode()


def parse_example(name: str, field: str = "name") -> tuple[str, str]:
    """Return the use case's id and the hash of the content in the resource name of an example.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    use_case_id, content_hash = _EXAMPLE.parse(name, field)
    return use_case_id, content_hash


def operation_name(operation_id: str) -> str:
    """Return the resource name of an operation."""
    return _OPERATION.build(operation_id)


def parse_operation(name: str, field: str = "name") -> str:
    """Return the id in the resource name of an operation.

    Raises:
        InvalidInput: It is not such a name; `field` is at fault.
    """
    (operation_id,) = _OPERATION.parse(name, field)
    return operation_id


def is_id(value: str) -> bool:
    """Return whether a client may choose this as the id of something new."""
    return re.fullmatch(_ID, value) is not None


def is_within(name: str, use_case_id: str) -> bool:
    """Return whether a name is that of a use case, or of something that belongs to it."""
    return f"{name}/".startswith(f"{use_case_name(use_case_id)}/")


def shown(value: str) -> str:
    """Quote what a client sent, cut to what it takes to recognise it."""
    return repr(value if len(value) <= 80 else f"{value[:77]}...")
