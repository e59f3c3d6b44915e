from dataclasses import replace
from datetime import date

import pytest

from gapnlp.aggregator.build import BuildSettings, build
from gapnlp.aggregator.causes import rank_remedies
from gapnlp.aggregator.caveats import CAVEATS
from gapnlp.aggregator.tally import Tally
from gapnlp.errors import InputError
from gapnlp.records.error_counts import ShareError
from gapnlp.records.feedback import Failure, Source
from gapnlp.records.labels import DIMENSIONS, GAPS, LABEL_INDEX, Labels
from gapnlp.records.report import CauseResult, Estimate, ModelUsed, Reference
from gapnlp.taxonomy.catalogue import load_structure

ERRORS = {lang: {f"gap:{g}": ShareError(0.3, 100, 8) for g in GAPS} for lang in ("en", "pl", "zh")}


def tally_of(items, **options):
    tally = Tally(**options)
    tally.add(items)
    return tally


@pytest.fixture(scope="module")
def report(some_items):
    settings = BuildSettings(by="store", period="month", share_errors=ERRORS)
    return build(tally_of(some_items, by_group=True, period="month"), settings=settings)


def test_every_figure_has_an_interval_around_it_and_its_n(report):
    def estimates(value):
        if isinstance(value, Estimate):
            yield value
        elif hasattr(value, "__dataclass_fields__"):
            for name in value.__dataclass_fields__:
                yield from estimates(getattr(value, name))
        elif isinstance(value, tuple | list):
            for part in value:
                yield from estimates(part)
        elif isinstance(value, dict):
            yield from estimates(list(value.values()))

    found = list(estimates(report))
    assert len(found) > 150
    for e in found:
        assert e.n > 0
        assert e.low <= e.value <= e.high
        assert e.low < e.high


def test_the_same_items_in_any_order_give_the_same_report(some_items, report):
    settings = BuildSettings(by="store", period="month", share_errors=ERRORS)
    assert build(tally_of(some_items[::-1], by_group=True, period="month"), settings=settings) == report


def test_perception_and_breach_rate_by_hand(make_analysis):
    kinds = [("neg", "unmet"), ("neg", "none"), ("neu", "met"), ("pos", "exceeded"), ("pos", "unmet"), ("pos", "none")]
    parts = [[("as it was that day", Labels("neu", {"empathy": p}, (), e), ())] for p, e in kinds]
    items = [make_analysis(i, part) for i, part in enumerate(parts)]
    empathy = build(tally_of(items), settings=BuildSettings()).dimensions[DIMENSIONS.index("empathy")]
    # (3 praise - 2 fault) / 6 = 1/6, so P = 4 + 3/6.
    assert empathy.perception.value == pytest.approx(4.5)
    assert empathy.perception.n == 6
    assert empathy.breach_rate.value == pytest.approx(2 / 4)
    assert empathy.breach_rate.n == 4
    assert empathy.counts == {"neg": 2, "neu": 1, "pos": 3}


def test_servqual_gap_only_with_a_reference(some_items):
    references = {"empathy": Reference(6.0, "survey of 2024")}
    report = build(tally_of(some_items), settings=BuildSettings(references=references))
    by_name = {d.dimension: d for d in report.dimensions}
    assert by_name["reliability"].servqual_gap is None
    empathy = by_name["empathy"]
    assert empathy.servqual_gap.value == pytest.approx(empathy.perception.value - 6)
    assert empathy.servqual_gap.high == pytest.approx(empathy.perception.high - 6)
    assert empathy.reference.source == "survey of 2024"
    assert "no_reference" in report.caveats


def test_corrected_shares_are_mean_probabilities_and_need_share_errors(some_items, report):
    segments = [s for a in some_items for s in a.segments]
    for gap in report.gaps:
        mean = sum(s.probabilities[LABEL_INDEX[f"gap:{gap.gap}"]] for s in segments) / len(segments)
        assert gap.corrected_share.value == pytest.approx(mean, abs=5e-6)
        assert gap.corrected_share.n == len(segments)
    assert "not_corrected" not in report.caveats
    without = build(tally_of(some_items), settings=BuildSettings())
    assert all(g.corrected_share.value is None for g in without.gaps)
    assert "not_corrected" in without.caveats


