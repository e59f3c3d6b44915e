"""Who learns from which rows: every classifier on the same draws of every company, each result kept."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from benchmarks.retraining.answers import AnswerCache, Answered, Decided, f1_by_label, macro_f1, rows_digest
from benchmarks.retraining.ours import (
    ADAPTED,
    FINE_TUNED,
    answer_adapted,
    answer_base,
    answer_fine_tuned,
    source_digest,
)
from benchmarks.retraining.peers import FORMS, PEERS, answer_peer
from benchmarks.retraining.tasks import Company
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import BundleInfo
from gapnlp.records.tickets import LabelledTicket

Tickets = Sequence[LabelledTicket]
# Training rows and seed; a base that was not trained has (0, 0).
Draw = tuple[int, int]
UNTRAINED: Draw = (0, 0)


@dataclass(frozen=True, slots=True)
class Result:
    """One classifier trained on one draw.

    size: training rows, 0 for none. macro: mean of f1, which is label -> F1 on the test rows. seconds: to learn and
    answer. digest: of the test rows, so that results of other test sets are never put together.
    """

    task: str
    classifier: str
    size: int
    seed: int
    macro: float
    f1: Mapping[str, float]
    seconds: float
    digest: str


@dataclass(frozen=True, slots=True)
class Runner:
    """Trains and measures on one company. kept_only: nothing is trained, only what the cache holds is given."""

    company: Company
    cache: AnswerCache
    kept_only: bool = False

    def peer(self, name: str, draws: Sequence[Draw]) -> Iterator[Result]:
        """Train a peer on each draw."""
        for draw in draws:
            train = self.company.draw(*draw)

            def learn(train: Tickets = train) -> Mapping[str, Decided]:
                return answer_peer(name, train, self.company.test, language=self.company.task.language)

            made_of = (rows_digest(train, self.company.test), PEERS[name].source_digest())
            yield from self._results(FORMS.get(name, (name,)), draw, made_of, learn)

    def adapter(self, kind: str, base: Classifier, draws: Sequence[Draw]) -> Iterator[Result]:
        """Measure a base, then an adapter on top of it for each draw. kind: the base's name in the table."""
        test = self.company.test
        untrained = (rows_digest((), test), base.version)
        yield from self._results((kind,), UNTRAINED, untrained, lambda: {kind: answer_base(base, test)})
        name = ADAPTED.format(kind)
        for draw in draws:
            train = self.company.draw(*draw)

            def learn(train: Tickets = train) -> Mapping[str, Decided]:
                return {name: answer_adapted(base, train, test)}

            made_of = (rows_digest(train, test), base.version, source_digest())
            yield from self._results((name,), draw, made_of, learn)

    def fine_tuned(self, kind: str, base: Classifier, start: BundleInfo, draws: Sequence[Draw]) -> Iterator[Result]:
        """Train an adapter with an encoder of its own for each draw. start: the bundle whose encoder is tuned."""
        test, name = self.company.test, FINE_TUNED.format(kind)
        for draw in draws:
            train = self.company.draw(*draw)

            def learn(train: Tickets = train) -> Mapping[str, Decided]:
                return {name: answer_fine_tuned(base, start, train, test)}

            made_of = (rows_digest(train, test), base.version, start.version, source_digest(fine_tuned=True))
            yield from self._results((name,), draw, made_of, learn)

    def _results(
        self, forms: Sequence[str], draw: Draw, made_of: Sequence[str], learn: Callable[[], Mapping[str, Decided]]
    ) -> Iterator[Result]:
        size, seed = draw
        digest = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
        task = self.company.task
        keys = {f: f"{task.name}-{f.replace(', ', '_').replace(' + ', '_')}-{size}-{seed}-{digest}" for f in forms}
        for form, answered in self._answers(keys, learn).items():
            f1 = f1_by_label(self.company.test, answered.decided, task.labels)
            rows = rows_digest(self.company.test)
            yield Result(task.name, form, size, seed, macro_f1(f1), f1, round(answered.seconds, 2), rows)

    def _answers(self, keys: Mapping[str, str], learn: Callable[[], Mapping[str, Decided]]) -> Mapping[str, Answered]:
        """Take what the cache holds, or learn and keep it. keys: form -> name in the cache."""
        test, cache = self.company.test, self.cache
        found = {form: answered for form, key in keys.items() if (answered := cache.read(key, test)) is not None}
        if len(found) == len(keys) or self.kept_only:
            return found
        started = time.perf_counter()
        with threadpool_limits(1):
            decided = learn()
        seconds = time.perf_counter() - started
        for form, key in keys.items():
            found[form] = Answered(decided[form], seconds)
            cache.write(key, test, found[form])
        print(f"{next(iter(keys.values()))}: {seconds:.0f} s", file=sys.stderr, flush=True)
        return found
