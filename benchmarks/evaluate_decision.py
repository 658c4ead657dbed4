"""Evaluate the decision by leaving one source out, train the model that is shipped, write `docs/evaluation.md`.

    python benchmarks/evaluate_decision.py [--rules FILE --only-print]

Deterministic; takes some two minutes. Needs the extra `learn`. With `--rules` another knowledge base is evaluated,
such as one of an earlier commit; with `--only-print` the page is printed, and neither it nor the model is written.
"""

from __future__ import annotations

import os

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # before numpy: on data this small, threads only wait for each other

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from advisor.decision.gains import default_gains_path, save_gains
from advisor.decision.rulebook import Rulebook
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import MARGIN_POINTS, default_cases_paths, load_default_cases
from advisor.knowledge.rulefile import default_rules_paths, load_rules
from advisor.learning.evaluation import (
    NOT_MEASURED,
    RESAMPLES,
    Choices,
    Resampling,
    always,
    coverage,
    first_steps,
    leading,
    learning_curve,
    of_rule,
    rule_of_thumb,
    taking,
)
from advisor.learning.references import REFERENCES, leave_one_out
from advisor.learning.selection import FAMILIES, SHIPPED, Choice, Outcome, Study, ship

REPORT = Path(__file__).resolve().parent.parent / "docs" / "evaluation.md"
THUMB = "rule of thumb"
LARGE_LOSS = 5.0
SIZES, DRAWS = (6, 12, 24, 36), 6


