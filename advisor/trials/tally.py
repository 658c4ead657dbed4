"""An arm's answers summed up: what they scored, what they took, what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from advisor.errors import ConfigurationError
from advisor.metrics.choosing import metric_named
from advisor.metrics.labels import macro_f1_estimate
from advisor.metrics.outputs import Metric, Output
from advisor.metrics.paired import Estimate, mean
from advisor.metrics.similarity import Embed, Similarity
from advisor.trials.arms import Arm
from advisor.trials.asking import Reply
from advisor.trials.conditions import Conditions
from advisor.trials.results import ArmResult, ArmState, Asked, Figure, Training
from backends.base import Example
from backends.training.examples import holds, is_short

__all__ = ["Tally", "figure", "found_in", "not_run"]

MACRO_F1 = "macro_f1"
_BESIDE = {
    "LABEL": ("accuracy", "citations"),
    "STRUCTURED": ("structure", "structured_equality", "exact_match"),
}
"""Metrics beside the one that counts, by the form of the output."""
_OF_TEXTS = ("exact_match", "holds", "token_f1", "rouge_l", "chrf", "similarity", "citations")


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums up the answers of arms.

    Attributes:
        conditions: Of the trial.
        held_out: The questions, in their order.
        embed: Turns texts into vectors, for similarity; None to leave it out.
    """

    conditions: Conditions
    held_out: Sequence[Example]
    embed: Embed | None

    def score(self, replies: Sequence[Reply], first: int = 0) -> list[Asked]:
        """Return replies with their scores.

        Args:
            replies: To questions that follow each other.
            first: Number of the first.
        """
        given = self.held_out[first : first + len(replies)]
        outputs = [_output(reply, example) for reply, example in zip(replies, given, strict=True)]
        scores = {metric.name: metric.scores(outputs) for metric in self._metrics()}
        return [
            _asked(first + place, reply, example, {name: row[place] for name, row in scores.items()})
            for place, (reply, example) in enumerate(zip(replies, given, strict=True))
        ]

    def arm(
        self,
        arm: Arm,
        answers: Sequence[Asked],
        *,
        timed: Sequence[tuple[float, float]],
        training: Training | None = None,
        index_bytes: int | None = None,
        stopped: str = "",
    ) -> ArmResult:
        """Return what was measured of an arm.

        Args:
            arm: Which.
            answers: In the order of the questions, from the first on.
            timed: Seconds to the first token and to the end, of questions asked one by one.
            training: What its training took.
            index_bytes: Size of the passages, where it retrieves.
            stopped: Why it was not asked all questions; empty where it was.
        """
        metrics = self._figures(answers)
        quality = metrics.get(self.conditions.metric)
        read = float(np.mean([each.input_tokens for each in answers])) if answers else 0.0
        written = float(np.mean([each.output_tokens for each in answers])) if answers else 0.0
        found = [each for each in answers if each.found is not None]
        return ArmResult(
            arm,
            ArmState.STOPPED if stopped else ArmState.DONE,
            stopped,
            quality,
            metrics,
            _ends([first for first, _ in timed]),
            _ends([total for _, total in timed]),
            read,
            written,
            training=training,
            found=self.share([float(bool(each.found)) for each in found]) if arm.retrieves else None,
            right_where_found=self.quality([each for each in found if each.found]),
            right_where_not=self.quality([each for each in found if not each.found]),
            index_bytes=index_bytes,
            answers=tuple(answers),
        )

    def _metrics(self) -> list[Metric]:
        """Return the metric that counts, and those that apply to answers of this form and can be computed here."""
        schema = self.conditions.output_schema or None
        found = [metric_named(self.conditions.metric, schema=schema, embed=self.embed)]
        for name in _BESIDE.get(self.conditions.form, _OF_TEXTS):
            if name != self.conditions.metric and (name != Similarity.name or self.embed is not None):
                with suppress(ConfigurationError):  # a library is not installed
                    found.append(metric_named(name, schema=schema, embed=self.embed))
        return found

    def _figures(self, answers: Sequence[Asked]) -> dict[str, Figure]:
        names = dict.fromkeys(name for each in answers for name in each.scores)
        found = {name: self.share([each.scores.get(name) for each in answers]) for name in names}
        if self.conditions.labels:
            outputs = [
                Output(each.text or "", self.held_out[each.number].answer, each.refused) for each in answers
            ]
            found[MACRO_F1] = figure(macro_f1_estimate(outputs, seed=self.conditions.seed))
        return {name: each for name, each in found.items() if each is not None}

    def quality(self, answers: Sequence[Asked]) -> Figure | None:
        """Return the mean of answers by the metric that counts; None where none is scored by it."""
        return self.share([each.scores.get(self.conditions.metric) for each in answers])

    def share(self, scores: Sequence[float | None]) -> Figure | None:
        """Return the mean of scores, None left out; None where nothing is left."""
        return figure(mean(scores, seed=self.conditions.seed))


def _asked(number: int, reply: Reply, example: Example, scores: Mapping[str, float | None]) -> Asked:
    """Return a reply to a question with its scores."""
    return Asked(
        number,
        reply.text,
        {name: score for name, score in scores.items() if score is not None},
        reply.refused,
        _found(reply, example),
        reply.input_tokens,
        reply.output_tokens,
        reply.first_token_s,
        reply.total_s,
    )


def figure(estimate: Estimate | None) -> Figure | None:
    """Return an estimate as a trial keeps it; None where there is none."""
    if estimate is None:
        return None
    return Figure(estimate.value, estimate.low, estimate.high, estimate.count)


def not_run(arm: Arm, reason: str) -> ArmResult:
    """Return the result of an arm that was not run."""
    return ArmResult(arm, ArmState.NOT_RUN, reason)


def _output(reply: Reply, example: Example) -> Output:
    return Output(
        reply.text,
        example.answer,
        reply.refused,
        reply.complete,
        reply.cited,
        example.context,
        example.question,
    )


def _found(reply: Reply, example: Example) -> bool | None:
    """Return whether what was retrieved holds the answer; None where nothing was, or nobody can tell."""
    if not reply.found and not reply.refused:
        return None
    return found_in(reply.found, example)


def found_in(texts: Sequence[str], example: Example) -> bool | None:
    """Return whether passages hold what answers a question; None where that cannot be told."""
    if is_short(example) and not (example.context or "").strip():
        return None
    return any(holds(text, example) for text in texts)


def _ends(seconds: Sequence[float]) -> tuple[float, float] | None:
    if not seconds:
        return None
    median, late = np.percentile(seconds, (50, 95))
    return float(median), float(late)
