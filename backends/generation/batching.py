"""Many requests on one model at once: they join and leave between steps.

One thread owns the model. In each step every request that writes takes one
token, and beside them pieces of prompts are read, so that a long prompt holds
nobody up. Whoever asks waits in a thread of its own, where texts are made of
tokens. The thread ends when nobody has asked for a while.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from backends.base import ModelError, QuestionError
from backends.generation.adapters import AdapterKey
from backends.generation.engine import TOGETHER, Request, awaited, stop_if
from backends.generation.packed import PackedModel, Slot, Span
from backends.generation.prefixes import PIECE_TOKENS, Prefixes, piece_names
from backends.generation.sampling import Sampler, choose

__all__ = ["BatchingEngine"]

_LINGER_S = 2.0
_PIECES = 4  # read at once where nobody writes; more gain little
_PREFIX_BYTES = 256 << 20


class BatchingEngine:
    """A model that reads packed tokens; implements `backends.generation.engine.Engine`.

    Args:
        model: The model, no longer the caller's.
        together: Most requests at once; further ones wait.
        prefix_bytes: Memory for beginnings of prompts.
    """

    def __init__(
        self, model: PackedModel, *, together: int = TOGETHER, prefix_bytes: int = _PREFIX_BYTES
    ) -> None:
        self.name = model.name
        self._model = model
        self._together = together
        self._prefixes = Prefixes(prefix_bytes)
        self._steps = 0
        self._waiting: deque[_Asker] = deque()
        self._under_way: list[_Asker] = []
        # Shared with those who ask, all else is the thread's.
        self._changed = threading.Condition()
        self._orders: deque[Callable[[], None]] = deque()
        self._thread: threading.Thread | None = None

    def stream(self, request: Request, *, cancelled: Callable[[], bool]) -> Iterator[int]:
        """Yield the tokens of an answer, as `Engine.stream` says."""
        tokens: queue.SimpleQueue[_Said] = queue.SimpleQueue()
        stop_if(cancelled)
        self._model.prepare(request.adapter)
        asker = _Asker(request, 0, tokens)
        try:
            self._enter([asker])
            last = False
            while not last:
                _, token, last = _next(tokens, cancelled)
                yield token
        finally:
            asker.left = True

    def batch(
        self,
        requests: Sequence[Request],
        *,
        take: Callable[[int, int], bool],
        cancelled: Callable[[], bool],
    ) -> None:
        """Write the answers to many requests, as `Engine.batch` says."""
        tokens: queue.SimpleQueue[_Said] = queue.SimpleQueue()
        left = deque(enumerate(requests))
        going: dict[int, _Asker] = {}
        stop_if(cancelled)
        for adapter in {request.adapter for request in requests}:
            self._model.prepare(adapter)
        try:
            while left or going:
                free = min(len(left), self._together - len(going))
                if free:
                    coming = (left.popleft() for _ in range(free))
                    begun = {place: _Asker(request, place, tokens) for place, request in coming}
                    going |= begun
                    self._enter(list(begun.values()))  # at once: the step that reads the first sees them all
                place, token, last = _next(tokens, cancelled)
                if place in going and (not take(place, token) or last):
                    going.pop(place).left = True
        finally:
            for asker in going.values():
                asker.left = True

    def forget(self) -> None:
        """Drop prefixes and adapters at once, as `Engine.forget` says."""
        dropped: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

        def drop() -> None:
            try:
                self._prefixes.clear()
                for asker in (*self._waiting, *self._under_way):
                    asker.names = []
                self._model.drop_adapters({asker.adapter for asker in self._under_way})
            except Exception as error:  # noqa: BLE001 - told to who asked
                dropped.put(_failure(error))
            else:
                dropped.put(None)

        self._order(drop)
        if (failure := dropped.get()) is not None:
            raise failure

    def _enter(self, askers: Sequence[_Asker]) -> None:
        self._order(lambda: self._waiting.extend(askers))

    def _order(self, order: Callable[[], None]) -> None:
        """Have the thread do something between two steps."""
        with self._changed:
            self._orders.append(order)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="advisor-engine", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while self._obey():
            try:
                self._step()
            except Exception as error:  # noqa: BLE001 - told to all whom it concerns
                self._fail(error)

    def _obey(self) -> bool:
        """Do what was ordered since the last step; return whether the thread goes on."""
        with self._changed:
            if not (self._orders or self._waiting or self._under_way):
                self._changed.wait(_LINGER_S)
                if not self._orders:
                    self._thread = None
                    return False
            orders = [self._orders.popleft() for _ in range(len(self._orders))]
        for order in orders:
            order()
        return True

    def _step(self) -> None:
        """Have every request that writes take a token, and read some pieces of prompts."""
        self._steps += 1
        for asker in [asker for asker in self._under_way if asker.left]:
            self._release(asker)
        self._admit()
        writing = [(asker, asker.last) for asker in self._under_way if asker.last is not None]
        reading = self._to_read(len(writing))
        spans = [Span(asker.slot, [last], asker.adapter) for asker, last in writing]
        spans += [asker.span(count) for asker, count in reading]
        if not spans:
            return
        logits = self._model.read(spans)
        wanted = [asker for asker, _ in writing]
        wanted += [asker for asker, count in reading if count == asker.to_read]
        for asker, _ in writing:
            asker.slot.length += 1
        for asker, count in reading:
            self._keep(asker, count)
        tokens = choose(logits, [asker.sampler for asker in wanted]) if wanted else []
        for asker, token in zip(wanted, tokens, strict=True):
            if isinstance(token, QuestionError):
                asker.fail(token)
                self._release(asker)
            elif asker.say(token):
                self._release(asker)

    def _admit(self) -> None:
        """Let those in who wait, in their order, as long as there is room."""
        while self._waiting and len(self._under_way) < self._together:
            asker = self._waiting[0]
            if not asker.left:
                slot = self._model.take(len(asker.request.prompt) + asker.request.limit)
                if slot is None:
                    return
                asker.slot = slot
                try:
                    used = {other.adapter for other in self._under_way}
                    asker.adapter = self._model.load(asker.request.adapter, used)
                except Exception as error:  # noqa: BLE001 - told to the one whom it concerns
                    self._model.release(slot)
                    asker.fail(error)
                else:
                    asker.names = piece_names((asker.request.scope, asker.adapter), asker.request.prompt)
                    asker.since = self._steps
                    self._under_way.append(asker)
            self._waiting.popleft()

    def _to_read(self, writing: int) -> list[tuple[_Asker, int]]:
        """Return whose prompts are read in this step, and how many tokens of each.

        Larger pieces are read faster, but hold up those who write: the more wait
        to be read for each of these, the more is read. The shortest prompt is
        first, but one that has waited for as many steps as it has pieces more goes
        before it.
        """
        reading = [asker for asker in self._under_way if asker.last is None]
        reading.sort(key=lambda asker: asker.to_read + (asker.since - self._steps) * PIECE_TOKENS)
        chosen: list[tuple[_Asker, int]] = []
        taken, begun = 0, set[bytes]()
        for asker in reading:
            self._recall(asker)
            if asker.next_names[:1] and asker.next_names[0] in begun:
                continue  # another reads the same in this step
            writing += asker.to_read <= PIECE_TOKENS  # from this step on
            pieces = min(len(reading) // writing, _PIECES) if writing else _PIECES
            left = PIECE_TOKENS * max(1, pieces) - taken
            if left <= 0:
                break
            count = asker.to_take(left)
            begun.update(asker.next_names[: count // PIECE_TOKENS])
            chosen.append((asker, count))
            taken += count
        return chosen

    def _recall(self, asker: _Asker) -> None:
        """Take what is kept of the next pieces of a prompt."""
        while asker.next_names:
            states = self._prefixes.find(asker.names[: asker.slot.length // PIECE_TOKENS + 1])
            if states is None:
                return
            asker.slot.write(states)

    def _keep(self, asker: _Asker, count: int) -> None:
        """Note that tokens of a prompt were read, and keep the whole pieces among them."""
        start = asker.slot.length
        for name in asker.next_names[: count // PIECE_TOKENS]:
            self._prefixes.keep(name, asker.slot.copy(start, start + PIECE_TOKENS))
            start += PIECE_TOKENS
        asker.slot.length += count

    def _release(self, asker: _Asker) -> None:
        self._under_way.remove(asker)
        self._model.release(asker.slot)

    def _fail(self, error: Exception) -> None:
        """End all requests under way: nobody knows what the failed step left of them."""
        for asker in self._under_way[:]:
            self._release(asker)
            asker.fail(_failure(error))


_Said = tuple[int, int | Exception, bool]  # a request's place, its next token, and whether that is the last


class _Asker:
    """A request under way.

    Attributes:
        request: What is asked for.
        place: Its place among the requests of its caller.
        left: Whether the caller has lost interest; set by the caller.
        sampler: Chooses its tokens.
        slot: Its keys and values.
        adapter: What it is read with.
        names: Of the pieces of its prompt that may be kept.
        since: The step before which it came.
        last: The token written last, which is to be read next; None while the prompt is read.
    """

    slot: Slot

    def __init__(self, request: Request, place: int, tokens: queue.SimpleQueue[_Said]) -> None:
        self.request = request
        self.place = place
        self.left = False
        self.sampler = Sampler(request)
        self.adapter: AdapterKey | None = None
        self.names: list[bytes] = []
        self.since = 0
        self.last: int | None = None
        self._written = 0
        self._tokens = tokens

    @property
    def to_read(self) -> int:
        """Tokens of the prompt that are still to be read."""
        return len(self.request.prompt) - self.slot.length

    @property
    def next_names(self) -> list[bytes]:
        """Names of the whole pieces of the prompt that are still to be read."""
        return self.names[self.slot.length // PIECE_TOKENS :]

    def to_take(self, most: int) -> int:
        """Return how many tokens to read next: whole pieces, of at most so many tokens but one, or the last piece."""
        whole = (self.to_read - 1) // PIECE_TOKENS
        return min(whole, max(1, most // PIECE_TOKENS)) * PIECE_TOKENS if whole else self.to_read

    def span(self, count: int) -> Span:
        """Return the next tokens of the prompt."""
        start = self.slot.length
        tokens = self.request.prompt[start : start + count]
        return Span(self.slot, tokens, self.adapter, wanted=count == self.to_read)

    def say(self, token: int) -> bool:
        """Tell the caller the next token, and return whether it was the last."""
        self.last = token
        self._written += 1
        told = self.sampler.told(token)
        last = told[-1] in self.request.stop or self._written == self.request.limit
        for each in told[:-1]:
            self._tokens.put((self.place, each, False))
        self._tokens.put((self.place, told[-1], last))
        return last

    def fail(self, error: Exception) -> None:
        """Tell the caller that there is no answer."""
        self._tokens.put((self.place, error, True))


def _failure(error: Exception) -> ModelError:
    """Return what callers are told of an error that nobody foresaw."""
    failure = ModelError(
        f"the model failed ({type(error).__name__}: {error}); ask again, and report it if it lasts"
    )
    failure.__cause__ = error
    return failure


def _next(tokens: queue.SimpleQueue[_Said], cancelled: Callable[[], bool]) -> tuple[int, int, bool]:
    """Return the next token said, once there is one and the caller still wants it."""
    place, token, last = awaited(tokens, cancelled)
    if isinstance(token, Exception):
        raise token
    return place, token, last