def test_a_gap_with_too_few_examples_is_the_only_one_not_corrected(some_items):
    errors = {lang: labels | {"gap:policy": ShareError(0.3, 12, 8)} for lang, labels in ERRORS.items()}
    report = build(tally_of(some_items), settings=BuildSettings(share_errors=errors))
    assert [g.gap for g in report.gaps if g.corrected_share.value is None] == ["policy"]
    assert "not_corrected" in report.caveats
    assert "correction_partial" not in report.caveats


def test_stray_languages_without_errors_are_told(some_items):
    errors = {lang: labels for lang, labels in ERRORS.items() if lang != "zh"}
    strays = [a for a in some_items if a.language == "zh"][:5]
    items = [a for a in some_items if a.language != "zh"] + strays
    report = build(tally_of(items), settings=BuildSettings(share_errors=errors))
    left_out = sum(len(a.segments) for a in strays)
    assert {g.corrected_share.n for g in report.gaps} == {report.segments - left_out}
    assert "correction_partial" in report.caveats


def test_gaps_inside_the_firm_are_attributed(report):
    assert {g.gap for g in report.gaps if g.attributed} == {"knowledge", "policy"}
    assert "attributed_gaps" in report.caveats


def test_causes_are_ranked_and_lead_to_remedies(make_analysis):
    first, second = [c for c in load_structure().causes.values() if c.gap == "delivery"][:2]
    labels = Labels("neg", {"reliability": "neg"}, ("delivery",))
    cues = [(second.key,)] * 6 + [(first.key,)] * 3 + [()] * 4
    items = [make_analysis(i, [(f"it was late by {i} days", labels, cue)]) for i, cue in enumerate(cues)]
    gap = build(tally_of(items), settings=BuildSettings()).gaps[GAPS.index("delivery")]
    assert [(c.cause, c.segments) for c in gap.causes] == [(second.key, 6), (first.key, 3)]
    assert gap.causes[0].share.value == pytest.approx(6 / 13)
    assert gap.unexplained == 4
    assert gap.remedies[0] == second.remedies[0]
    assert set(gap.remedies) <= {*first.remedies, *second.remedies}
    assert len(gap.remedies) <= 5
    assert gap.causes[0].evidence
    assert gap.dimensions == {d: 13 if d == "reliability" else 0 for d in DIMENSIONS}


def test_remedies_follow_the_causes_that_many_name():
    nothing = Estimate(None, None, None, 0)
    rare = CauseResult("a", 2, nothing, ("first_of_rare", "shared"), ())
    frequent = CauseResult("b", 10, nothing, ("first_of_frequent", "second_of_frequent", "shared"), ())
    ranked = rank_remedies([frequent, rare], "delivery", structure=load_structure())
    # 10, then 10 / 2, then 10 / 3 + 2 / 2, then 2.
    assert ranked == ("first_of_frequent", "second_of_frequent", "shared", "first_of_rare")


def test_without_known_cause_the_general_remedies_stand(make_analysis):
    labels = Labels("neg", {}, ("policy",))
    gaps = build(tally_of([make_analysis(2, [("that is the rule", labels, ())])]), settings=BuildSettings()).gaps
    assert gaps[GAPS.index("policy")].remedies == load_structure().gap_remedies["policy"][:5]
    assert gaps[GAPS.index("delivery")].remedies == ()


def test_nothing_scored_gives_an_empty_report():
    tally = Tally(by_group=True, period="week")
    tally.add([])
    tally.add_failures([Failure(Source("a.csv", 2), "empty", "no text")])
    report = build(tally, settings=BuildSettings(by="store", period="week", share_errors=ERRORS))
    assert (report.items, report.segments, report.first) == (0, 0, None)
    assert (report.intake.read, report.intake.empty) == (1, 1)
    assert report.caveats == ("no_items",)
    assert report.overall.mean_satisfaction is None
    assert all(d.perception.value is None and d.importance is None for d in report.dimensions)
    assert all(g.raw_share.value is None and g.evidence == () for g in report.gaps)
    assert [b.cells for b in report.breakdowns] == [(), ()]


