"""What pages are made of: bars, sentences with evidence, progress in words, drafts."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request

from gapnlp.api.access import LOCAL
from gapnlp.api.web.bars import dimension_bars, gap_bars
from gapnlp.api.web.columns import list_choices, take_sample
from gapnlp.api.web.drafts import Drafts
from gapnlp.api.web.exploring import Links
from gapnlp.api.web.forms import write_size
from gapnlp.api.web.quotes import LONGEST, cut_pieces, scored_sentences, stored_sentence, write_tags
from gapnlp.api.web.rendering import show
from gapnlp.api.web.selection import describe
from gapnlp.api.web.signing import sign_in_address
from gapnlp.api.web.telling import tell_job, write_duration
from gapnlp.api.web.visits import begin_visit
from gapnlp.api.web.wording import load_page_words
from gapnlp.errors import InputError, NotFound
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment, Span
from gapnlp.records.feedback import ColumnRole, Feedback, Recognition, Source
from gapnlp.records.labels import LABELS, Labels
from gapnlp.records.service import STATES, Job, JobOptions, SegmentFilter, StoredSegment

EN = load_page_words("en")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def share(percent: str) -> float:
    assert percent.endswith("%")
    return float(percent[:-1])


@pytest.fixture(scope="module")
def report(report_samples):
    return report_samples.make_report()


def test_a_gaps_bar_is_as_long_as_its_share_and_its_interval_lies_around(report):
    bars, axis = gap_bars(report, EN)
    assert [share(bar.width) for bar in bars] == sorted((share(bar.width) for bar in bars), reverse=True)
    by_key = {gap.gap: gap for gap in report.gaps}
    top = float(axis.marks[-1][1].rstrip("%")) / 100
    for bar in bars:
        gap = by_key[bar.key]
        estimate = gap.corrected_share if bar.corrected else gap.raw_share
        assert share(bar.width) / 100 * top == pytest.approx(estimate.value or 0, abs=1e-4)
        if bar.whisker:
            assert share(bar.whisker.low) <= share(bar.width) <= share(bar.whisker.high) <= 100
    assert any(bar.whisker for bar in bars)


def test_perception_lies_where_praise_ends(report):
    bars, _ = dimension_bars(report, EN)
    for bar, result in ((bar, next(d for d in report.dimensions if d.dimension == bar.key)) for bar in bars):
        if not bar.parts:
            assert result.segments == 0
            continue
        assert sum(share(part.width) for part in bar.parts) == pytest.approx(100, abs=0.05)
        expected = sum(share(part.width) * {"pos": 1, "neu": 0.5, "neg": 0}[part.polarity] for part in bar.parts)
        n = sum(result.counts.values())
        assert expected == pytest.approx(
            100 * (result.counts.get("pos", 0) + result.counts.get("neu", 0) / 2) / n, abs=0.05
        )


def test_evidence_is_cut_out_of_the_sentence_wherever_the_sentence_stands():
    text = "Nobody answered my emails for days."
    spans = [Span(107, 115), Span(100, 106), Span(112, 120), Span(90, 103), Span(400, 410)]
    pieces = cut_pieces(text, 100, spans)
    assert "".join(piece.text for piece in pieces) == text
    # Spans that overlap or touch are one; what lies outside is cut off.
    assert [piece.text for piece in pieces if piece.marked] == ["Nobody", "answered my e"]


def test_a_long_sentence_is_cut_and_says_so():
    pieces = cut_pieces("a" * (LONGEST + 50), 0, [Span(LONGEST - 5, LONGEST + 20)])
    assert sum(len(piece.text) for piece in pieces) == LONGEST + 1
    assert pieces[-1].text == "…"


def segment(**changes):
    labels = Labels("neg", {"reliability": "neg", "empathy": "pos"}, ("delivery",), "unmet", churn=True)
    stored = StoredSegment(
        item="R-1", row=2, number=0, start=100, end=135, text="Nobody answered my emails for days.",
        before="It came late. ", after="", language="en", labels=labels,
        probabilities={"gap:delivery": 0.912, "dimension:reliability:neg": 0.5},
        evidence={"gap:delivery": (Span(100, 106),), "dimension:reliability:neg": (Span(107, 115),)},
    )  # fmt: skip
    return replace(stored, **changes)


def marked(sentence):
    return [piece.text for piece in sentence.pieces if piece.marked]


def test_what_was_asked_for_is_what_is_marked():
    assert marked(stored_sentence(segment(), SegmentFilter(), EN)) == ["Nobody", "answered"]
    assert marked(stored_sentence(segment(), SegmentFilter(gap="delivery"), EN)) == ["Nobody"]
    assert marked(stored_sentence(segment(), SegmentFilter(dimension="reliability"), EN)) == ["answered"]


def test_context_says_where_it_was_cut():
    sentence = stored_sentence(segment(after="x" * 80), SegmentFilter(), EN)
    assert sentence.before == "…It came late. "
    assert sentence.after == "x" * 80 + "…"
    assert stored_sentence(segment(start=14, end=49), SegmentFilter(), EN).before == "It came late. "


def test_every_label_is_said_with_its_probability():
    stored = segment()
    tags = [(tag.name, tag.share) for tag in write_tags(stored.labels, stored.probabilities, EN)]
    assert tags == [
        ("Delivery gap", "91%"),
        ("Reliability: fault", "50%"),
        ("Empathy: praise", ""),
        ("Expectation: not met", ""),
        ("Leaving or switching", ""),
        ("Overall: negative", ""),
    ]


def test_a_selection_knows_its_count_only_when_the_report_does(report):
    gap = next(g for g in report.gaps if g.segments)
    assert describe(report, SegmentFilter(), EN).total == report.segments
    assert describe(report, SegmentFilter(gap=gap.gap), EN).total == gap.segments
    assert describe(report, SegmentFilter(gap=gap.gap, group="x"), EN).total is None
    faulted = next(d for d in report.dimensions if d.counts.get("neg"))
    chosen = SegmentFilter(dimension=faulted.dimension, polarity="neg")
    assert describe(report, chosen, EN).total == faulted.counts["neg"]
    assert describe(report, SegmentFilter(polarity="neg"), EN).total is None


def test_a_chosen_group_is_compared_with_the_rest(report):
    breakdown = next(b for b in report.breakdowns if b.kind == "group")
    cell = next(c for c in breakdown.cells if c.enough and any(x.differs for x in c.comparisons))
    [standing] = describe(report, SegmentFilter(group=cell.name), EN).standings
    assert standing.items == cell.items
    assert standing.own is None
    assert 0 < len(standing.differences) <= sum(c.differs for c in cell.comparisons)
    assert describe(report, SegmentFilter(group="nobody of this name"), EN).standings == ()
    compared = next(c for c in cell.comparisons if c.measure.startswith("gap:") and c.estimate.value is not None)
    chosen = SegmentFilter(group=cell.name, gap=compared.measure.partition(":")[2])
    [standing] = describe(report, chosen, EN).standings
    assert standing.own.value.startswith(EN.formats.percent(compared.estimate.value))


def job(**changes):
    running = Job(
        "0" * 32, "local", "running", "reviews.csv", JobOptions(), NOW, started=NOW, rows_done=500, rows_total=2000,
        stage="scoring", resumed=NOW, updated=NOW + timedelta(seconds=10),
    )  # fmt: skip
    return replace(running, **changes)


def test_a_running_job_tells_rows_speed_and_time_left():
    told = tell_job(job(), EN)
    assert (told.rows, told.rate, told.left) == ("500 of about 2,000", "50 rows a second", "about 30 seconds")
    assert (told.share, told.percent, told.ended) == (0.25, "25%", False)


def test_a_job_is_not_shown_as_done_before_it_is():
    assert tell_job(job(rows_done=2100), EN).share == 0.99
    assert tell_job(job(rows_done=2100), EN).rows == "2,100 of about 2,100"
    assert tell_job(job(rows_total=None), EN).share is None
    assert tell_job(job(state="succeeded", stage=None), EN).share == 1.0


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "about 1 second"),
        (44.1, "about 45 seconds"),
        (89, "about 89 seconds"),
        (95, "about 2 minutes"),
        (3500, "about 58 minutes"),
        (9000, "about 2 hours"),
    ],
)
def test_time_left_is_said_roughly(seconds, said):
    assert write_duration(seconds, EN) == said


def test_polish_counts_in_its_own_forms():
    polish = load_page_words("pl")
    assert [write_duration(s, polish) for s in (1, 2, 5)] == ["około 1 sekundy", "około 2 sekund", "około 5 sekund"]
    assert write_size(1_500_000, polish.formats) == "1,5\u00a0MB"


def test_columns_show_what_was_recognised_and_what_was_chosen():
    roles = ("positive", "negative", "ignored", "group")
    columns = tuple(ColumnRole(name, role, "why") for name, role in zip("abcd", roles, strict=True))
    recognition = Recognition("f.csv", "csv", None, ",", None, columns)
    choices = {c.role: c for c in list_choices(recognition, JobOptions(by="d", date="c"))}
    assert choices["text"].recognised == ("a", "b")
    assert (choices["by"].chosen, choices["by"].recognised) == ("d", ())
    assert choices["date"].chosen == "c"
    assert choices["rating"].recognised == ()


def test_a_sample_shows_used_columns_first_and_counts_the_others():
    names = tuple(f"c{n}" for n in range(40))
    recognition = Recognition(
        "f", "csv", None, ",", None, (ColumnRole("c39", "text", ""), ColumnRole("c7", "ignored", ""))
    )
    sample = take_sample((names, tuple(f"v{n}" for n in range(40))), recognition)
    assert sample.heads[-1] == ("c39", ("text",))
    assert sample.rows[0][-1] == "v39"
    assert len(sample.heads) + sample.hidden == 40
    assert take_sample((names, ("x" * 500,) * 40), None).rows[0][0].endswith("…")


@pytest.fixture
def drafts(tmp_path):
    return Drafts(tmp_path / "drafts")


def arrive(drafts, content=b"text\nhello\n"):
    place = drafts.place()
    place.write_bytes(content)
    return place


def test_a_draft_belongs_to_its_project(drafts):
    draft = drafts.begin("north", "a.csv", arrive(drafts))
    assert drafts.get("north", draft.token).path.read_bytes() == b"text\nhello\n"
    for project, token in (("south", draft.token), ("north", "0" * 32), ("north", "../" + draft.token)):
        with pytest.raises(NotFound):
            drafts.get(project, token)


def test_a_name_is_never_a_path(drafts, tmp_path):
    draft = drafts.begin("north", "../../../etc/passwd.csv", arrive(drafts))
    assert draft.path.parent.parent == tmp_path / "drafts"
    assert draft.path.name == "upload.csv"
    with pytest.raises(InputError):
        drafts.begin("north", "program.exe", arrive(drafts))


def test_a_started_draft_remembers_its_job_but_no_text(drafts):
    draft = drafts.begin("north", "a.csv", arrive(drafts))
    drafts.finish(draft, "f" * 32)
    assert drafts.job_of("north", draft.token) == "f" * 32
    assert drafts.job_of("south", draft.token) is None
    assert b"hello" not in b"".join(p.read_bytes() for p in drafts.folder.rglob("*") if p.is_file())
    with pytest.raises(NotFound):
        drafts.get("north", draft.token)


def test_what_is_left_lying_is_deleted(drafts):
    old, new = (drafts.begin("north", "a.csv", arrive(drafts)) for _ in range(2))
    stray = arrive(drafts)
    other = drafts.folder / "somebody-elses.csv"
    other.write_bytes(b"text")
    for path in (old.path.parent, stray, other):
        os.utime(path, (time.time() - 4000,) * 2)
    drafts.place()
    assert not old.path.exists()
    assert not stray.exists()
    assert new.path.exists()
    assert other.exists()


def test_addresses_keep_the_other_filters():
    links = Links("/page/reports/1", SegmentFilter(gap="delivery", group="A & B"))
    assert links.to(gap=None) == "/page/reports/1?group=A+%26+B"
    assert links.to(dimension="empathy", gap=None).endswith("?dimension=empathy&group=A+%26+B")
    assert links.after("c==").endswith("?gap=delivery&group=A+%26+B&cursor=c%3D%3D")


def test_signing_in_leads_back_to_a_page():
    assert sign_in_address("/") == "/page/sign-in"
    assert sign_in_address("/page/reports/1") == "/page/sign-in?next=/page/reports/1"


def visit(path="/page/jobs/1", ui="en"):
    """A visit of somebody on this machine."""
    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": f"ui={ui}".encode(), "headers": [],
        "scheme": "http", "server": ("localhost", 80), "state": {"caller": LOCAL},
    }  # fmt: skip
    return begin_visit(Request(scope))


@pytest.mark.parametrize("ui", ["en", "pl", "zh"])
@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_job_has_a_page(state, ui):
    error = "reviews.csv, row 7: <b>too long</b>" if state == "failed" else None
    shown = job(state=state, error=error)
    answer = show(visit(ui=ui), "progress.html.j2", {"job": shown, "told": tell_job(shown, load_page_words(ui))})
    page = answer.body.decode()
    assert load_page_words(ui).say(f"web.progress.{'scoring' if state == 'running' else state}") in page
    assert ("row 7: &lt;b&gt;too long" in page) == (state == "failed")
    # Without a script the page of a job under way asks again by itself; a script listens instead.
    assert ("http-equiv" in page) == ("data-events" in page) == (state in ("queued", "running"))
    assert ("/cancel" in page) == (state in ("queued", "running"))


def test_what_the_model_abstains_from_is_said_plainly():
    labels = Labels("neg", {}, ("delivery",))
    scored = ScoredSegment(Segment(0, 5, "Hmm.."), labels, tuple(0.3 for _ in LABELS), abstained=True)
    analysis = Analysis(Feedback("1", "Hmm..", Source("text", 1)), "en", (scored,), "made-1")
    values = {"refusal": "", "analysis": analysis, "sentences": scored_sentences(analysis, EN)}
    page = show(visit("/page/try"), "try_result.html.j2", values).body.decode()
    assert "The model abstains" in page
    assert "30%" in page
    stored = stored_sentence(segment(abstained=True), SegmentFilter(), EN)
    assert stored.abstained


def test_a_text_without_a_judgement_is_said_to_have_none():
    scored = ScoredSegment(Segment(0, 5, "Hello"), Labels("neu", {}), tuple(0.1 for _ in LABELS))
    analysis = Analysis(Feedback("1", "Hello", Source("text", 1)), "en", (scored,), "made-1")
    values = {"refusal": "", "analysis": analysis, "sentences": scored_sentences(analysis, EN)}
    assert "no dimension, no gap" in show(visit(), "try_result.html.j2", values).body.decode()
