"""What published and measured cases teach: how far apart the approaches are, in points of quality.

    points(a) = slope rules(a) + offset(a) + sum over terms of weight x curve of a fact

A point is one per cent of the score that a case measured: accuracy, F1, the share of right answers. Points count as
differences alone, between approaches for one use case. A term belongs to a component, what several approaches have in
common, such as the retrieval of RAG and HYBRID. Its curve is piecewise linear on the fact's scale, and 0 where the
fact is unknown, so that terms add up and flips stay exact.

`advisor.learning.gains` trains it; decisions read `data/gains.json` and need no scikit-learn, whose import takes
longer than a decision may.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from advisor.decision.curves import Curves
from advisor.errors import ConfigurationError
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import default_cases_paths
from advisor.knowledge.facts import fact, fact_index
from advisor.knowledge.rules import Curve
from advisor.knowledge.scale import scale_floor
from backends.models.hashes import file_sha256

__all__ = [
    "COMPONENTS",
    "TWO_SIDED_80",
    "GainModel",
    "Term",
    "TermCurves",
    "default_gains_path",
    "load_gains",
    "membership",
    "read_gains",
    "read_learned",
    "save_gains",
]

TWO_SIDED_80 = 1.2816
"""Standard deviations to either side of the mean that hold 80% of a normal distribution."""
_USUAL = 8.0
"""Points: of a nat, and of how results differ, where nothing was learned."""
REFRESH = "run `make evaluate` to make it again"
RELEARN = "run `advisor learn` to make it again, or remove it"

COMPONENTS: Mapping[str, tuple[Approach, ...]] = MappingProxyType(
    {
        "build": (Approach.RAG, Approach.FINE_TUNING, Approach.HYBRID),
        "retrieval": (Approach.RAG, Approach.HYBRID),
        "training": (Approach.FINE_TUNING, Approach.HYBRID),
        "training_alone": (Approach.FINE_TUNING,),
        "both": (Approach.HYBRID,),
    }
)
"""What approaches have in common, and which have it; what applies to PROMPTING too would tell nothing apart."""


@dataclass(frozen=True, slots=True)
class Term:
    """What one fact adds to the approaches of a component.

    Attributes:
        component: A key of `COMPONENTS`.
        curve: Of the fact, at most about 1 from end to end.
        instead: The same of another fact, read where the first is unknown.
        weight: Points for each unit of the curve.
    """

    component: str
    curve: Curve
    instead: Curve | None = None
    weight: float = 0.0

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Every curve that it reads."""
        return (self.curve,) if self.instead is None else (self.curve, self.instead)


@dataclass(frozen=True, slots=True)
class GainModel:
    """A trained model of differences between approaches.

    Attributes:
        slope: Points per nat of the rules' evidence.
        offsets: Points per component before any fact is known.
        terms: What facts add.
        covariance: Of slope, offsets in the order of `COMPONENTS` and terms, in points squared.
        between: Standard deviation of an approach's points from source to source.
        within: Standard deviation of an approach's points among the cases of a source.
        temperature: Points that stand for one nat in the probability that an approach is best.
        scale: Prior standard deviation of the weights, which regularises them.
        digest: SHA-256 of the file it was read from, in hexadecimal; empty before it is saved.
    """

    slope: float
    offsets: Mapping[str, float]
    terms: tuple[Term, ...]
    covariance: Floats = field(compare=False, repr=False)
    between: float
    within: float
    temperature: float
    scale: float
    digest: str = ""

    @classmethod
    def of_rules_alone(cls) -> GainModel:
        """Return a model that has learned nothing: a nat of the rules is worth what is usual, and nothing is added."""
        return cls(_USUAL, {}, (), np.zeros((1, 1)), _USUAL, _USUAL, _USUAL, _USUAL)

    @property
    def approach_offsets(self) -> Floats:
        """Points per approach before any fact is known, shape (approaches,)."""
        return np.array(
            [
                sum(self.offsets.get(name, 0.0) for name, members in COMPONENTS.items() if each in members)
                for each in APPROACHES
            ]
        )

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Every curve that its terms read."""
        return tuple(curve for term in self.terms for curve in term.curves)

    @property
    def weights(self) -> Floats:
        """Points per approach for each unit of a term's curve, shape (approaches, terms)."""
        bears = membership([term.component for term in self.terms])
        weights: Floats = bears * np.array([term.weight for term in self.terms])
        return weights

    def spreads(self, inputs: Floats) -> Floats:
        """Return how far measured differences between approaches may be from those of the points.

        What the weights leave open, and how sources and cases differ beside.

        Args:
            inputs: What slope, offsets and weights multiply, shape (approaches, ..., parameters).

        Returns:
            Standard deviations in points, shape (approaches, approaches, ...).
        """
        apart = inputs[:, None] - inputs[None, :]
        learned = (apart @ self.covariance * apart).sum(axis=-1)
        spreads: Floats = np.sqrt(learned + 2 * (self.between**2 + self.within**2))
        return spreads


