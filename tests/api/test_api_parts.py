"""Small parts of the API: offsets, answers that are remembered."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.api.memory import AnswerMemory, MemoryLimits
from gapnlp.api.offsets import Offsets
from gapnlp.api.problems import ApiProblem


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 5), st.data())
def test_utf16_offsets_cut_the_same_piece(text, base, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    units = text.encode("utf-16-le")
    offsets = Offsets(text, "utf16", base)
    cut = units[2 * offsets.at(base + start) : 2 * offsets.at(base + end)]
    assert cut.decode("utf-16-le") == text[start:end]
    assert Offsets(text, "codepoint", base).at(base + end) == end


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def answers(*given_answers: bytes | Exception):
    """Work that gives one answer after the other, and counts."""
    left = list(given_answers)

    async def work() -> bytes:
        await asyncio.sleep(0.01)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return work


def test_those_who_ask_at_the_same_time_get_one_answer():
    memory, work = AnswerMemory(), answers(b"first", b"second")

    async def main():
        return await asyncio.gather(*(memory.once(("shop", "k"), b"d", work) for _ in range(5)))

    told = asyncio.run(main())
    assert [content for content, _ in told] == [b"first"] * 5
    assert sorted(replayed for _, replayed in told) == [False, True, True, True, True]


@pytest.mark.parametrize("error", [ApiProblem("busy", "full"), RuntimeError("x")])
def test_work_that_fails_is_not_remembered(error):
    memory, work = AnswerMemory(), answers(error, b"second")

    async def main():
        both = await asyncio.gather(*(memory.once(("shop", "k"), b"d", work) for _ in range(2)), return_exceptions=True)
        return both, await memory.once(("shop", "k"), b"d", work)

    (first, waited), again = asyncio.run(main())
    assert first is error
    assert isinstance(waited, ApiProblem)
    assert again == (b"second", False)


def test_a_key_stands_for_one_request_of_one_caller():
    memory = AnswerMemory()

    async def main():
        await memory.once(("shop", "k"), b"d", answers(b"first"))
        assert await memory.once(("hotel", "k"), b"other", answers(b"theirs")) == (b"theirs", False)
        with pytest.raises(ApiProblem, match="conflict"):
            await memory.once(("shop", "k"), b"other", answers(b"never"))

    asyncio.run(main())


def test_answers_are_forgotten_by_age_number_and_size():
    clock = Clock()
    memory = AnswerMemory(MemoryLimits(seconds=10, entries=3, size=1_000), clock=clock)

    async def ask(key: str, content: bytes = b"x") -> bool:
        return (await memory.once(("shop", key), b"d", answers(content)))[1]

    async def main():
        assert [await ask("a"), await ask("a")] == [False, True]
        clock.now = 11
        assert await ask("a") is False
        for key in "bcdefgh":
            await ask(key)
        assert len(memory._entries) <= 4
        assert [await ask("h"), await ask("b")] == [True, False]
        for key in "ijklm":
            await ask(key, b"x" * 600)
        assert memory._size <= 1_800
        clock.now = 99
        await ask("z")
        assert memory._size == 1

    asyncio.run(main())
