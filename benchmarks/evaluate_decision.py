"""Evaluate the decision by leaving one source out, train the classifier that is shipped, write `docs/evaluation.md`.

    python benchmarks/evaluate_decision.py

Deterministic; takes some minutes, nearly all of them for gradient boosting. Needs the extra `learn`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: on data this small, threads only wait for each other

from collections.abc import Mapping, Sequence
from pathlib import Path

from advisor.cases import Case, default_cases_path, load_default_cases
from advisor.classifier import default_classifier_path, save_classifier
from advisor.evaluation import (
    METRICS,
    HiddenFact,
    always,
    as_method,
    difference,
    evaluate,
    hide_in_cases,
    hide_in_worlds,
    leave_one_source_out,
    majority,
    thumb,
)
from advisor.evidence import APPROACHES
from advisor.rulefile import load_default_rules
from advisor.scoring import Scorer
from advisor.selection import FAMILIES, SHIPPED, Configuration, Family, HoldingOut, Outcome, Study, fingerprint, ship

REPORT = Path(__file__).resolve().parent.parent / "docs" / "evaluation.md"
MAIN: HoldingOut = "shares"
READINGS: Mapping[HoldingOut, str] = {
    "alone": "drop the rules that rest on it alone",
    "shares": "and take its share of the evidence from the others",
    "any": "drop every rule that names it",
}
FIXED_WEIGHTS = (0.25, 0.5, 1.0)


def main() -> None:
    """Choose, train, save, evaluate, write."""
    study = Study(load_default_cases(), load_default_rules())
    estimator, classifier, chosen = ship(study)
    classifier = save_classifier(estimator, classifier, default_classifier_path(), default_cases_path())
    print(f"classifier {classifier.digest[:16]}: {chosen}")
    outcomes = baselines(study.cases)
    for family in FAMILIES:
        outcomes[f"{family.name}"] = leave_one_source_out(study.cases, as_method(study, family, MAIN))
        print(f"{family.name}: {evaluate(study.cases, outcomes[family.name])['best or within 3']}", flush=True)
    REPORT.write_text(report(study, outcomes, chosen, classifier.digest), encoding="utf-8")
    print(f"wrote {REPORT}")


def baselines(cases: Sequence[Case]) -> dict[str, Outcome]:
    """Return what the baselines decide."""
    methods = {"always RAG": always("RAG"), "majority of the training cases": majority(), "rule of thumb": thumb()}
    return {name: leave_one_source_out(cases, method) for name, method in methods.items()}


def report(study: Study, outcomes: Mapping[str, Outcome], chosen: Configuration, digest: str) -> str:
    """Return the page."""
    shipped = outcomes[SHIPPED.name]
    temperature = study.knowledge.decision.temperature
    parts = [
        HEAD.format(
            cases=len(study.cases),
            sources=len(study.sources),
            rules=sum(rule.kind == "evidence" for rule in study.knowledge.rules),
            weight=chosen.weight,
            setting=chosen.setting,
            temperature=chosen.temperature,
            stated=temperature,
            digest=digest[:16],
            fingerprint=fingerprint(study.knowledge)[:16],
        ),
        "## The comparison\n",
        metric_table(study.cases, outcomes),
        "\nShare best or within 3 points, what is shipped less the baseline, on the same resamples of sources:\n",
        table(
            ("baseline", "difference [95%]"),
            [(name, difference(study.cases, shipped, outcomes[name])) for name in list(outcomes)[:3]],
        ),
        READING_HEAD,
        readings_table(study, outcomes),
        WEIGHT_HEAD,
        weights_table(study),
        "\n## Case by case\n\nThe leader, `?` where the outcome would be UNDECIDED, **bold** where not acceptable.\n",
        case_table(study.cases, outcomes),
        HIDDEN_CASES_HEAD,
        hidden_table(hide_in_cases(study, SHIPPED, MAIN), "right"),
        HIDDEN_WORLDS_HEAD,
        hidden_table(hide_in_worlds(Scorer(study.knowledge)), "leaders changed"),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def metric_table(cases: Sequence[Case], outcomes: Mapping[str, Outcome]) -> str:
    """Return every metric of every method."""
    rows = [(name, *evaluate(cases, outcome).values()) for name, outcome in outcomes.items()]
    return table(("", *METRICS), rows)


def readings_table(study: Study, outcomes: Mapping[str, Outcome]) -> str:
    """Return what is shipped, and the rules alone, by every reading of what rules lose."""
    rows = []
    for how, meaning in READINGS.items():
        knowing = [
            len(study.knowledge.rules) - len(study.holding_out(how).rules_without(source)) for source in study.sources
        ]
        outcome = leave_one_source_out(study.cases, as_method(study, SHIPPED, how))
        figures = evaluate(study.cases, outcome)
        against = difference(study.cases, outcome, outcomes["rule of thumb"])
        rows.append((meaning, f"{min(knowing)} to {max(knowing)}", *(figures[name] for name in KEY), against))
    return table(("a source held out means", "rules dropped", *KEY, "less the rule of thumb"), rows)


def weights_table(study: Study) -> str:
    """Return what fixed weights of the classifier would do."""
    rows = []
    for weight in (0.0, *FIXED_WEIGHTS):
        family = Family("", True, SHIPPED.learner, SHIPPED.settings, (weight,))
        outcome = leave_one_source_out(study.cases, as_method(study, family, MAIN))
        figures = evaluate(study.cases, outcome)
        rows.append((f"{weight:g}", *(figures[name] for name in KEY)))
    return table(("weight", *KEY), rows)


def case_table(cases: Sequence[Case], outcomes: Mapping[str, Outcome]) -> str:
    """Return every method's leader for every case."""
    names = list(outcomes)[2:]
    rows = []
    for index, case in enumerate(cases):
        right = [name for name in APPROACHES if name in case.acceptable and name != case.best]
        said = [marked(outcomes[name], index, case) for name in names]
        rows.append((case.id, case.source.id, case.best, ", ".join(right), *said))
    return table(("case", "source", "best", "also acceptable", *names), rows)


def marked(outcome: Outcome, index: int, case: Case) -> str:
    """Return a leader with its marks."""
    leader = outcome.leaders[index]
    text = f"{leader} {outcome.probabilities[:, index].max():.2f}{'' if outcome.decided[index] else ' ?'}"
    return text if leader in case.acceptable else f"**{text}**"


def hidden_table(found: Sequence[HiddenFact], change: str) -> str:
    """Return what hiding each fact does, most first."""
    ordered = sorted(found, key=lambda item: -item.moved)
    sign = "+.2f" if change == "right" else ".2f"
    return table(
        ("fact hidden", "known in", change, "probability moved"),
        [(item.fact, item.known, format(item.change, sign), f"{item.moved:.3f}") for item in ordered],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


KEY = ("best or within 3", "log loss", "ECE", "decided", "right where decided")

HEAD = """PLACEHOLDER {cases} {sources} {rules} {weight} {setting} {temperature} {stated} {digest} {fingerprint}"""
READING_HEAD = "## R\n"
WEIGHT_HEAD = "## W\n"
HIDDEN_CASES_HEAD = "## H\n"
HIDDEN_WORLDS_HEAD = "## H2\n"

if __name__ == "__main__":
    main()
