"""The explainer: what stands behind a decision, from the arrays that made it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from advisor.decision.cost import CostEstimate, estimate_cost
from advisor.decision.evidence import Evidence, Factor, bounded, score_of, summed
from advisor.decision.explanation import (
    Advice,
    ExpectedQuality,
    Explanation,
    Question,
    Robustness,
    RuleWarning,
    UnconsideredRule,
)
from advisor.decision.flips import FlipFinder
from advisor.decision.gains import COMPONENTS, TWO_SIDED_80
from advisor.decision.lessons import Learned, Lessons
from advisor.decision.plan import plan_steps
from advisor.decision.reasons import SHAKY, cheaper, headline, passed_over
from advisor.decision.recommendation import Recommendation
from advisor.decision.rulebook import Rulebook
from advisor.decision.scorecard import cost_evidence, make_scorecard
from advisor.decision.scoring import Scorer, Scores
from advisor.decision.similar import CaseIndex, SimilarCase
from advisor.decision.worlds import Outlook, Worlds
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import KnownFacts, Row, fact, fact_index, facts
from advisor.knowledge.inventory import NOTHING, Gathered
from advisor.knowledge.rules import Rule

__all__ = ["Explainer"]

_LEAST_SAVED = 0.1
"""Points that knowing the answer saves, below which a question is noise."""
_MOST_SIMILAR = 3
_PARTS = (
    "What each has to be built of and kept: an index to fill and to watch; data, training, evaluation and a model to "
    "host; or both."
)


class Explainer:
    """Explains the decisions of a scorer.

    Args:
        scorer: Decides.
        rulebook: Has the words of its rules.
        cases: Cases to show beside a decision, and that the model of gains was learned from.
    """

    def __init__(self, scorer: Scorer, rulebook: Rulebook, cases: Sequence[Case]) -> None:
        self._scorer = scorer
        self._rulebook = rulebook
        self._cases = CaseIndex(cases)
        self._lessons = Lessons(
            cases,
            [(each.subject, term.component) for term in scorer.gains.terms for each in term.curves],
        )
        self._before = (
            Evidence("PRIOR", "prior", None, _above(scorer.before), "What is held before any fact is known."),
            Evidence("PRIOR", "parts", "retraining", _above(scorer.parts), _PARTS),
        )
        self._weights = scorer.gains.weights
        rules = scorer.rules
        self._points = {rule.id: _above(scorer.gains.slope * np.array(rule.log_odds)) for rule in rules}
        self._told = {rule.id for rule in rules if any(test.holds is not None for test in rule.tests)}
        self._waiting = [
            UnconsideredRule(rule.id, tuple(test.subject for test in rule.tests if test.holds is not None))
            for rule in rules
        ]

    @cached_property
    def worlds(self) -> Worlds:
        """Draws of the facts, for what is unknown."""
        return Worlds(self._scorer.knowledge)

    @cached_property
    def _flips(self) -> FlipFinder:
        return FlipFinder(self._scorer)

    def explain(
        self,
        decision: Recommendation,
        row: Row,
        scores: Scores,
        index: int,
        gathered: Gathered = NOTHING,
    ) -> Explanation:
        """Explain a decision.

        Args:
            decision: What was decided.
            row: The use case, shape (facts,).
            scores: What it was decided by.
            index: The use case's place in them.
            gathered: What the user's data said of the facts.
        """
        feasible = [score.approach for score in decision.scores if score.feasible]
        cost = estimate_cost(row, sorted(feasible, key=lambda each: each is not decision.approach))
        evidence = self._evidence(row, scores, index, cost)
        spreads = self._scorer.spreads(row, scores.points[:, index])
        expected = _expected(row, decision, spreads)
        told = self._rulebook.told(row)
        advice = [self._advice(rule, row) for rule in told if rule.kind == "advice"]
        plan = plan_steps(decision, row, spreads, cost, self._scorer.knowledge.decision.tolerance, advice)
        outlook = self.worlds.look(self._scorer, row)
        instead = passed_over(
            decision,
            self._scorer.knowledge.decision.tolerance,
            suffices=bool(scores.points[scores.approach[index], index] >= scores.enough[index]),
        ) or cheaper(decision, cost)
        robustness = Robustness(_kept(decision, outlook), outlook.shares, self.worlds.count)
        questions = tuple(_questions(outlook, robustness.kept))
        return Explanation(
            summary=headline(decision, expected, evidence, questions, plan, robustness, instead)
            + _taken(gathered),
            scorecard=make_scorecard(evidence),
            expected=expected,
            plan=plan,
            evidence=evidence,
            unconsidered_rules=self._unconsidered(row),
            warnings=(
                *(RuleWarning("stated-otherwise", text, ()) for text in gathered.contradictions),
                *_out_of_reach(decision, row, expected, spreads),
                *_bounded_by_search(decision, row),
                *(self._warning(rule, row) for rule in told if rule.kind == "warning"),
                *_over_budget(decision, row, cost),
            ),
            flips=self._flips.find(
                row, decision.approach, alone=self._scorer.decides_alone(row, scores, index)
            ),
            robustness=robustness,
            questions=questions,
            similar_cases=self._similar(row),
            cost=cost,
        )

    def _warning(self, rule: Rule, row: Row) -> RuleWarning:
        return RuleWarning(rule.id, self._rulebook.reason(rule, row), self._rulebook.sources(rule))

    def _advice(self, rule: Rule, row: Row) -> Advice:
        text, sources = self._rulebook.reason(rule, row), self._rulebook.sources(rule)
        return Advice(rule.id, text, sources, rule.steps, rule.first)

    def _evidence(self, row: Row, scores: Scores, index: int, cost: CostEstimate) -> tuple[Evidence, ...]:
        """Return every term of the points, heaviest first, what is held beforehand last."""
        found = [
            Evidence(
                "RULE" if rule.id in self._told else "PRIOR",
                rule.id,
                rule.criterion,
                self._points[rule.id],
                self._rulebook.reason(rule, row),
                self._rulebook.sources(rule),
                facts=rule.about,
            )
            for rule in self._rulebook.fired("evidence", scores, index)
        ]
        if learned := self._learned(row):
            found.append(learned)
        month = np.array([each.per_month_usd for each in cost.approaches])
        found.append(cost_evidence(cost, _above(self._scorer.cost_points(month))))
        found.sort(key=lambda item: -item.weight)
        return (*found, *self._before)

    def _learned(self, row: Row) -> Evidence | None:
        """Return what published cases teach about the facts, by fact; None where they teach nothing of them."""
        points = self._weights * self._scorer.terms(row[None, :])[:, 0]
        parts: dict[str, Floats] = {}
        learned: dict[str, Learned] = {}
        for place in np.flatnonzero(points.any(axis=0)).tolist():
            term = self._scorer.gains.terms[place]
            unknown = np.isnan(row[fact_index()[term.curve.subject]])
            curve = term.instead if unknown and term.instead else term.curve
            name, member = curve.subject, COMPONENTS[term.component][0]
            parts[name] = parts.get(name, 0.0) + points[:, place]
            added = Learned(name, term.component, float(points[member.place, place]))
            learned[name] = max(learned.get(name, added), added, key=lambda item: abs(item.points))
        if not parts:
            return None
        factors = [Factor(name, _above(points)) for name, points in parts.items()]
        factors.sort(key=lambda item: -item.weight)
        return Evidence(
            "CLASSIFIER",
            "published-cases",
            None,
            summed(item.points for item in factors),
            self._lessons.tell([learned[item.fact] for item in factors], row),
            factors=tuple(factors),
        )

    def _unconsidered(self, row: Row) -> tuple[UnconsideredRule, ...]:
        unknown = {item.name for item, value in zip(facts(), row.tolist(), strict=True) if math.isnan(value)}
        places = np.flatnonzero(self._scorer.unconsidered(row[None, :])[:, 0]).tolist()
        return tuple([_wanting(self._waiting[place], unknown) for place in places])

    def _similar(self, row: Row) -> tuple[SimilarCase, ...]:
        """Return the nearest cases, one of each source: more of the same would say the same."""
        nearest: dict[str, SimilarCase] = {}
        for similar in self._cases.nearest(row):
            nearest.setdefault(similar.case.source.id, similar)
            if len(nearest) == _MOST_SIMILAR:
                break
        return tuple(nearest.values())


def _wanting(rule: UnconsideredRule, unknown: set[str]) -> UnconsideredRule:
    """Return a rule that needs facts, as one that needs those of them that are unknown."""
    if unknown.issuperset(rule.missing_facts):
        return rule
    return UnconsideredRule(rule.id, tuple([each for each in rule.missing_facts if each in unknown]))


def _taken(gathered: Gathered) -> str:
    return f" Taken from the documents and examples: {gathered.taken}." if gathered.taken else ""


def _above(points: Floats) -> tuple[float, ...]:
    """Return points per approach above those of PROMPTING."""
    above: list[float] = (points - points[Approach.PROMPTING.place]).tolist()
    return tuple(above)


def _expected(row: Row, decision: Recommendation, spreads: Floats) -> tuple[ExpectedQuality, ...]:
    """Return what each approach is expected to reach, with what a measurement might find instead."""
    prompted = KnownFacts(row).get("prompted_score")
    points = {score.approach: score.points for score in decision.scores}
    found = []
    for approach, spread in zip(APPROACHES, spreads[:, Approach.PROMPTING.place].tolist(), strict=True):
        above, reach = points[approach], TWO_SIDED_80 * spread
        low, middle, high = (_shown(prompted, each) for each in (above - reach, above, above + reach))
        found.append(ExpectedQuality(approach, middle, low, high, score_of(prompted, above)))
    return tuple(found)


def _shown(prompted: float | None, points: float) -> float:
    """Return points as far as a score goes; where prompting's is unknown, as far as any two are apart."""
    return min(max(points, -100.0), 100.0) if prompted is None else bounded(prompted, points)


