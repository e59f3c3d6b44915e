"""Scoring off the event loop: texts of all requests wait in one bounded queue and are scored together.

Nothing waits on purpose: while one batch is scored, the next one gathers. A queue that is full refuses at once, so that
memory does not grow with the number of callers. Scorers can be replaced between two batches: see reloading.py.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from gapnlp.api.problems import ApiProblem
from gapnlp.errors import GapnlpError, ModelError
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure, Feedback, Source
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.scorer import Scorer

T = TypeVar("T")
Outcome = Analysis | Failure

# The kind of a Failure whose text made the scorer fail.
BROKEN = "broken"
# Characters scored together at most: long texts make small batches, so that nobody waits long behind them.
_BATCH_CHARACTERS = 100_000
_LONGEST_RETRY = 30
# What a scorer is asked first, so that its bundles are read before the first caller waits for them.
_WARM_UP: dict[str, str] = {"en": "The parcel came late.", "pl": "Paczka przyszła późno.", "zh": "包裹来得很晚。"}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """One text to score. evidence: also say which words speak for each label."""

    item: Feedback
    evidence: bool = True


@dataclass(slots=True)
class _Request:
    """The texts of one request on their way; `future` has the outcomes once the last one is there."""

    asks: Sequence[Ask]
    future: Future[list[Outcome]] = field(default_factory=Future)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def claim(self) -> bool:
        """Begin with a text of it; False when nobody waits for the answer any more."""
        with self.lock:
            return self.future.running() or (not self.future.cancelled() and self.future.set_running_or_notify_cancel())

    def put(self, place: int, outcome: Outcome) -> None:
        """Add an outcome; the last one completes the request."""
        with self.lock:
            self.outcomes[place] = outcome
            if len(self.outcomes) == len(self.asks):
                self.future.set_result([self.outcomes[i] for i in range(len(self.asks))])


@dataclass(slots=True)
class _Call:
    """Something else to be done with the scorer, between two batches."""

    run: Callable[[Scorer], None]
    future: Future[None]


_Piece = tuple[_Request, int] | _Call


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """queue: texts that may wait. batch: texts scored together. threads: scorers, each with its own memory."""

    queue: int
    batch: int
    threads: int = 1

    @property
    def most_texts(self) -> int:
        """Texts that are held at a time, waiting or being scored."""
        return self.queue + self.batch * self.threads


class ScoringPool:
    """Threads with a scorer each, fed from one bounded queue.

    make_scorer is called once in each thread: a scorer serves one thread at a time.
    """

    def __init__(self, make_scorer: Callable[[], Scorer], limits: PoolLimits) -> None:
        self.limits = limits
        self._make_scorer = make_scorer
        self._pieces: deque[_Piece] = deque()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._stopping = False
        # One for each thread; None before it is loaded.
        self._scorers: list[Scorer | None] = [None] * limits.threads
        self._fault: GapnlpError | None = None
        # Seconds a text took lately: what Retry-After is estimated from.
        self._pace = 0.01
        # Told how many texts are scored together, before each batch.
        self.on_batch: Callable[[int], None] = lambda texts: None

    @property
    def waiting(self) -> int:
        """Texts in the queue."""
        return len(self._pieces)

    @property
    def ready(self) -> bool:
        """Whether a scorer is loaded and takes work."""
        return self.scorer is not None and not self._stopping

    @property
    def scorer(self) -> Scorer | None:
        """One of the scorers at work, to look at and not to score with; None before one is loaded."""
        return next((s for s in self._scorers if s is not None), None)

    @property
    def fault(self) -> GapnlpError | None:
        """Why no scorer could be made, if so."""
        return self._fault

    def start(self) -> None:
        """Start the threads; they load their scorers while the server already answers."""
        for number in range(self.limits.threads):
            thread = threading.Thread(target=self._serve, args=(number,), name=f"scoring-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Finish what waits, then end the threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def replace_scorers(self, make: Callable[[], Scorer], unchanged: Collection[str] = ()) -> None:
        """Make new scorers beside those at work, and let them take over between two batches.

        unchanged: languages whose classifiers stay those that they are.
        Call it in a thread of its own: it takes as long as loading does. Raises ModelError when one cannot be made;
        then nothing has changed.
        """
        fresh: list[Scorer | None] = [_made_beside(old, make, unchanged) for old in self._scorers]
        with self._changed:
            self._scorers, self._fault = fresh, None

    def check_room(self, texts: int = 1) -> None:
        """Raise ApiProblem "busy" when so many texts would not fit into the queue, "not-ready" without a scorer."""
        if self._fault is not None or self._stopping or not self._threads:
            raise ApiProblem("not-ready", "texts cannot be scored at the moment", headers={"Retry-After": "5"})
        if len(self._pieces) + texts > self.limits.queue:
            seconds = min(_LONGEST_RETRY, max(1, math.ceil(len(self._pieces) * self._pace)))
            detail = f"{len(self._pieces)} texts are waiting and no more are taken; try again in {seconds} s"
            raise ApiProblem("busy", detail, headers={"Retry-After": str(seconds)})

    async def classify(self, asks: Sequence[Ask]) -> list[Outcome]:
        """Score texts together with those of other requests: one outcome each, in order.

        A text that makes the scorer fail becomes a Failure of kind BROKEN; the others are scored.
        Raises ApiProblem "busy" when the queue is full.
        """
        if not asks:
            return []
        request = _Request(asks)
        with self._changed:
            self.check_room(len(asks))
            self._pieces.extend((request, place) for place in range(len(asks)))
            self._changed.notify()
        return await asyncio.wrap_future(request.future)

    async def call(self, work: Callable[[Scorer], T]) -> T:
        """Do something else with a scorer, in its thread. Raises what the work raises, and "busy"."""
        found: list[T] = []
        call = _Call(lambda scorer: found.append(work(scorer)), Future())
        with self._changed:
            self.check_room()
            self._pieces.append(call)
            self._changed.notify()
        await asyncio.wrap_future(call.future)
        return found[0]

    def _serve(self, number: int) -> None:
        self._load(number)
        while (pieces := self._take()) is not None:
            # Asked for at each batch: it may be another one by now.
            scorer = self._scorers[number]
            if scorer is None:
                _refuse(pieces)
                continue
            started = time.monotonic()
            self.on_batch(len(pieces))
            _work(scorer, pieces)
            self._pace += 0.1 * ((time.monotonic() - started) / len(pieces) - self._pace)

    def _load(self, number: int) -> None:
        try:
            scorer, fault = _made_beside(None, self._make_scorer), None
        except GapnlpError as error:
            scorer, fault = None, error
            log.error("no scorer could be made: %s", fault)
        with self._changed:
            if self._scorers[number] is None:  # else it was replaced meanwhile, by a later one
                self._scorers[number], self._fault = scorer, fault or self._fault

    def _take(self) -> list[_Piece] | None:
        """Take one call, or texts up to a batch; None when stopped and nothing is left."""
        with self._changed:
            while not self._pieces:
                if self._stopping:
                    return None
                self._changed.wait()
            taken = [self._pieces.popleft()]
            characters = _length(taken[0])
            while self._fits(taken, characters):
                taken.append(self._pieces.popleft())
                characters += _length(taken[-1])
            return taken

    def _fits(self, taken: list[_Piece], characters: int) -> bool:
        if not self._pieces or isinstance(taken[0], _Call) or isinstance(self._pieces[0], _Call):
            return False
        return len(taken) < self.limits.batch and characters + _length(self._pieces[0]) <= _BATCH_CHARACTERS


def _made_beside(old: Scorer | None, make: Callable[[], Scorer], unchanged: Collection[str] = ()) -> Scorer:
    """Make a scorer and have it read its bundles. old: works on meanwhile, and leaves the new one what both can use.

    unchanged: languages whose classifiers both can use.

    Raises ModelError, whatever goes wrong: who asks has to go on.
    """
    try:
        scorer = make()
        if old is None:
            scorer.score([Feedback(x, _WARM_UP[x], Source("", 0), language=x) for x in LANGUAGES])
            return scorer
        scorer.take_over(old, unchanged)
        for language in (x for x in LANGUAGES if x not in unchanged):
            scorer.classifier(language).predict([[_WARM_UP[language]]])
    except Exception as error:  # noqa: BLE001 - as above
        raise error if isinstance(error, GapnlpError) else ModelError(f"unexpected {type(error).__name__}") from None
    return scorer


def _length(piece: _Piece) -> int:
    return 0 if isinstance(piece, _Call) else len(piece[0].asks[piece[1]].item.text)


def _refuse(pieces: Sequence[_Piece]) -> None:
    problem = ApiProblem("not-ready", "texts cannot be scored at the moment", headers={"Retry-After": "5"})
    for piece in pieces:
        future: Future[list[Outcome]] | Future[None] = piece.future if isinstance(piece, _Call) else piece[0].future
        if not future.done():
            future.set_exception(problem)


def _work(scorer: Scorer, pieces: Sequence[_Piece]) -> None:
    """Do what was taken, and hand each outcome over as soon as it is there."""
    for call in (p for p in pieces if isinstance(p, _Call)):
        _run(scorer, call)
    places = [p for p in pieces if not isinstance(p, _Call) and p[0].claim()]
    asks = [request.asks[place] for request, place in places]
    for (request, place), outcome in zip(places, _outcomes(scorer, asks), strict=True):
        request.put(place, outcome)


def _run(scorer: Scorer, call: _Call) -> None:
    if not call.future.set_running_or_notify_cancel():
        return
    try:
        call.run(scorer)
    except Exception as error:  # noqa: BLE001 - handed to who asked
        call.future.set_exception(error)
    else:
        call.future.set_result(None)


def _outcomes(scorer: Scorer, asks: Sequence[Ask]) -> Iterator[Outcome]:
    for ask, outcome in zip(asks, _score(scorer, asks), strict=True):
        yield _explained(scorer, outcome) if ask.evidence and isinstance(outcome, Analysis) else outcome


def _score(scorer: Scorer, asks: Sequence[Ask]) -> list[Outcome]:
    """Score a batch; when that fails, each text alone, so that one text cannot spoil the others' answers."""
    if not asks:
        return []
    try:
        return scorer.score([a.item for a in asks])
    except Exception as error:  # noqa: BLE001 - whatever a text did to the scorer
        if len(asks) > 1:
            return [_score(scorer, [a])[0] for a in asks]
        return [_broken(asks[0].item, error)]


def _explained(scorer: Scorer, analysis: Analysis) -> Outcome:
    try:
        return scorer.explain(analysis)
    except Exception as error:  # noqa: BLE001 - as above
        return _broken(analysis.feedback, error)


def _broken(item: Feedback, error: Exception) -> Failure:
    log.error("a text of %d characters made the scorer fail with %s", len(item.text), type(error).__name__)
    return Failure(item.source, BROKEN, "could not be scored: an error of the server, which is logged", item.id)
