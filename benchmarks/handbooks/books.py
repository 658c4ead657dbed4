"""Three handbooks of what installed packages and Python itself carry, and twenty questions on each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from pydoc_data.topics import topics

__all__ = ["BOOKS", "Asked", "Book"]

_ERRORS = (
    "AssertionError",
    "BaseException",
    "ImportError",
    "IndexError",
    "KeyError",
    "NameError",
    "OverflowError",
    "RuntimeError",
    "SyntaxError",
    "TypeError",
    "UnboundLocalError",
    "ValueError",
    "ZeroDivisionError",
)
_STATUS = (
    "BadRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "UnprocessableEntityError",
    "RateLimitError",
    "InternalServerError",
    "APIConnectionError",
)
_TOPICS = re.compile(
    r"assert|async|await|binary|bltin-.*-object|class|comparisons|context-managers|customization|del|execmodel|floating"
    r"|for|formatstrings|global|if|import|integers|lambda|nonlocal|numbers|power|raise|return|specialattrs|strings"
    r"|try|truth|typesseq|unary|while|with|yield"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, its answer, and other answers to questions of its kind."""

    question: str
    value: str
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """A handbook: texts by their sources, and questions."""

    name: str
    texts: dict[str, str]
    asked: tuple[Asked, ...]


def _python() -> Book:
    errors = _ERRORS
    asked = (
        Asked(
            "Which exception does assert raise when its expression is false?",
            "AssertionError",
            errors,
        ),
        Asked("Which exception does del raise if the name is unbound?", "NameError", errors),
        Asked("Which exception does division by zero raise?", "ZeroDivisionError", errors),
        Asked(
            "What is raised by a bare raise statement if there is no active exception?",
            "RuntimeError",
            errors,
        ),
        Asked(
            "Of which class must what raise raises be a subclass or an instance?",
            "BaseException",
            errors,
        ),
        Asked(
            "What does a unary operator raise if the argument does not have the proper type?",
            "TypeError",
            errors,
        ),
        Asked("What does from import raise if the attribute is not found?", "ImportError", errors),
        Asked("What does the index method of a sequence raise when x is not found?", "ValueError", errors),
        Asked("What is raised if the step of a range is zero?", "ValueError", errors),
        Asked("Which exception is raised when a name is not found at all?", "NameError", errors),
        Asked(
            "What may len() raise for ranges with absolute values larger than sys.maxsize?",
            "OverflowError",
            errors,
        ),
        Asked("To which value does the start argument of range default if it is omitted?", "0"),
        Asked("To which value does the step argument of range default if it is omitted?", "1"),
        Asked("What is the default of the optional argument i of pop?", "-1"),
        Asked("From which base class do classes without an inheritance list inherit?", "object"),
        Asked("How is the null object named?", "None"),
        Asked("Which attribute of an exception holds the second exception of raise with from?", "__cause__"),
        Asked("As which attribute is the traceback attached to an exception?", "__traceback__"),
        Asked("Which built-in function has the same semantics as the power operator?", "pow()"),
        Asked("Which character may group digits in integer literals?", "Underscores"),
    )
    texts = {f"{name}.rst": text for name, text in topics.items() if _TOPICS.fullmatch(name)}
    return Book("python", texts, asked)


def _packages() -> Book:
    names = ("tqdm", "openai", "python-dotenv", "defusedxml", "backoff", "pytest-timeout")
    texts = {}
    for name in names:
        found = metadata.metadata(name)
        suffix = "md" if "markdown" in (found["Description-Content-Type"] or "") else "rst"
        texts[f"{name}.{suffix}"] = str(found.get_payload() or found["Description"])
    status = _STATUS
    asked = (
        Asked("What is the default of the minimum progress display update interval of tqdm?", "0.1"),
        Asked("What is the default of the maximum progress display update interval of tqdm?", "10"),
        Asked("What is the default smoothing factor of tqdm?", "0.3"),
        Asked("What is the default of unit_divisor?", "1000"),
        Asked("What is the default string buffer size in bytes?", "256"),
        Asked("What is the default unit of an iteration of tqdm?", "it"),
        Asked("How often are certain errors retried by default by the openai library?", "2"),
        Asked("After how long do requests of the openai library time out by default?", "10"),
        Asked("What is the error type for status code 429?", "RateLimitError", status),
        Asked("What is the error type for status code 401?", "AuthenticationError", status),
        Asked("What is the error type for status code 422?", "UnprocessableEntityError", status),
        Asked("What is the error type for status code 404?", "NotFoundError", status),
        Asked("Which option configures or disables retries of the openai library?", "max_retries"),
        Asked("Which environment variable holds the secret of webhooks by default?", "OPENAI_WEBHOOK_SECRET"),
        Asked("What is the default of forbid_dtd?", "False", ("True",)),
        Asked("What is the default of forbid_entities?", "True", ("False",)),
        Asked(
            "What is the default limit of defusedxml for requests, responses and gzip decompression?", "30 MB"
        ),
        Asked(
            "Which argument of load_dotenv makes it override existing environment variables?", "override=True"
        ),
        Asked("Which argument of backoff specifies the maximum number of calls?", "max_tries", ("max_time",)),
        Asked("Which environment variable sets a global timeout for pytest?", "PYTEST_TIMEOUT"),
    )
    return Book("packages", texts, asked)


_DEFAULTS = (
    ("ensemble/_forest.py", "RandomForestClassifier", ("n_estimators", "min_samples_split", "criterion")),
    ("ensemble/_gb.py", "GradientBoostingClassifier", ("learning_rate", "subsample")),
    ("neighbors/_classification.py", "KNeighborsClassifier", ("n_neighbors", "leaf_size")),
    ("cluster/_kmeans.py", "KMeans", ("n_clusters", "max_iter")),
    ("cluster/_dbscan.py", "DBSCAN", ("eps", "min_samples")),
    ("linear_model/_logistic.py", "LogisticRegression", ("C", "max_iter", "solver")),
    ("svm/_classes.py", "SVC", ("kernel", "degree", "cache_size")),
    ("manifold/_t_sne.py", "TSNE", ("perplexity",)),
    ("neural_network/_multilayer_perceptron.py", "MLPClassifier", ("activation", "momentum")),
)  # fmt: skip


def _estimators() -> Book:
    """Return the docstrings of estimators; by rule, questions on what they say to be defaults."""
    spec = find_spec("sklearn")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    texts, asked = {}, []
    for file, name, parameters in _DEFAULTS:
        text = next(_docstrings(folder / file, name))
        texts[f"{name}.rst"] = f"{name}\n{'=' * len(name)}\n\n{text}"
        for parameter in parameters:
            if default := re.search(rf"(?m)^{parameter} : .*default=([^\s,]+)", text):
                question = f"What is the default of {parameter} of {name}?"
                asked.append(Asked(question, default[1].strip("'\"")))
    return Book("estimators", texts, tuple(asked))


def _docstrings(path: Path, name: str) -> Iterator[str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield ast.get_docstring(node) or ""


BOOKS = (_python, _packages, _estimators)
"""What makes each handbook."""
