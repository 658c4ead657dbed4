"""Measure answers of one model to 1, 4 and 16 askers at once, against one after another, in one run.

    python benchmarks/generation.py [--engines torch,openvino,openvino-bfloat16,openvino-int8] [--rounds 3]
                                    [--tokens 64] [--prompts 40,500] [--adapter]

Ways are measured in turns, round by round, so that what else the machine does
falls on all alike; figures are medians over the rounds. `one by one` is what
a server did that answers in turns: the library's own attention and cache, a
prompt read in pieces, one answer at a time (`TurnsEngine`). Answers have
exactly `--tokens` tokens. A late asker comes while the others write. The texts
of all ways are compared. Prompts are read anew in each round; adapters are at
hand before it begins, and how long that takes is told apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch, or idle threads take what others need
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from backends.generation.engine import Engine, Request
from backends.generation.model import LoadedModel
from backends.generation.opening import open_engine
from backends.generation.turns import TurnsEngine
from backends.models.names import DEFAULT_GENERATOR
from backends.models.resolve import default_cache, resolve
from backends.prompts import prompt_messages

ASKERS = (1, 4, 16)
BASE = "one by one"
SUBJECTS = (
    "the index of a database", "a backup of a laptop", "the cache of a browser", "a release of a program",
    "the queue of a bank", "an account of a student", "the log of a ship", "a key of a piano",
    "rivers in Europe", "bread and butter", "the moon and tides", "a bicycle's gears",
    "winter in Norway", "the price of coffee", "old libraries", "the rules of chess",
)  # fmt: skip


@dataclass(slots=True)
class Taken:
    """What some answers took: seconds, and their tokens by asker."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    firsts_s: list[float] = field(default_factory=list)
    answers: list[list[int]] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Tokens written."""
        return sum(map(len, self.answers))


@contextmanager
def measured(taken: Taken) -> Iterator[None]:
    """Add the seconds that a block takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    taken.wall_s += time.perf_counter() - wall
    taken.cpu_s += time.process_time() - cpu


def ask_at_once(engine: Engine, requests: Sequence[Request]) -> Taken:
    """Ask in a thread each, and return what all took together."""
    taken = Taken(firsts_s=[0.0] * len(requests), answers=[[] for _ in requests])

    def ask(place: int) -> None:
        began = time.perf_counter()
        for token in engine.stream(requests[place], cancelled=lambda: False):
            if not taken.answers[place]:
                taken.firsts_s[place] = time.perf_counter() - began
            taken.answers[place].append(token)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(requests))]
    with measured(taken):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return taken


def prompts(folder: Path, length: int) -> list[list[int]]:
    """Return a prompt of so many tokens for each asker, no two with the same beginning."""
    from transformers import AutoTokenizer

    from backends.generation.chat import chat_tokens

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    text = " ".join(path.read_text() for path in sorted((Path(__file__).parents[1] / "docs").glob("*.md")))
    filling = tokenizer.encode(text, add_special_tokens=False)
    made = []
    for place, subject in enumerate(SUBJECTS):
        question = f"Tell me in several sentences about {subject}."
        asked = chat_tokens(tokenizer, prompt_messages(question, instructions="Answer."))
        more = length - len(asked)
        if more < 0:
            raise SystemExit(
                f"--prompts: {length} is too short; the question alone takes {len(asked)} tokens"
            )
        made.append([asked[0], *filling[place * 600 : place * 600 + more], *asked[1:]])
    return made


def random_adapter(base: Path, folder: Path, seed: int) -> Path:
    """Write random LoRA weights of rank 16, too weak to make the texts senseless."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    config = peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    torch.manual_seed(seed)
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.004)
    model.save_pretrained(folder)
    return folder


def begin_anew(engine: Engine, requests: Sequence[Request]) -> float:
    """Have an engine forget all, and take up the adapters again; return the seconds that each of these takes."""
    engine.forget()
    given = {request.adapter for request in requests}
    with measured(taken := Taken()):
        for adapter in given:
            for _ in engine.stream(Request([5], 1, frozenset(), adapter), cancelled=lambda: False):
                pass
    return taken.wall_s / len(given)


def compare(
    engines: dict[str, Engine], requests: Sequence[Request], rounds: int
) -> dict[tuple[str, int], list[Taken]]:
    """Measure every engine with 1, 4 and 16 askers in turns; by the engine's name and the number."""
    found: dict[tuple[str, int], list[Taken]] = {}
    for _ in range(rounds):
        for askers in ASKERS:
            for name, engine in engines.items():
                # One by one, the time of an answer is the same however many ask: four are enough.
                asked = requests[: min(askers, 4) if name == BASE else askers]
                begin_anew(engine, asked)
                found.setdefault((name, askers), []).append(ask_at_once(engine, asked))
    return found


