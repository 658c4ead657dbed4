"""Prices and other figures that a cost estimate takes where a use case does not give its own.

Plain data, and how it is worded. Every figure has the day on which it was set down, what it rests on, and the
ends that four in five real values lie between, since prices move; `ASSUMED` marks those that rest on judgement alone.
To replace one, give the fact it stands for, or edit its row together with its date and source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ASSUMED", "FIGURES", "Figure", "dollars"]

ASSUMED = "assumed"
_JUDGED = "2026-11-22"
_READ = "2026-11-28"
_ADDED = "2026-11-29"
_PER_MILLION = "US dollars per million tokens"
_A_MONTH = "US dollars a month"
_OPENAI = "price list of GPT-4.1 mini as reported in April 2026"
_NOVA = "AWS machine learning blog on customising Amazon Nova, 10 April 2025"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        name: What it stands for.
        value: The number; a share as 0 to 1, a choice by its place from 1.
        low: End of the interval that four in five real values lie in; the value itself where it is a convention.
        high: Its other end.
        unit: What the number counts; empty for plain numbers.
        date: The day on which it was set down, in ISO format.
        source: What it rests on.
        reason: Why this value, for people.
        choices: Names of the values, where they are choices.
        stated: Whether it is for the user to state rather than uncertain: an estimate holds for this value.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    date: str
    source: str
    reason: str
    choices: tuple[str, ...] = ()
    stated: bool = False

    def text(self, number: float) -> str:
        """Write a number as this figure's, with its unit."""
        if self.choices:
            return self.choices[round(number) - 1]
        if self.unit.startswith("share"):
            return f"{number:.0%}{self.unit.removeprefix('share')}"
        if self.unit.startswith("US dollars"):
            return f"{dollars(number)}{self.unit.removeprefix('US dollars')}"
        written = f"{number:,.0f}" if number >= 1_000 else f"{number:g}"
        return f"{written} {self.unit}".rstrip()


def dollars(amount: float) -> str:
    """Write US dollars for people: cents where there are any to tell, below ten cents two significant digits.

    Example:
        >>> dollars(0.00123), dollars(0.1), dollars(4.5), dollars(25), dollars(1234.5), dollars(0)
        ('$0.0012', '$0.10', '$4.50', '$25', '$1,230', '$0')
    """
    if 0 < amount < 0.095:
        return f"${float(f'{amount:.2g}'):.12f}".rstrip("0")
    if amount < 9.995 and amount % 1:
        return f"${amount:.2f}"
    return f"${float(f'{amount:.3g}'):,.0f}"


