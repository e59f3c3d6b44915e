"""Corrections as the service takes and gives them: what was judged, by whom, once a key."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gapnlp.errors import Conflict, InputError, NotFound
from gapnlp.records.corrections import GivenLabels
from gapnlp.records.labels import HEADS, Labels
from gapnlp.records.service import StoredSegment
from gapnlp.service.corrections import CorrectionService, new_correction, of_segment, tell_correction
from gapnlp.settings import read_settings

GAPS = GivenLabels(gaps=("delivery",))
SEGMENT = StoredSegment(
    item="r1", row=2, number=0, start=0, end=13, text="It came late.", before="", after="", language="en",
    labels=Labels("pos", {"reliability": "pos"}), probabilities={}, place=7, model_version="m-1",
)  # fmt: skip


@pytest.fixture
def service(tmp_path):
    opened = CorrectionService(read_settings(data_dir=tmp_path))
    yield opened
    opened.close()


def correction(text="It came late.", given=GAPS, project="shop", **more):
    return new_correction(project, "anna", given, text=text, **more)


def lines(service, project="shop"):
    return [json.loads(line) for line in "".join(service.lines(project)).splitlines()]


def test_only_what_was_judged_is_told():
    assert GAPS.judged() == {
        "gap:customer": False, "gap:knowledge": False, "gap:policy": False, "gap:delivery": True,
        "gap:communication": False,
    }  # fmt: skip
    dimensions = GivenLabels(dimensions={"empathy": "pos"}).judged()
    assert {label for label, given in dimensions.items() if given} == {"dimension:empathy:pos", "presence:empathy"}
    assert len(dimensions) == 20
    assert GivenLabels(expectation="none").judged() == dict.fromkeys(
        ("expectation:unmet", "expectation:met", "expectation:exceeded"), False
    )
    whole = GivenLabels("mixed", {}, (), "met", True).judged()
    assert set(whole) == set(HEADS)
    assert {label for label, given in whole.items() if given} == {"sentiment:mixed", "expectation:met", "churn"}


def test_what_was_given_is_put_over_what_the_model_said():
    said = Labels("neg", {"reliability": "neg"}, ("delivery",), "unmet", True)
    assert GivenLabels().over(said) == said
    assert GivenLabels(dimensions={}, gaps=(), churn=False).over(said) == Labels("neg", {}, (), "unmet", False)
    assert GivenLabels("pos", expectation="none").over(said) == Labels(
        "pos", {"reliability": "neg"}, ("delivery",), "none", True
    )


@pytest.mark.parametrize(("text", "given"), [("x", GivenLabels()), (" \n", GAPS), ("\0", GAPS)])
def test_nothing_judged_or_no_text_is_refused(text, given):
    with pytest.raises(InputError):
        correction(text, given)


def test_a_corrected_text_is_exported_as_a_labelled_ticket(service):
    kept, replayed = service.add(correction("It came\nlate \ud800.", ticket="4711"))
    assert not replayed
    (line,) = lines(service)
    assert line["text"] == "It came\nlate ?."
    assert (line["id"], line["ticket"], line["annotator"]) == (kept.id, "4711", "anna")
    assert line["given"] == GAPS.judged()
    assert line["source"] == {"file": "corrections", "row": 0}
    assert line["created"] == kept.created.isoformat()
    assert line["model_labels"] is None


def test_texts_without_a_ticket_are_tickets_of_their_own(service):
    first, second = correction("a"), correction("b")
    assert first.ticket != second.ticket
    assert correction("a").ticket == first.ticket


def test_a_corrected_segment_says_what_the_model_said(service):
    told = tell_correction(of_segment(correction(ticket="r1"), "a" * 32, SEGMENT))
    assert told["ticket"] == f"{'a' * 32}:r1"
    assert told["model_labels"]["dimensions"] == {"reliability": "pos"}
    assert (told["model_version"], told["language"], told["segment"], told["source"]["row"]) == ("m-1", "en", 7, 2)


def test_the_same_key_keeps_one_correction(service):
    first, _ = service.add(correction(), "k")
    again, replayed = service.add(correction(), "k")
    assert (again.id, replayed) == (first.id, True)
    with pytest.raises(Conflict):
        service.add(correction(given=GivenLabels(gaps=("policy",))), "k")
    assert len(lines(service)) == 1
    assert lines(service, "hotel") == []


def test_what_is_taken_back_is_gone(service):
    kept, _ = service.add(correction())
    for wrong in ("f" * 32, kept.id + "f"):
        with pytest.raises(NotFound):
            service.take_back("shop", wrong)
    with pytest.raises(NotFound):
        service.take_back("hotel", kept.id)
    service.take_back("shop", kept.id)
    assert lines(service) == []


def test_a_segment_of_a_job_that_is_not_there_is_not_kept(service):
    with pytest.raises(NotFound):
        service.add(replace(of_segment(correction(), "a" * 32, SEGMENT)))
