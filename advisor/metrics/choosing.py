"""Which metric is the quality of a trial, and every metric by the name that a user gives."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from advisor.errors import ConfigurationError, InvalidInput
from advisor.knowledge.facts import fact
from advisor.metrics.abstention import Abstention
from advisor.metrics.chrf import ChrF
from advisor.metrics.citations import Citations
from advisor.metrics.exact_match import ExactMatch
from advisor.metrics.holds import Holds
from advisor.metrics.json_values import NOTHING, parsed
from advisor.metrics.labels import Accuracy
from advisor.metrics.outputs import Metric
from advisor.metrics.rouge import RougeL
from advisor.metrics.similarity import Embed, Similarity
from advisor.metrics.structure import Structure
from advisor.metrics.structured_equality import StructuredEquality
from advisor.metrics.token_f1 import TokenF1
from advisor.metrics.words import count_words

__all__ = ["METRICS", "metric_named", "primary_metric"]

METRICS: Mapping[str, type[Metric]] = {
    each.name: each
    for each in (
        Abstention,
        Accuracy,
        ChrF,
        Citations,
        ExactMatch,
        Holds,
        RougeL,
        Similarity,
        Structure,
        StructuredEquality,
        TokenF1,
    )
}
"""Every metric by its name."""

_LIBRARIES = {ChrF.name: "sacrebleu", RougeL.name: "rouge_score", Structure.name: "jsonschema"}
_LONGEST_VALUE = 8  # words: values, names and short phrases, which an answer can hold as they are
_LONGEST_ANSWER = 50  # words: a sentence or two, whose order matters little


def primary_metric(form: str, rights: Sequence[str | None]) -> Metric:
    """Return the metric that is the quality of a trial.

    * LABEL: accuracy.
    * STRUCTURED: the same JSON value; an exact match where most right answers are not JSON.
    * CODE, STYLE: chrF, which counts every character: of the metrics compared by Evtikhiev et al. (2023,
      arXiv:2208.03133) it agrees with people better than BLEU and CodeBLEU on code.
    * FREE_TEXT, or unknown: by the median length of the right answers, whether the answer holds it, token F1 for
      sentences, which can be said in other words, and ROUGE-L for longer texts, where order tells.

    Where no question has a right answer, it is whether answers abstain.

    Args:
        form: The output form, as `Facts.output_form` has it; empty where unknown.
        rights: The right answers; None or blank for questions without one.

    Raises:
        InvalidInput: There is no such form.
        ConfigurationError: A library that the metric needs is not installed.
    """
    forms = fact("output_form").choices
    if form and form not in forms:
        raise InvalidInput.of("output_form", f"{form!r} is none; give one of {', '.join(forms)}, or none")
    return metric_named(_primary(form, [right for right in rights if right and right.strip()]))


def metric_named(name: str, *, schema: str | None = None, embed: Embed | None = None) -> Metric:
    """Return the metric of a name.

    Args:
        name: One of `METRICS`.
        schema: JSON schema that `structure` checks answers by; any JSON is valid where None.
        embed: Embedder that `similarity` compares by.

    Raises:
        InvalidInput: There is no such metric, the schema is none, or there is no embedder to compare by.
        ConfigurationError: A library that the metric needs is not installed.
    """
    if name not in METRICS:
        raise InvalidInput.of("metric", f"{name!r} is none; give one of {', '.join(METRICS)}")
    library = _LIBRARIES.get(name)
    if library and find_spec(library) is None:
        raise ConfigurationError(
            f"the metric {name} needs {library}, not installed here; run pip install 'rag-or-tune[learn]'"
        )
    if name == Structure.name:
        return Structure(schema)
    if name != Similarity.name:
        return METRICS[name]()
    if embed is None:
        raise InvalidInput.of(
            "metric", f"{name} needs an embedder, and there is none; name one, or another metric"
        )
    return Similarity(embed)


def _primary(form: str, rights: Sequence[str]) -> str:
    if not rights:
        return Abstention.name
    if form == "LABEL":
        return Accuracy.name
    if form == "STRUCTURED":
        are_json = sum(parsed(right) is not NOTHING for right in rights) * 2 > len(rights)
        return StructuredEquality.name if are_json else ExactMatch.name
    if form in ("CODE", "STYLE"):
        return ChrF.name
    length = statistics.median(map(count_words, rights))
    if length <= _LONGEST_VALUE:
        return Holds.name
    return TokenF1.name if length <= _LONGEST_ANSWER else RougeL.name
