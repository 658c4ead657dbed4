"""Prices and other figures that a cost estimate takes where a use case does not give its own.

Plain data: nothing is computed here. Every figure has the day on which it was set down and what it rests on, since
prices move; `ASSUMED` marks those that rest on judgement alone. To replace one, give the fact it stands for, or edit
its row together with its date and source.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ASSUMED",
    "CACHED_SHARE",
    "CHANGED",
    "CORPUS_TOKENS",
    "EMBEDDING",
    "EPOCHS",
    "EVALUATION",
    "EXAMPLES",
    "FEW_NEW",
    "FLOPS",
    "GPU_HOUR",
    "HOSTING",
    "INPUT_PRICE",
    "INPUT_TOKENS",
    "LABELLING",
    "LABEL_TOKENS",
    "LEAST_INPUT_PRICE",
    "MONTHS",
    "OUTPUT_RATIO",
    "OUTPUT_TOKENS",
    "PASSAGES",
    "PASSAGE_TOKENS",
    "PEAK",
    "PEOPLE",
    "QUERIES",
    "RETRAINING",
    "SEARCH",
    "SHOTS",
    "SIZED_EXPONENT",
    "SIZED_INPUT_PRICE",
    "SIZED_PARAMETERS",
    "STORE",
    "STORED_BYTES",
    "STORED_GB",
    "TRAINING_RATIO",
    "UTILISATION",
    "WINDOW_TOKENS",
    "Assumption",
    "Figure",
]

ASSUMED = "assumed"
_SET_DOWN = "2026-11-22"
_PER_MILLION = "US dollars per million tokens"


@dataclass(frozen=True, slots=True)
class Assumption:
    """A value taken for want of a fact, as an estimate lists it.

    Attributes:
        name: What was assumed.
        value: The value, with its unit.
        reason: Why this value.
    """

    name: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        name: What it stands for.
        value: The number; a share as 0 to 1.
        unit: What the number counts; empty for plain numbers.
        date: The day on which it was set down, in ISO format.
        source: What it rests on.
        reason: Why this value, for people.
    """

    name: str
    value: float
    unit: str
    date: str
    source: str
    reason: str

    @property
    def text(self) -> str:
        """The value with its unit."""
        if self.unit.startswith("share"):
            return f"{self.value:.0%}{self.unit.removeprefix('share')}"
        number = f"{self.value:,.0f}" if self.value >= 10_000 else f"{self.value:g}"
        return f"{number} {self.unit}".rstrip()

    @property
    def assumption(self) -> Assumption:
        """The figure as an estimate lists it."""
        return Assumption(self.name, self.text, self.reason)


# fmt: off
QUERIES = Figure(
    "queries per month", 10_000.0, "", _SET_DOWN, ASSUMED,
    "the volume is unknown: monthly costs are for this one",
)
INPUT_TOKENS = Figure(
    "input per query", 200.0, "tokens", _SET_DOWN, ASSUMED, "short instructions and a short question"
)
OUTPUT_TOKENS = Figure("output per query", 200.0, "tokens", _SET_DOWN, ASSUMED, "some 150 words")
LABEL_TOKENS = Figure("output per query", 10.0, "tokens", _SET_DOWN, ASSUMED, "a label")
CORPUS_TOKENS = Figure("size of the documents", 1e6, "tokens", _SET_DOWN, ASSUMED, "some 750,000 words")
PASSAGES = Figure(
    "passages per query", 3.0, "passages", _SET_DOWN, "the default of this program's answers",
    "what this program retrieves by default",
)
PASSAGE_TOKENS = Figure("size of a passage", 150.0, "tokens", _SET_DOWN, ASSUMED, "some 110 words of English")
WINDOW_TOKENS = Figure(
    "documents that fit into a prompt", 100_000.0, "tokens", _SET_DOWN, ASSUMED, "the window of usual models"
)
SHOTS = Figure(
    "examples in a prompt", 5.0, "examples", _SET_DOWN, ASSUMED,
    "few-shot prompting: half the input is the question, and an answer follows",
)