def test_items_without_segments_do_not_break_anything(make_analysis):
    report = build(tally_of([make_analysis(2, [], satisfaction=1.0)]), settings=BuildSettings())
    assert (report.items, report.segments) == (1, 0)
    assert report.overall.mean_satisfaction.value == 1
    assert report.overall.mean_satisfaction.low < 0.9


def test_breakdowns_are_ordered_and_count_items_without(some_items, report):
    groups, periods = report.breakdowns
    sizes = [c.items for c in groups.cells]
    assert (groups.kind, groups.by, sizes) == ("group", "store", sorted(sizes, reverse=True))
    assert groups.without == sum(a.feedback.group is None for a in some_items) == 600 - sum(sizes)
    names = [c.name for c in periods.cells]
    assert (periods.kind, periods.by, names) == ("period", "month", [f"2025-{m:02d}" for m in range(1, 13)])
    assert all(c.evidence for c in groups.cells)


def test_random_groups_do_not_differ(report):
    differing = [c for table in report.breakdowns for cell in table.cells for c in cell.comparisons if c.differs]
    assert differing == []


def test_a_bad_month_is_found(some_items):
    worse = Labels("neg", {"responsiveness": "neg"}, ("delivery",))
    items = [
        replace(a, segments=tuple(replace(s, labels=worse) for s in a.segments))
        if a.feedback.date and a.feedback.date.month == 7
        else a
        for a in some_items
    ]
    (table,) = build(tally_of(items, period="month"), settings=BuildSettings(period="month")).breakdowns
    found = {(cell.name, c.measure) for cell in table.cells for c in cell.comparisons if c.differs}
    assert ("2025-07", "perception:responsiveness") in found
    assert ("2025-07", "gap:delivery") in found
    assert ("2025-07", "sentiment") in found


def test_caveats_are_known_and_about_this_report(some_items, report, make_analysis):
    assert set(report.caveats) <= set(CAVEATS)
    assert "quality_unknown" in report.caveats
    models = tuple(ModelUsed(lang, "linear", "1", 0.6) for lang in ("en", "pl", "zh"))
    measured = build(tally_of(some_items), settings=BuildSettings(models=models))
    assert "quality_unknown" not in measured.caveats
    assert "mixed_models" not in measured.caveats
    newer = [replace(a, model_version="linear-2") for a in some_items[:100]]
    assert "mixed_models" in build(tally_of(newer + some_items[100:]), settings=BuildSettings()).caveats
    few = build(tally_of(some_items[:40]), settings=BuildSettings())
    assert "few_items" in few.caveats


def test_overall_figures(some_items, report):
    segments = [s.labels for a in some_items for s in a.segments]
    assert report.segments == len(segments)
    assert sum(e.value for e in report.overall.sentiment.values()) == pytest.approx(1)
    assert report.overall.expectations["unmet"] == sum(labels.expectation == "unmet" for labels in segments)
    churn = sum(any(s.labels.churn for s in a.segments) for a in some_items)
    assert report.overall.churn.value == pytest.approx(churn / 600)
    rated = [a.feedback.satisfaction for a in some_items if a.feedback.satisfaction is not None]
    assert report.overall.mean_satisfaction.value == pytest.approx(sum(rated) / len(rated))
    assert date(2025, 1, 1) <= report.first < date(2025, 1, 15)
    assert date(2025, 12, 15) < report.last <= date(2025, 12, 31)


@pytest.mark.parametrize(
    "settings",
    [
        BuildSettings(period="week"),
        BuildSettings(by="store"),
        BuildSettings(level=95),
        BuildSettings(references={"speed": Reference(5.0, "survey")}),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings):
    with pytest.raises(InputError):
        build(Tally(), settings=settings)


@pytest.mark.parametrize(("other", "told"), [(0, False), (2, False), (30, True)])
def test_groups_in_two_languages_are_told_apart_with_care(make_analysis, other, told):
    labels = [("a plain word", Labels("neu", {}), ())]
    items = [make_analysis(i, labels, language="en" if i >= other else "pl", group="ab"[i % 2]) for i in range(100)]
    tally = Tally(by_group=True)
    tally.add(items)
    report = build(tally, settings=BuildSettings(by="store"))
    assert ("many_languages" in report.caveats) is told
