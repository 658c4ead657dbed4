"""Facts in documents changed on purpose: whether answers follow, and whose do not.

Of the held-out questions those are taken whose right answer stands once in a passage that is found. In its place
comes an answer of the same kind from another example, and the same questions are asked again.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from advisor.metrics.paired import paired_difference
from advisor.trials.arms import Arm
from advisor.trials.asking import Reply
from advisor.trials.results import ArmResult, Freshness
from advisor.trials.tally import Tally
from backends.base import Example, Passage
from backends.counts import counted
from backends.training.examples import holds

__all__ = ["Change", "changes_of", "freshness_of", "too_few"]

LEAST, MOST = 8, 40
"""Facts to change: fewer tell nothing, more take time."""
_NUMBER = re.compile(r"[-+]?\d[\d.,:/-]*\s?[^\W\d_]{0,3}%?")


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that is changed.

    Attributes:
        number: The held-out question's.
        example: The question with its new right answer.
        before: The passage that gives the old one.
        after: The passage that gives the new one.
    """

    number: int
    example: Example
    before: Passage
    after: Passage


def changes_of(
    held_out: Sequence[Example],
    others: Sequence[Example],
    search: Callable[[str], Sequence[Passage]],
    seed: int,
) -> list[Change]:
    """Return facts that can be changed, in the order of the questions, no two in one passage.

    Args:
        held_out: The questions.
        others: Further examples, whose answers may take the place.
        search: Returns the passages that are found for a question, best first.
        seed: Chooses the answers.
    """
    answers = sorted({each.answer.strip() for each in (*held_out, *others) if each.answer.strip()})
    found: list[Change] = []
    taken: set[str] = set()
    for number, example in enumerate(held_out):
        if len(found) == MOST:
            break
        old = example.answer.strip()
        passage = next((each for each in search(example.question) if _tells(each, example)), None)
        if passage is None or passage.id in taken:
            continue
        new = _another(old, answers, passage.text, example.question, random.Random(f"{seed}:{number}"))  # noqa: S311
        if new is None:
            continue
        taken.add(passage.id)
        start, end = _whole(old).search(passage.text).span()  # type: ignore[union-attr] # it stands there once
        text = f"{passage.text[:start]}{new}{passage.text[end:]}"
        id_ = hashlib.sha256(f"{passage.id}\0{text}".encode()).hexdigest()
        after = replace(passage, id=id_, text=text, end_byte=passage.start_byte + len(text.encode()))
        asked = replace(example, answer=new, context=text)
        found.append(Change(number, asked, passage, after))
    return found


def too_few(changes: Sequence[Change]) -> str:
    """Return why changes tell nothing; empty where they are enough."""
    if len(changes) >= LEAST:
        return ""
    return (
        f"{counted(len(changes), 'right answer')} of the held-out questions can be changed in a passage that is found, "
        f"{LEAST} are needed"
    )


def freshness_of(
    changes: Sequence[Change],
    asked_again: Sequence[Reply],
    arms: Sequence[ArmResult],
    tally: Tally,
    index_s: float,
) -> Freshness:
    """Return how answers follow changes.

    Args:
        changes: The facts that were changed.
        asked_again: What RAG says once the passages are brought in step, in the order of the changes.
        arms: What was answered before: by RAG on the old passages, by the tuned model.
        tally: Of the trial.
        index_s: Seconds that it took to bring a passage in step.
    """
    scoring = Tally(tally.conditions, [each.example for each in changes], tally.embed)
    fresh = _scores(scoring, asked_again)
    stale, tuned = (
        _scores(scoring, replies) if (replies := _before(changes, arms, arm)) else []
        for arm in (Arm.RAG, Arm.FINE_TUNING)
    )
    against = paired_difference(fresh, tuned or stale, seed=tally.conditions.seed)
    return Freshness(
        changed=len(changes),
        in_step=tally.share(fresh),
        not_in_step=tally.share(stale),
        not_retrained=tally.share(tuned),
        p=against.p if against else None,
        index_s=index_s,
    )


def _scores(scoring: Tally, replies: Sequence[Reply]) -> list[float | None]:
    return [each.scores.get(scoring.conditions.metric) for each in scoring.score(replies)]


def _before(changes: Sequence[Change], arms: Sequence[ArmResult], arm: Arm) -> list[Reply]:
    """Return what an arm said to the questions before; empty where it was not asked all of them."""
    result = next((each for each in arms if each.arm is arm), None)
    said = {each.number: each for each in result.answers} if result else {}
    if not all(each.number in said for each in changes):
        return []
    return [Reply(said[each.number].text or "", refused=said[each.number].refused) for each in changes]


def _tells(passage: Passage, example: Example) -> bool:
    """Return whether a passage gives the answer, in one place."""
    return holds(passage.text, example) and len(_whole(example.answer.strip()).findall(passage.text)) == 1


def _another(old: str, answers: Sequence[str], text: str, question: str, chance: random.Random) -> str | None:
    """Return an answer of the same kind that neither passage nor question holds; None where there is none."""
    there = f"{text} {question}".casefold()
    fitting = [each for each in answers if _kind(each) == _kind(old) and each.casefold() not in there]
    return chance.choice(fitting) if fitting else None


def _kind(answer: str) -> tuple[bool, int]:
    """Return what answers have in common that may stand for each other: numbers, or texts of about the same length."""
    is_number = _NUMBER.fullmatch(answer) is not None
    return is_number, 0 if is_number else min(len(answer.split()), 4)


def _whole(answer: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(answer)}(?!\w|\.\d)")