INPUT_PRICE = Figure(
    "price of input", 0.40, _PER_MILLION, _SET_DOWN, "the list price of GPT-4.1 mini",
    "the list price of a small hosted model (GPT-4.1 mini); replace it with yours",
)
SIZED_INPUT_PRICE = Figure(
    "price of input, at 4 billion parameters", 0.06, _PER_MILLION, _SET_DOWN, ASSUMED,
    "about what hosts ask for open models",
)
SIZED_PARAMETERS = Figure(
    "size that the price of input is stated for", 4e9, "parameters", _SET_DOWN, ASSUMED,
    "a small open model",
)
SIZED_EXPONENT = Figure(
    "growth of the price of input with size", 0.75, "", _SET_DOWN, ASSUMED,
    "ten times the parameters cost less than ten times as much",
)
LEAST_INPUT_PRICE = Figure(
    "least price of input", 0.02, _PER_MILLION, _SET_DOWN, ASSUMED, "serving costs something at any size"
)
OUTPUT_RATIO = Figure(
    "price of output", 4.0, "times the price of input", _SET_DOWN, ASSUMED,
    "as on many price lists; replace it with yours",
)
TRAINING_RATIO = Figure(
    "price of training", 10.0, "times the price of input", _SET_DOWN, ASSUMED,
    "as services ask; replace it with yours",
)
CACHED_SHARE = Figure(
    "price of documents in a prompt", 0.5, "share of the price of input", _SET_DOWN, ASSUMED,
    "a prompt that repeats is cached: discounts are 50 to 90%, and lapse between rare queries",
)

EMBEDDING = Figure("embedding", 0.02, _PER_MILLION, _SET_DOWN, ASSUMED, "a small embedder's price")
SEARCH = Figure(
    "search", 10.0, "US dollars per million queries", _SET_DOWN, ASSUMED,
    "embedding the question, and the search",
)
STORE = Figure(
    "vector store", 25.0, "US dollars a month", _SET_DOWN, ASSUMED, "a small managed database"
)
STORED_GB = Figure(
    "vector store, per GB", 0.33, "US dollars a month", _SET_DOWN, ASSUMED, "a small managed database"
)
STORED_BYTES = Figure(
    "size of a stored token", 30.0, "bytes per token", _SET_DOWN, ASSUMED, "hold text, vector and index"
)
CHANGED = Figure(
    "documents changed by an update", 0.05, "share", _SET_DOWN, ASSUMED,
    "embedded anew; at most all of them a month",
)

FLOPS = Figure(
    "training with LoRA", 4.0, "FLOPs per parameter and token", _SET_DOWN,
    "Kaplan et al., arXiv:2001.08361: 6 for all weights, of which the gradients of frozen ones take 2",
    "LoRA takes 4 x parameters x tokens FLOPs",
)
PEAK = Figure(
    "peak speed of an H100", 989.0, "TFLOPS in bfloat16", _SET_DOWN, ASSUMED, "a GPU that is usual for training"
)
UTILISATION = Figure(
    "use of the GPU", 0.35, "share", _SET_DOWN, ASSUMED, "training reaches a third of the peak"
)
GPU_HOUR = Figure("an hour of an H100", 3.0, "US dollars", _SET_DOWN, ASSUMED, "what clouds ask for it")
EPOCHS = Figure("epochs", 3.0, "", _SET_DOWN, ASSUMED, "two to four are usual for LoRA")
EXAMPLES = Figure(
    "training examples", 500.0, "examples", _SET_DOWN, ASSUMED,
    "fine-tuning starts to pay at some 500; a person writes or checks one in a minute or two",
)
LABELLING = Figure(
    "an example that a person writes", 1.0, "US dollar", _SET_DOWN, ASSUMED, "a minute or two of a person's work"
)
EVALUATION = Figure(
    "evaluation", 50.0, "US dollars per training run", _SET_DOWN, ASSUMED,
    "about an hour of an engineer's work",
)
HOSTING = Figure(
    "hosting of a tuned model", 100.0, "US dollars a month", _SET_DOWN, ASSUMED,
    "an adapter served beside others; a GPU of its own costs some 2,000, "
    "and some providers ask a higher price per token instead",
)
FEW_NEW = Figure(
    "share of questions about new knowledge that needs no new training", 0.05, "share", _SET_DOWN, ASSUMED,
    "few questions are about what changes",
)
RETRAINING = Figure(
    "time between training runs", 1.0, "day at least", _SET_DOWN, ASSUMED, "new data, training and evaluation"
)
MONTHS = Figure(
    "time to pay fixed costs off", 12.0, "months", _SET_DOWN, ASSUMED, "a usual budget period"
)
PEOPLE = Figure(
    "building and running the system", 0.0, "US dollars", _SET_DOWN, ASSUMED,
    "left out: people's work counts only where examples are written and training runs are evaluated",
)
# fmt: on