def _out_of_reach(
    decision: Recommendation, row: Row, expected: Sequence[ExpectedQuality], spreads: Floats
) -> Iterator[RuleWarning]:
    """Warn where no approach is expected to reach what users need."""
    required, best = KnownFacts(row).get("required_quality"), decision.leader
    reached = None if best is None else expected[best.place].score
    if best is None or reached is None or required is None or reached >= required:
        return
    spread = float(spreads[best.place, Approach.PROMPTING.place])
    if not spread:
        told = (
            f"Users need {required:.0%}, and nothing that is built on today's prompt is expected to do better than its "
            f"{reached:.0%}. Nobody knows yet what work on that prompt adds: try it first"
        )
    else:
        chance = 0.5 * math.erfc(100 * (required - reached) / spread / math.sqrt(2))
        told = (
            f"No approach is expected to reach the {required:.0%} that users need: {best}, the best, is expected at "
            f"{reached:.0%}, and gets there {_chance(chance)}"
        )
        told += (
            ". More and better examples may help"
            if best.trained
            else ". Better documents and search may help"
        )
    yield RuleWarning(
        "out-of-reach", f"{told}; or have it say where it is unsure, and somebody decide that.", ()
    )


def _bounded_by_search(decision: Recommendation, row: Row) -> Iterator[RuleWarning]:
    """Warn where users need more than search lets any model that reads passages reach."""
    known = KnownFacts(row)
    required, found = known.get("required_quality"), known.get("retrieval_hit_rate")
    taken = decision.approach or decision.leader
    if required is None or found is None or taken is None or not taken.retrieves:
        return
    without = 0.0 if known.get("needs_citations") else known.get("closed_book_score") or 0.0
    most = found + (1 - found) * without
    if most >= required:
        return
    rest = f", and the model knows {without:.0%} of the rest at best" if without else ""
    makes = "can rest on a passage" if not without else "can be right"
    text = (
        f"Search finds {found:.0%}{rest}: no more than {most:.0%} of the answers {makes}, though every passage be read "
        f"without error, and users need {required:.0%}. Raise search before anything else."
    )
    yield RuleWarning("search-bounds-quality", text, ())


