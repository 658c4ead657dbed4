"""What the files of a use case tell of its facts, before anything is imported."""

from __future__ import annotations

from advisor.knowledge.inventory import Gathered, complete
from advisor.knowledge.usecasefile import UseCaseFile, read_examples, take_stock
from advisor.profiling.first_look import first_look
from advisor.profiling.measured import Profile
from advisor.v1 import facts_pb2
from backends.base import Example

__all__ = ["known_of"]


def known_of(case: UseCaseFile) -> tuple[facts_pb2.Facts, Gathered]:
    """Return the facts of a use-case file, completed by what it lists and by a first look at its examples.

    Raises:
        InvalidInput: As `take_stock` does.
        OSError: A file cannot be read.
    """
    there_is = take_stock(case)
    seen = Profile()
    if case.examples is not None:
        given = (Example(each.question, each.answer, each.context) for each in read_examples(case.examples))
        seen = first_look([*given])
    return complete(case.facts, there_is, [each for each in seen.measurements if each.is_fact])
