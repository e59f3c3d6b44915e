"""The pool: requests are scored together, the queue is bounded, one text cannot spoil another's answer."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from gapnlp.api.batching import BROKEN, Ask, PoolLimits, ScoringPool
from gapnlp.api.problems import ApiProblem
from gapnlp.errors import ModelError
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure, Feedback, Source

POISON = "poison"


@dataclass
class SlowScorer:
    """Stands in for a scorer: waits to be let go, notes its batches, fails on POISON."""

    gate: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    batches: list[list[str]] = field(default_factory=list)
    explained: int = 0
    refuses: bool = False

    def score(self, items):
        texts = [i.text for i in items]
        if texts and texts[0] == "The parcel came late.":
            return []
        self.begun.set()
        assert self.gate.wait(20)
        self.batches.append(texts)
        if POISON in texts:
            raise RuntimeError("a text of a customer")
        if self.refuses:
            return [Failure(i.source, "empty", "holds no word", i.id) for i in items]
        return [Analysis(i, "en", (), "v1") for i in items]

    def explain(self, analysis):
        self.explained += 1
        if analysis.feedback.text == "unexplainable":
            raise ValueError("a text of a customer")
        return analysis


def ask(text: str, *, evidence: bool = False) -> Ask:
    return Ask(Feedback(text, text, Source("", 1)), evidence)


def run(scorer, limits, scenario):
    """Run a scenario with a started pool."""
    pool = ScoringPool(lambda: scorer, limits)
    pool.start()

    async def main():
        while not pool.ready:
            await asyncio.sleep(0.005)
        return await asyncio.wait_for(scenario(pool), 30)

    try:
        return asyncio.run(main())
    finally:
        scorer.gate.set()
        pool.stop()


async def begun(scorer) -> None:
    while not scorer.begun.is_set():
        await asyncio.sleep(0.005)


def test_requests_that_wait_are_scored_together():
    scorer = SlowScorer()

    async def scenario(pool):
        first = asyncio.create_task(pool.classify([ask("0")]))
        await begun(scorer)
        others = [asyncio.create_task(pool.classify([ask(str(n)), ask(f"{n}b")])) for n in range(1, 4)]
        while pool.waiting < 6:
            await asyncio.sleep(0.005)
        scorer.gate.set()
        return await first, [await o for o in others]

    first, others = run(scorer, PoolLimits(queue=100, batch=4), scenario)
    assert scorer.batches == [["0"], ["1", "1b", "2", "2b"], ["3", "3b"]]
    assert [[o.feedback.text for o in answer] for answer in others] == [["1", "1b"], ["2", "2b"], ["3", "3b"]]
    assert first[0].feedback.text == "0"


def test_long_texts_make_small_batches():
    scorer = SlowScorer()
    long = "a" * 60_000

    async def scenario(pool):
        waiting = asyncio.create_task(pool.classify([ask("0"), ask(long), ask(long + "b"), ask("c")]))
        await begun(scorer)
        scorer.gate.set()
        await waiting

    run(scorer, PoolLimits(queue=10, batch=8), scenario)
    assert [len(batch) for batch in scorer.batches] == [2, 2]


def test_a_full_queue_refuses_at_once_and_takes_texts_again_later():
    scorer = SlowScorer()

    async def scenario(pool):
        first = asyncio.create_task(pool.classify([ask("0")]))
        await begun(scorer)
        waiting = asyncio.create_task(pool.classify([ask("1"), ask("2")]))
        while pool.waiting < 2:
            await asyncio.sleep(0.005)
        with pytest.raises(ApiProblem) as refused:
            await pool.classify([ask("3"), ask("4")])
        assert refused.value.kind == "busy"
        assert int(refused.value.headers["Retry-After"]) >= 1
        last = asyncio.create_task(pool.classify([ask("5")]))
        await asyncio.sleep(0.01)
        scorer.gate.set()
        await asyncio.gather(first, waiting, last)
        return await pool.classify([ask("6"), ask("7"), ask("8")])

    assert len(run(scorer, PoolLimits(queue=3, batch=1), scenario)) == 3


def test_a_text_that_breaks_the_scorer_is_the_only_one_without_an_answer():
    scorer = SlowScorer()
    scorer.gate.set()

    async def scenario(pool):
        return await pool.classify(
            [ask("a"), ask(POISON), ask("b", evidence=True), ask("unexplainable", evidence=True)]
        )

    outcomes = run(scorer, PoolLimits(queue=10, batch=8), scenario)
    assert [type(o) for o in outcomes] == [Analysis, Failure, Analysis, Failure]
    assert {o.kind for o in outcomes if isinstance(o, Failure)} == {BROKEN}
    assert "customer" not in outcomes[1].reason


def test_evidence_is_looked_for_where_it_is_asked_for():
    scorer = SlowScorer()
    scorer.gate.set()
    run(scorer, PoolLimits(9, 9), lambda pool: pool.classify([ask("a", evidence=True), ask("b"), ask("c")]))
    assert scorer.explained == 1


def test_nobody_is_served_who_gave_up():
    scorer = SlowScorer()

    async def scenario(pool):
        first = asyncio.create_task(pool.classify([ask("0")]))
        await begun(scorer)
        gone = asyncio.create_task(pool.classify([ask("gone")]))
        while pool.waiting < 1:
            await asyncio.sleep(0.005)
        gone.cancel()
        await asyncio.sleep(0.02)
        scorer.gate.set()
        await first
        return await pool.classify([ask("next")])

    run(scorer, PoolLimits(10, 1), scenario)
    assert scorer.batches == [["0"], ["next"]]


def test_other_work_is_done_between_batches_and_its_errors_come_back():
    scorer = SlowScorer()
    scorer.gate.set()

    async def scenario(pool):
        assert await pool.call(lambda s: s.explained) == 0
        with pytest.raises(ZeroDivisionError):
            await pool.call(lambda s: 1 // 0)
        return await pool.classify([ask("a")])

    assert len(run(scorer, PoolLimits(10, 1), scenario)) == 1


def test_what_waits_is_finished_before_the_pool_stops():
    scorer = SlowScorer()
    pool = ScoringPool(lambda: scorer, PoolLimits(10, 2))
    pool.start()

    async def main():
        while not pool.ready:
            await asyncio.sleep(0.005)
        waiting = [asyncio.create_task(pool.classify([ask(str(n))])) for n in range(5)]
        await begun(scorer)
        stopping = asyncio.create_task(asyncio.to_thread(pool.stop))
        await asyncio.sleep(0.02)
        with pytest.raises(ApiProblem, match="not-ready"):
            await pool.classify([ask("late")])
        scorer.gate.set()
        await stopping
        return await asyncio.gather(*waiting)

    assert len(asyncio.run(main())) == 5


@pytest.mark.parametrize("error", [ModelError("weights.json was changed"), RuntimeError("x")])
def test_without_models_texts_are_refused_and_the_reason_is_kept(error):
    def fail():
        raise error

    pool = ScoringPool(fail, PoolLimits(10, 2))
    pool.start()

    async def main():
        while pool.fault is None:
            await asyncio.sleep(0.005)
        with pytest.raises(ApiProblem, match="not-ready"):
            await pool.classify([ask("a")])

    asyncio.run(main())
    pool.stop()
    assert isinstance(pool.fault, ModelError)
    assert not pool.ready


def test_an_empty_request_has_an_empty_answer():
    scorer = SlowScorer()
    assert run(scorer, PoolLimits(1, 1), lambda pool: pool.classify([])) == []


def test_a_full_queue_is_answered_503_before_the_body_is_read(open_api):
    scorer = SlowScorer(refuses=True)
    api = open_api(scorer, classify_queue=1, classify_documents=1)
    threads = [
        threading.Thread(target=lambda: api.client.post("/classify", json={"text": "waits", "evidence": False}))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert scorer.begun.wait(20)
    while api.app.state.pool.waiting < 1:
        threading.Event().wait(0.005)
    answered = api.client.post("/classify", content=b"no JSON", headers={"Content-Type": "application/json"})
    assert (answered.status_code, answered.json()["type"]) == (503, "urn:gapnlp:problem:busy")
    assert int(answered.headers["Retry-After"]) >= 1
    scorer.gate.set()
    for thread in threads:
        thread.join(20)
    assert api.client.post("/classify", json={"text": "again", "evidence": False}).status_code == 200
