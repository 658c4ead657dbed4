"""Whether an answer says that there is no answer, in the English words that models use for it."""

from __future__ import annotations

import re

from advisor.metrics.words import normalised

__all__ = ["is_refusal"]

# Articles are gone from a normalised text.
_GIVEN = r"(?:(?:any of|these|this|my|provided|given|supplied|retrieved|available|quoted|above) )"
_THERE = rf"(?:{_GIVEN}{{0,2}}(?:documents?|passages?|context|texts?|sources?|excerpts?)|{_GIVEN}information)"
_TELLS = r"(?:say|mention|contain|hold|have|provide|tell|state|specify|include|give|answer|offer|address)s?"
_KNOWLEDGE = r"(?:answer|information|mention|details?|data)"
_REST = r"(?:[^.;!?]|[.!?](?=\S))*"
_SORRY = r"(?:(?:i'm |i am )?sorry,? |unfortunately,? )?"
_TOLD = r"(?:mentioned|stated|specified|given|found|provided|answered|told|said)"
_REFUSALS = (
    rf"{_THERE} (?:do not|does not|did not|don't|doesn't|didn't) {_TELLS}\b{_REST}",
    rf"{_THERE} {_TELLS} no {_KNOWLEDGE}\b{_REST}",
    rf"there is no {_KNOWLEDGE}\b{_REST}",
    rf"no {_KNOWLEDGE}(?: {_REST})? (?:found|given|provided|available)(?: (?:in|about|on|for|here)\b{_REST})?",
    rf"{_SORRY}i (?:do not|don't) know\b{_REST}",
    rf"{_SORRY}i (?:cannot|can't|could not|couldn't) (?:answer|tell|find|say)\b{_REST}",
    rf"{_REST}\b(?:is|are) not {_TOLD} (?:in|by) {_THERE}\b{_REST}",
    rf"(?:it is )?not {_TOLD}(?: (?:in|by) {_THERE}\b{_REST})?",
)
_REFUSAL = re.compile("|".join(_REFUSALS))
_LONGEST = 300  # characters; nobody needs more to say so
_TURN = re.compile(r"\b(?:but|however|yet)\b")


def is_refusal(text: str) -> bool:
    """Return whether a text says, in one sentence and without a "but", that there is no answer.

    >>> is_refusal("The documents do not say."), is_refusal("The documents do not say why, but 5 is the default.")
    (True, False)
    """
    plain = normalised(text[: _LONGEST + 1])
    if len(text) > _LONGEST or _TURN.search(plain):
        return False
    return _REFUSAL.fullmatch(plain) is not None