def main() -> None:
    """Choose, train, save, evaluate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=Path, help="rules to evaluate in place of the shipped ones")
    parser.add_argument("--only-print", action="store_true", help="write nothing")
    asked = parser.parse_args()
    rules, *others = default_rules_paths()
    knowledge = load_rules(asked.rules or rules, *others)
    study = Study([case for case in load_default_cases() if len(case.measured) > 1], knowledge)
    model, choice = ship(study)
    if not asked.only_print:
        model = save_gains(model, default_gains_path(), default_cases_paths())
    print(f"model {model.digest[:16]}: {choice}", flush=True)
    outcomes: dict[str, Outcome] = {}
    chosen: dict[str, Mapping[str, Choice]] = {}
    for family in FAMILIES:
        outcomes[family.name], chosen[family.name] = study.leave_one_out(family)
        print(f"{family.name}: done", flush=True)
    page = report(study, outcomes, chosen, choice, model.digest)
    if asked.only_print:
        print(page)
    else:
        REPORT.write_text(page, encoding="utf-8")
        print(f"wrote {REPORT}")


def report(
    study: Study,
    outcomes: Mapping[str, Outcome],
    chosen: Mapping[str, Mapping[str, Choice]],
    choice: Choice,
    digest: str,
) -> str:
    """Return the page."""
    resampling = Resampling([case.source.id for case in study.cases])
    leaders = {name: leading(study, outcome.points) for name, outcome in outcomes.items()}
    for name, make in REFERENCES.items():
        leaders[name] = leading(study, leave_one_out(study, make))
    fixed = {THUMB: of_rule(study, rule_of_thumb)}
    fixed |= {f"always {each}": of_rule(study, always(each)) for each in APPROACHES}
    shipped = outcomes[SHIPPED.name]
    taken = {
        f"{SHIPPED.name}: leader": leaders[SHIPPED.name],
        "the same, among what was measured": taking(study, shipped.points, among_measured=True),
        f"{SHIPPED.name}: approach": taking(study, shipped.points, among_measured=False),
        f"{SHIPPED.name}: first step of the plan": first_steps(study, shipped),
        THUMB: fixed[THUMB],
    }
    curve = learning_curve(study, SIZES, DRAWS)
    parts = [
        HEAD.format(
            cases=len(study.cases),
            every=len(load_default_cases()),
            sources=len(study.sources),
            read=sum(case.collection == "published" for case in study.cases),
            rules=sum(rule.kind == "evidence" for rule in study.knowledge.rules),
            digest=digest[:16],
            margin=MARGIN_POINTS,
            resamples=RESAMPLES,
            tolerance=study.knowledge.decision.tolerance,
        ),
        "\n## What it says\n",
        verdict(resampling, leaders, fixed),
        LEADER_HEAD,
        leader_table(study, resampling, leaders, outcomes),
        FIXED_HEAD,
        fixed_table(resampling, leaders[SHIPPED.name], fixed),
        APPROACH_HEAD,
        taken_table(resampling, taken),
        "\n## By collection, number of arms and task\n\nThe leader among the arms measured.\n",
        groups_table(study, leaders),
        LOSSES_HEAD.format(large=LARGE_LOSS),
        losses_table(study, leaders[SHIPPED.name]),
        CURVE_HEAD.format(draws=DRAWS),
        table(
            ("sources learned from", "regret", "right"),
            [(size, f"{regret:.2f}", f"{right:.2f}") for size, (regret, right) in curve.items()],
        ),
        MODEL_HEAD,
        model_table(study, choice, chosen[SHIPPED.name]),
        "\n## By source\n\nPoints lost by the leader among the arms measured, and share right.\n",
        sources_table(study, leaders),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def verdict(resampling: Resampling, leaders: Mapping[str, Choices], fixed: Mapping[str, Choices]) -> str:
    """Return the reading in words, from the figures."""
    shipped, rules, thumb = leaders[SHIPPED.name], leaders["rules"], fixed[THUMB]
    gap = resampling.mean(rules.regret - shipped.regret)
    word = "" if gap.low > 0 else ", which may be chance: the interval includes 0"
    both = thumb.scored
    own, other = shipped.regret[both].mean(), thumb.regret[both].mean()
    return VERDICT.format(
        own=shipped.regret.mean(),
        right=shipped.right.mean(),
        rules=rules.regret.mean(),
        rules_right=rules.right.mean(),
        gap=gap,
        word=word,
        both=int(both.sum()),
        thumb=other,
        there=own,
        less=1 - own / other,
        alone=leaders["model"].regret.mean(),
        alone_right=leaders["model"].right.mean(),
    )


def leader_table(
    study: Study, resampling: Resampling, leaders: Mapping[str, Choices], outcomes: Mapping[str, Outcome]
) -> str:
    """Return how the approach with the most points fares, among the arms that a case measured."""
    several = study.measured.among.sum(axis=0) > 1
    rows = []
    for name, choices in leaders.items():
        outcome = outcomes.get(name)
        if outcome is None:
            told = ("", "")
        else:
            loss = study.measured.log_loss(outcome.points, outcome.temperature)
            told = (
                resampling.mean(np.where(several, loss, np.nan)),
                resampling.mean(coverage(study, outcome)),
            )
        rows.append((name, resampling.mean(choices.regret), resampling.mean(choices.right), *told))
    return table(("", "points lost", "right", "log loss", "in the 80% interval"), rows)


def fixed_table(resampling: Resampling, shipped: Choices, fixed: Mapping[str, Choices]) -> str:
    """Return how what needs no learning fares, and what is shipped on the same cases."""
    rows = []
    for name, choices in fixed.items():
        both = choices.scored
        rows.append(
            (
                name,
                int(both.sum()),
                resampling.mean(choices.regret),
                resampling.mean(np.where(both, shipped.regret, np.nan)),
                resampling.mean(choices.regret - shipped.regret),
                resampling.mean(choices.right),
            )
        )
    return table(
        (
            "",
            "cases that measured it",
            "points lost",
            "rules + model there",
            "difference",
            "right, of all cases",
        ),
        rows,
    )


def taken_table(resampling: Resampling, taken: Mapping[str, Choices]) -> str:
    """Return how the approach that is taken fares, what was not measured apart."""
    rows = []
    for name, choices in taken.items():
        undecided = int((choices.places == NOT_MEASURED).sum())
        rows.append(
            (
                name,
                int(choices.scored.sum()),
                len(choices.places) - int(choices.scored.sum()) - undecided,
                undecided,
                resampling.mean(choices.regret),
                resampling.mean(np.where(choices.scored, choices.right, np.nan)),
            )
        )
    return table(
        ("", "measured", "not measured", "undecided", "points lost where measured", "right where measured"),
        rows,
    )


def groups_table(study: Study, leaders: Mapping[str, Choices]) -> str:
    """Return regret and share right by what cases have in common."""
    arms = study.measured.among.sum(axis=0)
    groups: dict[str, list[int]] = {}
    for index, case in enumerate(study.cases):
        for name in (
            f"file {case.collection}",
            f"{arms[index]} arms",
            f"task {case.facts.get('task', 'unknown')}",
        ):
            groups.setdefault(name, []).append(index)
    names = [family.name for family in FAMILIES]
    rows = [
        (group, len(found), *(_both(leaders[name], found) for name in names))
        for group, found in sorted(groups.items())
    ]
    return table(("", "cases", *names), rows)


def sources_table(study: Study, leaders: Mapping[str, Choices]) -> str:
    """Return regret and share right by source."""
    sources = [case.source.id for case in study.cases]
    names = [family.name for family in FAMILIES]
    rows = []
    for source in study.sources:
        found = [index for index, name in enumerate(sources) if name == source]
        rows.append((source, len(found), *(_both(leaders[name], found) for name in names)))
    return table(("source", "cases", *names), rows)


def losses_table(study: Study, choices: Choices) -> str:
    """Return the cases that lose most, with the rule that puts what was chosen furthest ahead."""
    rows = []
    book = Rulebook(study.scorer)
    order = np.argsort(-np.nan_to_num(choices.regret))
    for index in [each for each in order.tolist() if choices.regret[each] > LARGE_LOSS]:
        case, place = study.cases[index], int(choices.places[index])
        best = int(np.nanargmax(study.measured.score[:, index]))
        fired = list(book.fired("evidence", study.scorer.score(case.row[None, :]), 0))
        cause = max(fired, key=lambda rule: rule.log_odds[place] - rule.log_odds[best], default=None)
        told = (
            f"{cause.id} ({cause.log_odds[place] - cause.log_odds[best]:+.2f} nats)" if cause else "no rule"
        )
        rows.append((case.id, APPROACHES[best], APPROACHES[place], f"{choices.regret[index]:.1f}", told))
    return table(("case", "best measured", "said", "points lost", "what spoke for it most"), rows)


def model_table(study: Study, choice: Choice, folds: Mapping[str, Choice]) -> str:
    """Return what the model that is shipped has learned."""
    model = study.train(choice)
    rows: list[tuple[object, ...]] = [("slope", "points per nat of the rules", f"{model.slope:.2f}")]
    rows += [(name, "before any fact is known", f"{points:+.2f}") for name, points in model.offsets.items()]
    for term in model.terms:
        subject = term.curve.subject + (f", else {term.instead.subject}" if term.instead else "")
        ends = (
            f"{term.weight * term.curve.points[0][1]:+.2f} to {term.weight * term.curve.points[-1][1]:+.2f}"
        )
        rows.append((term.component, subject, ends if term.weight else "0"))
    told = Counter(f"scale {each.scale:g}, temperature {each.temperature:g}" for each in folds.values())
    often = "; ".join(f"{name}: {count}" for name, count in told.most_common())
    return (
        table(("component", "of what", "points"), rows)
        + f"\nShipped: scale {choice.scale:g}, temperature {choice.temperature:g}, standard deviation "
        f"{choice.variances.within:g} points within a source and {choice.variances.between:g} between sources. "
        f"Chosen within the folds: {often}.\n"
    )


def _both(choices: Choices, found: Sequence[int]) -> str:
    return f"{choices.regret[found].mean():.2f}, {choices.right[found].mean():.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


HEAD = """
# How good the decision is