# fmt: off
FIGURES: Mapping[str, Figure] = {
    # What is asked and answered.
    "queries": Figure(
        "queries per month", 10_000, 1_000, 100_000, "", _JUDGED, ASSUMED,
        "the volume is unknown: monthly costs are for this one", stated=True,
    ),
    "input_tokens": Figure(
        "input per query", 400, 150, 1_500, "tokens", _JUDGED, ASSUMED, "instructions and a question",
    ),
    "text_tokens": Figure(
        "input per query", 1_500, 400, 6_000, "tokens", _JUDGED, ASSUMED, "instructions and the text at hand",
    ),
    "output_tokens": Figure("output per query", 200, 60, 600, "tokens", _JUDGED, ASSUMED, "some 150 words"),
    "label_tokens": Figure("output per query", 10, 3, 30, "tokens", _JUDGED, ASSUMED, "a label"),
    "instructions": Figure(
        "instructions, of the input", 0.6, 0.3, 0.8, "share", _READ, f"{_NOVA}: tuning saved 60% of the tokens",
        "a model tuned without passages was trained to follow them and leaves them out; what remains is the question",
    ),
    "text_instructions": Figure(
        "instructions, of the input", 0.25, 0.1, 0.5, "share", _JUDGED, ASSUMED,
        "a model tuned without passages was trained to follow them and leaves them out; "
        "most of the input is the text at hand",
    ),
    "shots": Figure(
        "examples in a prompt", 5, 1, 20, "examples", _JUDGED, ASSUMED,
        "few-shot prompting, with retrieval and without it",
    ),
    "shot_tokens": Figure(
        "examples in a prompt, at most", 2_000, 500, 8_000, "tokens", _JUDGED, ASSUMED,
        "nobody shows five long texts at every query",
    ),
    "window": Figure(
        "documents that fit into a prompt", 100_000, 100_000, 100_000, "tokens", _JUDGED, ASSUMED,
        "the window of usual models",
    ),
    # Prices of tokens.
    "input_price": Figure(
        "price of input", 0.40, 0.10, 1.5, _PER_MILLION, _READ, _OPENAI,
        "the list price of a small hosted model (GPT-4.1 mini); replace it with yours",
    ),
    "sized_input_price": Figure(
        "price of input, at 4 billion parameters", 0.06, 0.03, 0.15, _PER_MILLION, _JUDGED, ASSUMED,
        "about what hosts ask for open models; it grows with parameters^0.75",
    ),
    "sized_parameters": Figure(
        "size that the price of input is stated for", 4e9, 4e9, 4e9, "parameters", _JUDGED, ASSUMED,
        "a small open model",
    ),
    "sized_exponent": Figure(
        "growth of the price of input with size", 0.75, 0.75, 0.75, "", _JUDGED, ASSUMED,
        "ten times the parameters cost less than ten times as much",
    ),
    "least_input_price": Figure(
        "least price of input", 0.02, 0.02, 0.02, _PER_MILLION, _JUDGED, ASSUMED, "serving costs something at any size",
    ),
    "output_ratio": Figure(
        "price of output", 4, 2, 8, "times the price of input", _READ, _OPENAI,
        "as on many price lists; replace it with yours",
    ),
    "cached_share": Figure(
        "price of what repeats", 0.5, 0.1, 1.0, "share of the price of input", _READ,
        f"{_OPENAI}: 25%; Anthropic and OpenAI on prompt caching: 10 to 50%, from 1,024 tokens on",
        "instructions, examples and documents are the same at every query and are cached; "
        "short prompts are not, and caches lapse between rare queries. Passages and questions are paid in full",
    ),
    "tuned_ratio": Figure(
        "prices of a tuned model", 1, 1, 1.5, "x those of the prompted model", _READ,
        "Predibase, 13 February 2024: the same; DeepInfra, 6 December 2024: 50% more",
        "an adapter on the same model; a smaller model that is tuned costs less: state its prices",
    ),
    # Retrieval.
    "corpus_tokens": Figure(
        "size of the documents", 1e6, 2e5, 1e7, "tokens", _JUDGED, ASSUMED, "some 750,000 words",
    ),
    "passages": Figure(
        "passages per query", 3, 2, 6, "passages", _JUDGED, "the default of this program's answers",
        "what this program retrieves by default",
    ),
    "passage_tokens": Figure(
        "size of a passage", 150, 100, 300, "tokens", _JUDGED, ASSUMED, "some 110 words of English",
    ),
    "search": Figure(
        "search", 20, 5, 100, "US dollars per million queries", _JUDGED, ASSUMED,
        "embedding the question, and the search",
    ),
    "indexing": Figure(
        "reading and embedding documents", 0.10, 0.02, 5, _PER_MILLION, _JUDGED, ASSUMED,
        "plain text costs a small embedder's price, scanned pages a hundred times that",
    ),
    "store": Figure("vector store", 25, 0, 100, _A_MONTH, _JUDGED, ASSUMED, "a small managed database"),
    "stored_gb": Figure(
        "vector store, per GB", 0.33, 0.05, 1, _A_MONTH, _JUDGED, ASSUMED, "a small managed database",
    ),
    "stored_bytes": Figure(
        "size of a stored token", 30, 15, 60, "bytes", _JUDGED, ASSUMED, "text, vector and index",
    ),
    "changed": Figure(
        "documents changed by an update", 0.05, 0.01, 0.3, "share", _JUDGED, ASSUMED,
        "read and embedded anew; at most all of them a month",
    ),
    "churn": Figure(
        "documents changed in a month", 0.05, 0, 0.3, "share", _JUDGED, ASSUMED,
        "nothing says how often they change; read and embedded anew",
    ),
    # Training.
    "examples": Figure(
        "training examples", 500, 200, 2_000, "examples", _JUDGED, ASSUMED,
        "fine-tuning starts to pay at some 500; what is missing is written once, before the first run",
    ),
    "labelling": Figure(
        "an example that a person writes", 1, 0.3, 3, "US dollars", _JUDGED, ASSUMED,
        "a minute or two of a person's work",
    ),
    "checking": Figure(
        "an example that is brought into form", 0.1, 0, 0.5, "US dollars", _JUDGED, ASSUMED,
        "what exists is looked through and converted, once",
    ),
    "fresh": Figure(
        "examples written anew for another run", 0.1, 0, 0.3, "share", _JUDGED, ASSUMED,
        "a model that is to learn what changed has to be shown it",
    ),
    "epochs": Figure("epochs", 3, 1, 5, "", _JUDGED, ASSUMED, "two to four are usual for LoRA"),
    "training_ratio": Figure(
        "price of training", 10, 3, 20, "times the price of input", _JUDGED, ASSUMED,
        "as services ask; replace it with yours",
    ),
    "flops": Figure(
        "training with LoRA", 4, 4, 4, "FLOPs per parameter and token", _JUDGED,
        "Kaplan et al., arXiv:2001.08361: 6 for all weights, of which the gradients of frozen ones take 2",
        "LoRA takes 4 x parameters x tokens FLOPs",
    ),
    "peak": Figure(
        "peak speed of an H100", 989, 989, 989, "TFLOPS in bfloat16", _JUDGED, "NVIDIA's data sheet",
        "a GPU that is usual for training",
    ),
    "utilisation": Figure(
        "use of the GPU in training", 0.35, 0.1, 0.5, "share", _JUDGED, ASSUMED, "training reaches a third of the peak",
    ),
    "gpu_hour": Figure("an hour of an H100", 3, 1.5, 6, "US dollars", _JUDGED, ASSUMED, "what clouds ask for it"),
    "few_new": Figure(
        "share of questions about new knowledge that needs no new training", 0.05, 0.05, 0.05, "share", _JUDGED,
        ASSUMED, "few questions are about what changes",
    ),
    "retraining": Figure(
        "time between training runs", 7, 1, 30, "days at least", _JUDGED, ASSUMED, "new data, training and evaluation",
    ),
    "renewal": Figure(
        "time between base models", 12, 6, 24, "months", _JUDGED, ASSUMED,
        "a base model is replaced by a better one, or withdrawn: what was trained on it is trained again",
    ),
    # Hosting of a tuned model.
    "hosting": Figure(
        "hosting of a tuned model", 1, 1, 2, "", _JUDGED, ASSUMED,
        "the cheapest where a service offers it for the model; a GPU of one's own is paid while it idles as well",
        choices=("SERVERLESS_ADAPTER", "RENTED_GPU", "OWN_MACHINE"), stated=True,
    ),
    "adapter": Figure(
        "keeping an adapter with a service", 10, 0, 50, _A_MONTH, _JUDGED, ASSUMED,
        "paid besides the tokens; most ask nothing or little",
    ),
    "machine": Figure(
        "a machine of one's own", 300, 100, 1_000, _A_MONTH, _JUDGED, ASSUMED,
        "a GPU's purchase over three years, and its power",
    ),
    "gpu_parameters": Figure(
        "parameters that a GPU holds", 33e9, 33e9, 33e9, "", _JUDGED, ASSUMED,
        "80 GB in 16 bits, with room for queries; a larger model takes more GPUs",
    ),
    # Evaluation and building, whatever the approach.
    "evaluation": Figure(
        "an evaluation", 75, 25, 200, "US dollars", _JUDGED, ASSUMED, "about an hour of an engineer's work",
    ),
    "evaluations": Figure(
        "evaluations of any approach", 4, 2, 8, "a year", _JUDGED, ASSUMED,
        "models, documents and questions change; each training run is evaluated as well",
    ),
    "questions": Figure(
        "questions to evaluate on", 100, 50, 200, "questions", _JUDGED, ASSUMED,
        "written once like examples, for any approach",
    ),
    "months": Figure(
        "time to pay off what is paid once", 12, 6, 24, "months", _JUDGED, ASSUMED, "a usual budget period",
    ),
    "days_prompt": Figure(
        "building a prompt", 2, 1, 5, "days", _JUDGED, ASSUMED, "wording, trying, looking at what goes wrong",
    ),
    "days_retrieval": Figure(
        "adding retrieval", 8, 4, 25, "days", _JUDGED, ASSUMED,
        "reading the documents, splitting, searching, keeping the index up to date",
    ),
    "days_training": Figure(
        "adding training", 10, 5, 30, "days", _JUDGED, ASSUMED, "preparing data, training, serving what was trained",
    ),
    "days_questions": Figure(
        "making an evaluation set", 1, 0.5, 3, "days", _JUDGED, ASSUMED, "choosing and checking the questions",
    ),
    "examples_a_day": Figure(
        "examples written in a day", 250, 250, 250, "examples", _JUDGED, ASSUMED, "a minute or two each",
    ),
    # Training runs that are asked for by more than knowledge.
    "erasures": Figure(
        "training runs for erasure", 4, 1, 12, "a year", _READ, ASSUMED,
        "a request to erase what a model was trained on takes a new run without it, in the EU within a month "
        "(GDPR, articles 12(3) and 17); requests that come together share one",
    ),
    "drift": Figure(
        "training runs for drift", 12, 4, 26, "a year", _ADDED, ASSUMED,
        "where inputs drift from the examples, what was learned fits them less and less, until a run on recent ones",
    ),
    # A GPU that is rented by the hour.
    "batch_wait": Figure(
        "wait from which answers are made in batches", 10, 10, 10, "minutes", _ADDED, ASSUMED,
        "starting a rented GPU and loading a model takes some minutes; where answers may wait longer it need not idle",
    ),
    "batch_hours": Figure(
        "hours that a GPU is rented for batches, at least", 1, 0.5, 3, "a day", _ADDED, ASSUMED,
        "started once a day or more, and paid while it starts; more where the queries take more",
    ),
    "throughput": Figure(
        "throughput of a rented GPU", 10_000, 4_000, 30_000, "tokens a second", _ADDED,
        "NVIDIA, measurements of TensorRT-LLM 0.5.0: LLaMA 7B in FP8 on an H100, 4,500 to 35,000 read and written",
        "in batches, of a model of some 8 billion parameters; the shorter the answers, the more",
    ),
    "throughput_parameters": Figure(
        "size that the throughput is stated for", 8e9, 8e9, 8e9, "parameters", _ADDED, ASSUMED,
        "a model of twice the size takes twice as long",
    ),
    "most_instructions": Figure(
        "instructions, at most", 1_500, 500, 4_000, "tokens", _JUDGED, ASSUMED, "of a long input they are a small part",
    ),
}
# fmt: on
