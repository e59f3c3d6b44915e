import numpy as np
import pytest

from gapnlp.aggregator.audit_tally import AuditTally
from gapnlp.aggregator.build import BuildSettings, build
from gapnlp.aggregator.tally import Tally
from gapnlp.errors import InputError, StoreError
from gapnlp.records.audit import AuditRow, AuditTable, SegmentKey
from gapnlp.records.error_counts import ShareError
from gapnlp.records.labels import GAPS, HEADS, LABELS, gap_label


def table_of(items, *, given=None, **changes):
    """An audit of the first segment of each item, whose labels are the classifier's own gaps unless given."""
    rows = []
    for line, item in enumerate(items, start=2):
        scored = item.segments[0]
        said = {gap_label(g): g in scored.labels.gaps for g in GAPS} if given is None else given
        key = SegmentKey(item.feedback.source.row, scored.segment.start, scored.segment.end)
        rows.append(AuditRow(key, item.feedback.id, scored.segment.text, said, line, **changes))
    return AuditTable("audit.csv", tuple(rows), waiting=2)


def counted(table, items):
    audit = AuditTally(table)
    audit.add(items)
    return audit


def test_population_and_clustering_are_those_of_all_segments(some_items):
    audit = counted(table_of(some_items[:40]), some_items)
    for label in ("gap:policy", "sentiment:neg"):
        values = np.array([s.probabilities[LABELS.index(label)] for a in some_items for s in a.segments]).round(4)
        items = np.repeat(np.arange(len(some_items)), [len(a.segments) for a in some_items])
        population = audit.population(label)
        assert population.n == len(values)
        assert population.mean == pytest.approx(values.mean())
        assert population.variance == pytest.approx(values.var())
        centred = values - values.mean()
        grown = (np.bincount(items, weights=centred) ** 2).sum() / (centred**2).sum()
        assert population.clustering == pytest.approx(grown)


def test_audited_segments_are_found_with_their_probabilities(some_items):
    audit = counted(table_of(some_items[:40]), some_items)
    sample = audit.sample("gap:delivery")
    first = [a.segments[0] for a in some_items[:40]]
    assert sample.truth.tolist() == [float("delivery" in s.labels.gaps) for s in first]
    place = LABELS.index("gap:delivery")
    np.testing.assert_allclose(sample.probabilities, [round(s.probabilities[place], 4) for s in first])
    assert len(set(sample.items.tolist())) == 40
    assert len(audit.sample("sentiment:neg").truth) == 0


def test_other_words_items_and_files_are_not_taken_for_it(some_items):
    table = table_of(some_items[:40])
    rows = list(table.rows)
    rows[0] = AuditRow(rows[0].key, rows[0].item, "other words", rows[0].given, 2)
    rows[1] = AuditRow(rows[1].key, "another id", rows[1].text, rows[1].given, 3)
    key = SegmentKey(rows[2].key.row, rows[2].key.start, rows[2].key.end, "other.csv")
    rows[2] = AuditRow(key, rows[2].item, rows[2].text, rows[2].given, 4)
    rows[3] = AuditRow(rows[3].key, rows[3].item, f"'  {rows[3].text} ", rows[3].given, 5)
    audit = counted(AuditTable("audit.csv", tuple(rows), 0), some_items)
    assert sorted(set(range(40)) - set(audit.found)) == [0, 1, 2]


def test_order_chunks_and_a_break_change_nothing(some_items):
    table = table_of(some_items[:40])
    whole = counted(table, some_items)
    parts = AuditTally(table)
    parts.add(some_items[300:])
    resumed = AuditTally(table)
    resumed.restore(parts.to_bytes())
    resumed.add(some_items[:300])
    assert resumed.to_bytes() == whole.to_bytes()
    assert resumed.found == whole.found


def test_damaged_counts_are_refused(some_items):
    audit = AuditTally(table_of(some_items[:3]))
    for stored in (b"{}", b"no json", b'{"segments": 1, "squares": 1, "sums": [1], "found": {}}'):
        with pytest.raises(StoreError, match="damaged"):
            audit.restore(stored)


def report_of(items, audit, errors=None):
    tally = Tally()
    tally.add(items)
    return build(tally, settings=BuildSettings(audit=audit, share_errors=errors or {}))


def test_report_says_of_every_share_what_it_rests_on(some_items):
    error = {"gap:policy": ShareError(0.3, 500, 6), "sentiment:neg": ShareError(0.3, 500, 6)}
    errors = dict.fromkeys(("en", "pl", "zh"), error)
    report = report_of(some_items, counted(table_of(some_items[:40]), some_items), errors)
    used = {share.label: share.used for share in report.shares}
    assert list(used) == list(HEADS)
    assert {used[gap_label(g)] for g in GAPS} == {"audited"}
    assert used["sentiment:neg"] == "corrected"
    assert used["presence:reliability"] == used["churn"] == "counted"
    assert (report.audit.segments, report.audit.items, report.audit.waiting) == (40, 40, 2)
    policy = next(share for share in report.shares if share.label == "gap:policy")
    gap = next(gap for gap in report.gaps if gap.gap == "policy")
    assert (policy.counted, policy.corrected) == (gap.raw_share, gap.corrected_share)
    assert policy.audited.n == 40
    assert policy.positives == sum("policy" in a.segments[0].labels.gaps for a in some_items[:40])
    assert "audit_unmatched" not in report.caveats


def test_small_or_partly_found_audits_are_told(some_items):
    strangers = table_of(some_items[500:520])
    table = AuditTable("audit.csv", table_of(some_items[:20]).rows + strangers.rows, 0)
    report = report_of(some_items[:500], counted(table, some_items[:500]))
    assert {"audit_few", "audit_unmatched"} <= set(report.caveats)
    assert report.audit.unmatched == 20
    assert all(share.used == "counted" for share in report.shares)
    with pytest.raises(InputError, match="none of its 20 labelled segments"):
        report_of(some_items[:500], counted(strangers, some_items[:500]))