def _chance(share: float) -> str:
    """Say a chance below one in two as people do."""
    if share < 1 / 20:
        return "hardly ever"
    return f"about one time in {round(1 / share)}" if share < 0.4 else "less often than not"


def _over_budget(decision: Recommendation, row: Row, cost: CostEstimate) -> Iterator[RuleWarning]:
    """Warn where what is to be taken costs more than there is, and say what does not."""
    budget, taken = KnownFacts(row).get("monthly_budget"), decision.approach or decision.leader
    if taken is None or budget is None or not cost.approaches[taken.place].over_budget:
        return
    month = cost.approaches[taken.place].per_month_usd
    within = [
        score.approach
        for score in decision.scores
        if score.feasible and not cost.approaches[score.approach.place].over_budget
    ]
    instead = f"{' and '.join(within)} would not" if within else "so does everything else"
    text = (
        f"{taken} costs about ${month:,.0f} a month, more than the budget of ${budget:,.0f}; {instead}. "
        "Check the assumptions of the estimate that weigh most, or raise the budget, before building it."
    )
    yield RuleWarning("over-budget", text, ())


def _kept(decision: Recommendation, outlook: Outlook) -> float:
    """Return the share of worlds in which the decision stays."""
    taken = decision.approach
    return 1.0 - sum(outlook.shares) if taken is None else outlook.shares[taken.place]


def _questions(outlook: Outlook, kept: float) -> Iterator[Question]:
    """Yield what is worth asking; where the decision hangs on what is unknown, the first of it in any case."""
    for place, (name, saved) in enumerate(outlook.saved):
        if saved < _LEAST_SAVED and not (place == 0 and kept < SHAKY):
            break
        item = fact(name)
        choices = ("yes", "no") if item.kind == "flag" else item.choices
        yield Question(name, item.question, item.measure, saved, choices)
