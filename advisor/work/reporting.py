"""A stored trial as a report: what was kept of it put together again, and written."""

from __future__ import annotations

from dataclasses import dataclass, replace

from advisor.errors import NotFound
from advisor.names import principal_of, use_case_name
from advisor.storage import measured_cases, operations, trials
from advisor.storage.database import Database
from advisor.storage.measured_cases import KeptCase
from advisor.storage.trials import Trial
from advisor.trials.codec import arm_from_json, asked_from_json, result_from_json, result_to_json
from advisor.trials.conditions import Conditions
from advisor.trials.measured import MeasuredCase
from advisor.trials.report import to_html, to_json, to_markdown
from advisor.trials.results import Given, TrialResult
from advisor.trials.summing import Measured, summed_up
from advisor.trials.track import Tracked, TrackRecord, tracked
from advisor.work.racing import Steps, engine_of, spent_s

__all__ = ["Report", "report_of", "summed", "track_record", "whole_result"]


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        content: In UTF-8.
        media_type: What it is.
    """

    content: bytes
    media_type: str


def report_of(database: Database, use_case_id: str, trial_id: str, form: str) -> Report:
    """Return a trial's report.

    Args:
        database: Where it is kept.
        use_case_id: Whose trial.
        trial_id: Which one.
        form: JSON or MARKDOWN; HTML otherwise.

    Raises:
        NotFound: It does not exist.
    """
    trial = trials.get(database, use_case_id, trial_id)
    result = whole_result(database, trial)
    if form == "JSON":
        return Report(to_json(result).encode(), "application/json")
    if form == "MARKDOWN":
        return Report(to_markdown(result, trial.name).encode(), "text/markdown; charset=utf-8")
    page = to_html(result, trial.name, track_record(database, principal_of(trial.use_case_id)))
    return Report(page.encode(), "text/html; charset=utf-8")


def track_record(database: Database, principal: str) -> TrackRecord:
    """Return how advice to a principal fared against all trials that came after it."""
    return tracked([*map(_tracked, measured_cases.every(database, principal=principal))])


def whole_result(database: Database, trial: Trial) -> TrialResult:
    """Return what a trial measured, with questions and answers; of one that has not ended, what there is."""
    conditions = Conditions.from_json(trial.conditions)
    held_out, training = trials.held_out_and_training(database, trial.use_case_id, trial.id)
    given = tuple(
        Given(each.number, each.question, each.answer, conditions.kind_of(each.answer)) for each in held_out
    )
    answers = {
        arm: [asked_from_json(each.measured, each.text) for each in kept]
        for arm, kept in trials.answers(database, trial.use_case_id, trial.id).items()
    }
    if trial.result is not None:
        return result_from_json(trial.result, given, answers)
    arms = tuple(arm_from_json(each, answers.get(each["arm"], ())) for each in trial.arms)
    steps = _steps_of(database, trial.operation_id)
    return summed_up(conditions, Measured(given, len(training), arms, engine_of(steps), spent_s(steps)))


def summed(database: Database, trial: Trial) -> Trial:
    """Return a trial with what it came to, where it was cut short: what its arms measured until then, if any."""
    if trial.result is not None or not trial.arms or not trial.state.done:
        return trial
    return replace(trial, result=result_to_json(whole_result(database, trial)))


def _tracked(kept: KeptCase) -> Tracked:
    case = MeasuredCase.from_json(kept.measured)
    return Tracked.of(kept.trial, use_case_name(kept.use_case_id), kept.create_time, case)


def _steps_of(database: Database, operation_id: str) -> Steps:
    try:
        return operations.get(database, operation_id).steps
    except NotFound:  # forgotten since
        return {}
