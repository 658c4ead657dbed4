"""Attribution tokens: names of answers that a client can give back and cannot make up.

    base64url(payload) "." base64url(HMAC-SHA256(key, payload), cut to 16 bytes)

The payload is JSON: a version, ids of use case, answer and adapter, the approach,
times and versions; never a text. Nothing is kept of an answer until its outcome
is told. The key is the database's, so that any server on it reads the tokens of
any other. A token ends with its use case, also where another one takes its name,
and after `GOOD_FOR`: what is told later is told of a system that is gone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from advisor.errors import FailedPrecondition, InvalidInput
from advisor.knowledge.approaches import Approach
from advisor.names import use_case_name
from advisor.storage.records import UseCase

__all__ = ["GOOD_FOR", "Attribution", "check_current", "read_token", "token_of"]

GOOD_FOR = timedelta(days=90)
"""How long after an answer its outcome may be told."""

_FORM = 1
_MAC_BYTES = 16
_LONGEST = 4_000
_FIELD = "attribution_token"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What an answer is owed to.

    Attributes:
        use_case_id: The use case that was asked.
        use_case_time: When that was created, which tells it from a later one of the same id.
        approach: The approach that answered.
        adapter_id: The adapter it used; None without one.
        answer_time: When it was answered.
        versions: Of what decided and answered, by name.
        answer_id: Tells it from all other answers.
    """

    use_case_id: str
    use_case_time: datetime
    approach: Approach
    adapter_id: str | None
    answer_time: datetime
    versions: Mapping[str, str]
    answer_id: uuid.UUID


def token_of(attribution: Attribution, key: bytes) -> str:
    """Return the token that names an answer."""
    values = [
        _FORM,
        attribution.use_case_id,
        attribution.use_case_time.isoformat(),
        attribution.approach,
        attribution.adapter_id,
        attribution.answer_time.isoformat(),
        dict(attribution.versions),
        attribution.answer_id.hex,
    ]
    payload = json.dumps(values, separators=(",", ":")).encode()
    return f"{_encoded(payload)}.{_encoded(_mac(payload, key))}"


def read_token(token: str, key: bytes) -> Attribution:
    """Return what a token names.

    Raises:
        InvalidInput: It was not made with this key.
    """
    if not token:
        raise InvalidInput.of(_FIELD, "is missing; send AnswerSummary.attribution_token of the answer")
    payload = _verified(token, key)
    if payload is None:
        raise InvalidInput.of(
            _FIELD, "is not one that this service gave; send AnswerSummary.attribution_token as it came"
        )
    _, use_case_id, use_case_time, approach, adapter_id, answer_time, versions, answer_id = json.loads(
        payload
    )
    return Attribution(
        use_case_id,
        datetime.fromisoformat(use_case_time),
        Approach(approach),
        adapter_id,
        datetime.fromisoformat(answer_time),
        versions,
        uuid.UUID(answer_id),
    )


def check_current(attribution: Attribution, use_case: UseCase, now: datetime | None = None) -> None:
    """Check that the outcome of an answer may still be told.

    Raises:
        FailedPrecondition: The answer is too old, or was that of an earlier use case of the same id.
    """
    name = use_case_name(use_case.id)
    if attribution.use_case_time != use_case.create_time:
        raise FailedPrecondition(
            "USE_CASE_REPLACED",
            f"the answer was one of an earlier {name}, which was deleted; outcomes count for the answers of this one",
            metadata={"resource": name},
        )
    age = (now or datetime.now(UTC)) - attribution.answer_time
    if age > GOOD_FOR:
        raise FailedPrecondition(
            "TOKEN_EXPIRED",
            f"the answer is {age.days} days old; its outcome can be recorded for {GOOD_FOR.days} days",
            metadata={"resource": name},
        )


def _verified(token: str, key: bytes) -> bytes | None:
    """Return the payload of a token that was made with a key; None of any other text."""
    payload, separator, mac = token.partition(".")
    if len(token) > _LONGEST or not separator:
        return None
    try:
        content, given = _decoded(payload), _decoded(mac)
    except (ValueError, binascii.Error):
        return None
    if not hmac.compare_digest(given, _mac(content, key)):
        return None
    # One form alone: other texts that decode to the same bytes are none that were given.
    return content if token == f"{_encoded(content)}.{_encoded(given)}" else None


def _mac(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, payload, hashlib.sha256)[:_MAC_BYTES]


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
