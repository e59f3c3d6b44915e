from datetime import date, datetime

import pytest

from gapnlp.ingest.dates import decide_dates

DAY_FIRST = decide_dates(["24/12/2024"])
MONTH_FIRST = decide_dates(["12/24/2024"])


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-05",
        "2024-03-05T10:11:12Z",
        "2024-03-05 23:59:59.123 UTC",
        "2024/3/5",
        "2024.03.05",
        "20240305",
        "05.03.2024",
        "5.03.2024 10:00",
        "5/3/2024 11:35",
        "05-03-2024",
        "5/3/24",
        "5 marca 2024",
        "5 marca 2024 r., 10:15",
        "5 mar 2024",
        "March 5, 2024",
        "Mar 5th, 2024",
        "5th of March 2024",
        "Tue Mar 05 11:35:52 +0000 2024",
        "Tue, 05 Mar 2024 11:35:00 GMT",
        "05/Mar/24 3:14 PM",
        "2024年3月5日",
        "2024 年 03 月 05 日 08:30",
        "民國113年3月5日",
        "1709596800",
        "1709596800000",
        1709596800,
        1709596800000.0,
        45356,
        date(2024, 3, 5),
        datetime(2024, 3, 5, 10),
    ],
)
def test_ways_to_write_a_date(value):
    assert DAY_FIRST.read(value) == (date(2024, 3, 5), None)


def test_the_order_is_decided_per_column():
    assert MONTH_FIRST.read("3/5/2024")[0] == date(2024, 3, 5)
    assert "month/day" in MONTH_FIRST.why
    assert "day/month" in DAY_FIRST.why


def test_an_open_order_is_said_to_be_assumed():
    rule = decide_dates(["3/5/2024", "4/5/2024"])
    assert "assumed" in rule.why
    assert rule.read("3/5/2024")[0] == date(2024, 5, 3)


def test_rows_against_the_order_are_said():
    assert "2 of the first rows contradict" in decide_dates(["13/1/2024"] * 3 + ["1/13/2024"] * 2).why


@pytest.mark.parametrize(
    "value", ["31/02/2025", "2025-02-31", "99/99/2025", "soon", "2025年13月1日", "0024-01-01", "9" * 400]
)
def test_impossible_dates_give_a_notice(value):
    found, notice = DAY_FIRST.read(value)
    assert found is None
    assert "no date" in notice
    assert len(notice) < 90


@pytest.mark.parametrize(
    "value", ["3 months ago", "a week ago", "3 個月前", "2 週前", "昨天", "3天前", "2 dni temu", "wczoraj"]
)
def test_relative_dates_are_left_out_with_a_notice(value):
    found, notice = DAY_FIRST.read(value)
    assert found is None
    assert "relative" in notice


def test_relative_columns_are_said_to_be_so():
    assert "2 of the first 3" in decide_dates(["3 days ago", "4 天前", "2024-01-01"]).why


@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_date_is_no_fault(value):
    assert DAY_FIRST.read(value) == (None, None)


@pytest.mark.parametrize("value", [True, 10**400, [1], -5.0, float("inf")])
def test_odd_values_are_notices(value):
    assert DAY_FIRST.read(value)[0] is None