class TermCurves:
    """The curves of terms, evaluated together; those that read the same come once."""

    def __init__(self, terms: Sequence[Term]) -> None:
        # Those with a stand-in first, and of those beside it the logarithmic ones last: slices are faster than places.
        read = {(term.curve, term.instead): None for term in terms}
        ordered = sorted(read, key=lambda pair: (pair[1] is None, fact(pair[0].subject).logarithmic))
        stand_ins = [instead for _, instead in ordered if instead is not None]
        curves = [*stand_ins, *(curve for curve, _ in ordered)]
        self._places = np.array([ordered.index((term.curve, term.instead)) for term in terms], dtype=np.intp)
        self._curves = Curves(curves)
        self._instead = len(stand_ins)
        # Only what these curves read is put on its scale: deciding about one use case is mostly calls.
        items = [fact(curve.subject) for curve in curves]
        self._rows = np.array([fact_index()[item.name] for item in items], dtype=np.intp)
        places = [place for place, item in enumerate(items) if item.logarithmic]
        together = places == list(range(len(items) - len(places), len(items)))
        self._logarithmic = slice(len(items) - len(places), None) if together else np.array(places)
        self._floors = np.array([scale_floor(items[place]) for place in places])[:, None]

    def __call__(self, columns: Floats) -> Floats:
        """Evaluate, from columns of shape (facts, n), to shape (terms, n); 0 where unknown."""
        return self.distinct(columns).take(self._places, axis=0)

    def distinct(self, columns: Floats) -> Floats:
        """Evaluate each that is read once, to shape (read, n); 0 where unknown."""
        scaled = columns.take(self._rows, axis=0)
        scaled[self._logarithmic] = np.log(np.maximum(scaled[self._logarithmic], self._floors))
        values = self._curves(scaled)
        count = self._instead
        found = values[count:]
        if count:
            np.copyto(found[:count], values[:count], where=np.isnan(found[:count]))
        found[np.isnan(found)] = 0.0
        return found

    def summed(self, weights: Floats) -> Floats:
        """Return weights of terms, shape (..., terms), as weights of what is read, shape (..., read)."""
        read = np.zeros((len(self._places), len(self._rows) - self._instead))
        read[np.arange(len(self._places)), self._places] = 1.0
        summed: Floats = weights @ read
        return summed


def membership(components: Sequence[str]) -> Floats:
    """Return 1 where an approach has a component, else 0, shape (approaches, components)."""
    found = [[float(each in COMPONENTS[name]) for name in components] for each in APPROACHES]
    return np.array(found).reshape(len(APPROACHES), len(components))


def default_gains_path() -> Path:
    """Return the model that the package ships."""
    return Path(__file__).resolve().parents[1] / "data" / "gains.json"


@cache
def load_gains() -> GainModel:
    """Load the model that the package ships, once."""
    return read_gains(default_gains_path(), default_cases_paths())