def late(engine: Engine, requests: Sequence[Request], rounds: int) -> list[float]:
    """Return the seconds to the first token of one who asks while all the others write."""
    firsts = []
    for _ in range(rounds):
        begin_anew(engine, requests)
        streams = [engine.stream(request, cancelled=lambda: False) for request in requests[1:]]
        ready = threading.Barrier(len(streams) + 1)

        def follow(tokens: Iterator[int], ready: threading.Barrier = ready) -> None:
            next(tokens)
            ready.wait()
            for _ in tokens:
                pass

        threads = [threading.Thread(target=follow, args=(tokens,)) for tokens in streams]
        for thread in threads:
            thread.start()
        ready.wait()
        firsts.extend(ask_at_once(engine, requests[:1]).firsts_s)
        for thread in threads:
            thread.join()
    return firsts


def show(found: dict[tuple[str, int], list[Taken]]) -> None:
    """Print a line for each way, with its ratio to one by one in the same round."""
    base = {askers: found[BASE, askers] for askers in ASKERS}
    print(f"{'':34} tokens/s   ratio  (CPU)   first token p50   p95   same texts")
    for (name, askers), taken in found.items():
        rate = statistics.median(each.tokens / each.wall_s for each in taken)
        ratios, ratios_cpu, same, of = [], [], 0, 0
        for each, other in zip(taken, base[askers], strict=True):
            ratios.append(each.tokens / each.wall_s / (other.tokens / other.wall_s))
            ratios_cpu.append(each.tokens / each.cpu_s / (other.tokens / other.cpu_s))
            pairs = list(zip(each.answers, other.answers, strict=False))
            same, of = same + sum(one == two for one, two in pairs), of + len(pairs)
        firsts = sorted(first for each in taken for first in each.firsts_s)
        p50, p95 = firsts[len(firsts) // 2], firsts[min(len(firsts) - 1, int(0.95 * len(firsts)))]
        print(
            f"{name:24} {askers:2} at once {rate:8.1f} {statistics.median(ratios):7.2f} "
            f"{statistics.median(ratios_cpu):7.2f} {p50:12.2f} s {p95:7.2f} s   {same} of {of}",
            flush=True,
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engines", default="torch", help="torch, openvino, openvino-bfloat16, openvino-int8"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--prompts", default="40,500")
    parser.add_argument("--adapter", action="store_true", help="also with adapters, of one and of four kinds")
    arguments = parser.parse_args()
    cache = Path(os.environ.get("ADVISOR_MODEL_CACHE", default_cache()))
    folder = resolve(DEFAULT_GENERATOR, cache=cache, report=lambda _: None)
    engines: dict[str, Engine] = {BASE: TurnsEngine(LoadedModel(folder))}
    for name in arguments.engines.split(","):
        engines[name] = open_engine(folder, name=name)
    with tempfile.TemporaryDirectory() as temporary:
        kinds: list[tuple[str, list[Path | None]]] = [("no adapter", [None])]
        if arguments.adapter:
            adapters = [random_adapter(folder, Path(temporary) / str(each), each) for each in range(3)]
            kinds += [("one adapter", [adapters[0]]), ("four kinds", [None, *adapters])]
        for length in map(int, arguments.prompts.split(",")):
            made = prompts(folder, length)
            for kind, given in kinds:
                requests = [
                    Request(prompt, arguments.tokens, frozenset(), given[place % len(given)])
                    for place, prompt in enumerate(made)
                ]
                print(f"\nPrompts of {length} tokens, {kind}, {arguments.tokens} tokens written:")
                for engine in engines.values():
                    begin_anew(engine, requests)  # and warm
                show(compare(engines, requests, arguments.rounds))
                for name, engine in list(engines.items())[1:]:
                    firsts = statistics.median(late(engine, requests, arguments.rounds))
                    print(f"{name}: beside 15 who write, the first token comes after {firsts:.2f} s.")
                    if len(given) == 1 and given[0]:
                        print(f"{name}: an adapter is taken up in {begin_anew(engine, requests):.2f} s.")


if __name__ == "__main__":
    main()
