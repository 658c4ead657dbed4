"""Words that say nothing of what is asked, and words of which one cannot stand for another."""

from __future__ import annotations

import re

__all__ = ["ASKING", "CONTRASTS", "FRAMES", "NEGATIONS", "NUMBERS", "SMALL", "WRITTEN_OUT"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATIONS = _words(
    "not no never without neither nor none nobody nothing nowhere "
    "nicht kein keine keinen keinem keiner keines nie niemals ohne weder "
    "ne pas jamais sans aucun aucune nunca sin tampoco ninguno ninguna non mai senza nessun nessuno nessuna "
    "niet geen nooit zonder não nem sem nunca inte ej aldrig utan ikke aldri uten nie bez nigdy не без никогда"
)
"""Of English and of other languages, those that are no everyday word of another one."""

SMALL = _words(
    "a an the i we one me my your our it is are am be do does there any some please kindly thanks "
    "der das den dem des ein eine einen einem einer bitte le la les un une du svp el los las una unos unas il lo gli "
    "het een uma"
)
"""Articles, persons, politeness and what English asks with; the same question is put with and without them."""

ASKING = _words("what who when where why how")
"""Words of which the one asks for something else than the other."""

_SMALL_NUMBERS = "zero two three four five six seven eight nine ten eleven twelve"
NUMBERS = dict(zip(_SMALL_NUMBERS.split(), map(str, (0, *range(2, 13))), strict=True)) | {
    "twenty": "20",
    "thirty": "30",
    "fifty": "50",
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
}
"""Numbers in words, as digits; `one` is a person as well."""

WRITTEN_OUT = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"\b(?:can't|cannot|cant)\b", "can not"),
        (r"\b(?:won't|wont)\b", "will not"),
        (r"\bshan't\b", "shall not"),
        (r"n't\b", " not"),
        (r"\b(do|does|did|is|are|was|were|has|have|had)nt\b", r"\1 not"),
        (r"'(?:s|m|re)\b", " is"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"'d\b", " would"),
    )
)
"""Contractions, and what they stand for."""

_WANT = r"i (?:want|wish|need|would like|would love) to"
FRAMES = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (
            r"^(?:hi|hello|hey|dear \w+|good (?:morning|afternoon|evening))\b(?: (?:there|all|team|everyone)\b)?",
            "",
        ),
        (r"\bthank you\b|\bmany thanks\b|\bin advance\b", ""),
        (r"\b(?:can|could|would|will) you (?:please )?(?:tell|explain to|show|inform|help) me\b", ""),
        (r"\b(?:can|could|would|will) you (?:please )?(?:explain|let me know)\b", ""),
        (
            rf"\b{_WANT} know\b|\bdo you know\b|\bi (?:was|am) wondering\b|\bi wonder\b|^(?:please )?tell me\b",
            "",
        ),
        (rf"\b{_WANT}\b", "want"),
        (r"\bhow to\b", "how"),
        (r"\bis it possible to\b", "can"),
        # Whoever is meant by `you` there is meant by `I` as well; not so in `are you`, `can you`.
        (
            r"\b(what|which|who|when|where|why|how) (?:do|does|can|could|would|should|may|might)(?: you\b)?",
            r"\1",
        ),
        (r"\b(?:could|may|might)\b", "can"),
        (r"\bwhich\b", "what"),
    )
)
"""How a question is put, in lower case and with single spaces; what it comes to."""

CONTRASTS = tuple(
    _words(line)
    for line in (
        "maximum minimum max min",
        "most least",
        "more less fewer",
        "highest lowest",
        "high low",
        "higher lower",
        "upper lower",
        "largest smallest",
        "large small big",
        "larger smaller",
        "longest shortest",
        "long short",
        "first last",
        "earliest latest",
        "early late",
        "oldest newest",
        "old new",
        "next previous",
        "before after during",
        "start stop end",
        "begin end",
        "open close",
        "opened closed",
        "enable disable",
        "enabled disabled",
        "activate deactivate",
        "lock unlock",
        "block unblock",
        "install uninstall",
        "subscribe unsubscribe",
        "on off",
        "in out",
        "up down",
        "into from",
        "to from",
        "above below",
        "over under",
        "with without",
        "upload download",
        "import export",
        "incoming outgoing",
        "inbound outbound",
        "internal external",
        "input output",
        "read write",
        "send receive",
        "sent received",
        "buy sell",
        "deposit withdraw",
        "deposit withdrawal",
        "debit credit",
        "increase decrease",
        "raise lower",
        "add remove",
        "create delete",
        "insert delete",
        "push pull",
        "left right",
        "north south east west",
        "northern southern eastern western",
        "public private",
        "allow forbid deny",
        "allowed forbidden denied",
        "accept reject refuse",
        "accepted rejected refused",
        "success failure",
        "succeed fail",
        "true false",
        "yes no",
        "hot cold warm",
        "full empty",
        "free paid",
        "always never sometimes",
        "all none some",
        "he she",
        "his her",
        "man woman",
        "male female",
        "mother father",
        "parent child",
        "client server",
        "monday tuesday wednesday thursday friday saturday sunday weekend",
        "january february march april may june july august september october november december",
        "spring summer autumn winter",
        "morning afternoon evening night",
        "today tomorrow yesterday",
        "daily weekly monthly yearly annual hourly",
        "second minute hour day week month year",
        "millisecond second",
        "red green blue yellow black white orange purple brown grey",
        "row column",
    )
)
"""Each line: words of which one cannot stand for another."""