def save_gains(
    model: GainModel, path: Path, cases_paths: Sequence[Path], learned_from: Mapping[str, int] | None = None
) -> GainModel:
    """Write a model, whole or not at all; the same model gives the same bytes.

    Args:
        model: What was trained.
        path: Where to.
        cases_paths: The files it was trained on, whose hashes are kept.
        learned_from: How many cases of which kind it was trained on beside; None for the model that is shipped.

    Raises:
        OSError: It cannot be written.
    """
    data = {
        "approaches": list(APPROACHES),
        "slope": model.slope,
        "offsets": dict(model.offsets),
        "terms": [
            {
                "component": term.component,
                "fact": term.curve.subject,
                "points": term.curve.points,
                **(
                    {"instead": term.instead.subject, "instead_points": term.instead.points}
                    if term.instead
                    else {}
                ),
                "weight": term.weight,
            }
            for term in model.terms
        ],
        "covariance": model.covariance.tolist(),
        "between": model.between,
        "within": model.within,
        "temperature": model.temperature,
        "scale": model.scale,
        "cases_sha256": [file_sha256(each) for each in cases_paths],
        **({"learned_from": dict(learned_from)} if learned_from is not None else {}),
    }
    text = json.dumps(data, indent=1) + "\n"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
    return replace(model, digest=hashlib.sha256(text.encode()).hexdigest())


def read_gains(path: Path, cases_paths: Sequence[Path]) -> GainModel:
    """Read a model, and check that it was trained on these cases.

    Raises:
        ConfigurationError: The file is missing or broken, or the cases are others.
    """
    data, content = _read_json(path, REFRESH)
    _check_cases(data.get("cases_sha256"), cases_paths, path)
    return _model(data, content, path, REFRESH)


def read_learned(path: Path) -> GainModel:
    """Read a model that was learned from cases of one's own beside those of the package, of whichever version.

    Raises:
        ConfigurationError: The file is missing or broken, or of facts, components or approaches that are no more.
    """
    data, content = _read_json(path, RELEARN)
    return _model(data, content, path, RELEARN)


def _model(data: Mapping[str, Any], content: bytes, path: Path, refresh: str) -> GainModel:
    """Return what a file holds; ConfigurationError where that does not fit."""
    try:
        terms = tuple(_read_term(item) for item in data["terms"])
        offsets = {str(name): float(points) for name, points in data["offsets"].items()}
        covariance = np.array(data["covariance"], dtype=np.float64)
        names = ("slope", "between", "within", "temperature", "scale")
        slope, between, within, temperature, scale = (float(data[name]) for name in names)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path} is no model of gains: {error!r}; {refresh}") from error
    subjects = {curve.subject for term in terms for curve in term.curves}
    components = {term.component for term in terms} | offsets.keys()
    if not subjects <= fact_index().keys() or not components <= COMPONENTS.keys():
        raise ConfigurationError(f"{path} fits other facts or components; {refresh}")
    if data.get("approaches") != list(APPROACHES):
        raise ConfigurationError(f"{path} fits other approaches; {refresh}")
    size = 1 + len(offsets) + len(terms)
    numbers = np.array(
        [slope, between, within, temperature, scale, *(term.weight for term in terms), *offsets.values()]
    )
    if covariance.shape != (size, size) or not (np.isfinite(covariance).all() and np.isfinite(numbers).all()):
        raise ConfigurationError(f"{path} holds values that are missing or not finite; {refresh}")
    if min(slope, between, within, temperature, scale) <= 0:
        raise ConfigurationError(f"{path} holds a scale that is not above 0; {refresh}")
    digest = hashlib.sha256(content).hexdigest()
    return GainModel(slope, offsets, terms, covariance, between, within, temperature, scale, digest)


def _read_term(item: Mapping[str, Any]) -> Term:
    instead = _curve(item["instead"], item["instead_points"]) if "instead" in item else None
    return Term(str(item["component"]), _curve(item["fact"], item["points"]), instead, float(item["weight"]))


def _curve(subject: object, points: Sequence[Sequence[float]]) -> Curve:
    return Curve(str(subject), tuple((float(x), float(y)) for x, y in points))


def _read_json(path: Path, refresh: str) -> tuple[dict[str, Any], bytes]:
    """Return an object of a JSON file, and the file's bytes; ConfigurationError where it is none."""
    try:
        content = path.read_bytes()
        data = json.loads(content)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}; {refresh}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}; {refresh}") from error
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path} is no model of gains; {refresh}")
    return data, content


def _check_cases(expected: object, cases_paths: Sequence[Path], owner: Path) -> None:
    try:
        actual = [file_sha256(each) for each in cases_paths]
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be read: {error.strerror}; {REFRESH}") from error
    if actual != expected:
        named = " and ".join(str(each) for each in cases_paths)
        raise ConfigurationError(f"{named}: not what {owner.name} was made from; {REFRESH}")
