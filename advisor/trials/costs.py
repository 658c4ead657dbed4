"""What the tokens that an arm was measured to take cost, by the prices of the use case."""

from __future__ import annotations

from dataclasses import replace

from advisor.decision.known import known_facts
from advisor.decision.pricing import CENTRAL, Bill, bill, months
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import Row
from advisor.trials.arms import Arm
from advisor.trials.results import ArmResult

__all__ = ["Costs"]


class Costs:
    """Prices of one use case: its own, or those of `advisor.decision.prices`, as in a recommendation.

    Args:
        row: What is known of the use case.
    """

    def __init__(self, row: Row) -> None:
        self._bill: Bill = bill(known_facts(row), CENTRAL)

    def of(self, result: ArmResult) -> ArmResult:
        """Return a result with its costs: of answers, of a month with all that is fixed, of its training.

        What a classifier costs is too little to be told, and what is no approach has no month.
        """
        if result.arm.is_reference or result.quality is None:
            return result
        per_million = self._answers(result)
        training = result.training
        if training is not None:
            training = replace(training, usd=1e-6 * float(self._bill.prices.training) * training.tokens)
        return replace(
            result,
            usd_per_1000=1e-3 * per_million,
            usd_per_month=self._month(result.arm, per_million),
            training=training,
        )

    def _answers(self, result: ArmResult) -> float:
        """Return US dollars for a million answers, searches included."""
        prices, trained = self._bill.prices, result.arm.trains
        read, written = (
            (prices.tuned_input, prices.tuned_output) if trained else (prices.input, prices.output)
        )
        search = float(self._bill.search) if result.arm.retrieves else 0.0
        return result.input_tokens * float(read) + result.output_tokens * float(written) + search

    def _month(self, arm: Arm, per_million: float) -> float | None:
        approach = Approach.HYBRID if arm is Arm.NAIVE_BOTH else arm.approach
        if approach is None:
            return None
        searches = float(self._bill.search) if arm.retrieves else 0.0
        answers = list(self._bill.answers)
        answers[approach.place] = per_million - searches
        return float(months(self._bill._replace(answers=tuple(answers)))[approach.place])