Made by `make evaluate`, which also trains the model that is shipped; do not edit.

{cases} published cases of {sources} sources that measured two arms or more, of {every} in all; {rules} rules that give
evidence; model `{digest}`.

## How to read it

* **Points lost** (regret): how far what was chosen lies below the best arm that a case measured. **Right**: less than
  {margin:g} points below. Most cases measure two or three arms, and "best" tells mostly which; what carries over is the
  difference between arms. A choice that was not measured is not scored, and never right. NAIVE_BOTH, a tuned model that
  was given passages it was not trained on, stands in for HYBRID where that was not measured, which understates HYBRID.
* **Leave one source out.** Cases of one source are not independent. Each source in turn is held out; weights, their
  regularisation, variances and temperature are learned and chosen on the others, again by leaving one of them out.
  What is shipped is chosen by the same procedure from all sources.
* **What has seen the cases.** Who wrote the first rules had read the {read} cases of `published.yaml`, not those of
  `published-2.yaml`. The facts and signs that the model may use were written down by people who had seen both files;
  and which components share a fact was settled after some thirty variants had been measured as below (1.65 to 2.1
  points lost), so the figure of the one that was kept flatters it a little. A test on cases that nobody knew is still
  to come: only new trials are one.
* **The rules have been mended since.** As they were before anyone had looked at what they lose on `published-2.yaml`
  (9b7962b), rules and model lost 1.65 points and were right in 0.850, the rules alone 2.33 and 0.776; 83b6dd7 is the
  last commit that reads rules of that form (`--rules`). Below they are as they are now, and have seen the cases: two
  facts, `label_count` and `stronger_prompted_model`, and their rules came out of what was lost on them, and some
  twenty variants were measured on the way.
* Brackets are 95% intervals from {resamples:,} resamples of the sources.
"""
VERDICT = """
* Rules and model lose {own:.2f} points to the best measured arm and are right in {right:.3f}; the rules alone lose
  {rules:.2f} and are right in {rules_right:.3f}. The model saves {gap} points{word}.
* On the {both} cases that measured what the rule of thumb says, it loses {thumb:.2f} points, rules and model
  {there:.2f}: {less:.0%} less.
* Learned from cases alone, without rules: {alone:.2f} points lost, right in {alone_right:.3f}.
"""
LEADER_HEAD = """
## The leader, among the arms that a case measured

Log loss is of the probability given to what is right. The last column is the share of measured differences between two
arms that lie within the 80% interval told for them. The Gaussian process and the boosted trees are for reference; their
settings were not chosen within the folds.
"""
FIXED_HEAD = """
## Against what needs no learning

On the cases that measured what the baseline says.
"""
APPROACH_HEAD = """
## The approach that is taken

Of those that are not expected to lose more than the tolerance, 3 points, to the best, the easiest to keep. It gives
away a little quality for less to build and keep. The first step is what the plan begins with, to be measured before
more is built; work on the prompt that advice puts before it is left aside. Choices that a case did not measure are
counted apart.
"""
LOSSES_HEAD = """
## Losses of more than {large:g} points
"""
CURVE_HEAD = """
## Learning curve

Rules and model, learned from some sources and measured on all others; means of {draws} draws.
"""
MODEL_HEAD = """
## What was learned

Points at both ends of each fact's curve, for the approaches of the component: `build` is RAG, FINE_TUNING and HYBRID,
`retrieval` RAG and HYBRID, `training` FINE_TUNING and HYBRID, `training_alone` FINE_TUNING, `both` HYBRID. A weight of
0 is held there by the sign that is promised: the rules say enough of that fact.
"""

if __name__ == "__main__":
    main()
