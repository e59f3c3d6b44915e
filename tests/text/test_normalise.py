import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.text.normalise import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Salt &amp; pepper&nbsp;&#39;free&#39;", "Salt & pepper 'free'"),
        ("ｆｕｌｌ　ｗｉｄｔｈ！", "full width!"),
        ("zero\u200bwidth \u202eand bidi\u202c", "zerowidth and bidi"),
        ("See https://a.example/b?c=d, or www.b.example", "See URL or URL"),
        ("Mail me: jan.nowak@shop.example @ShopHelp", "Mail me: EMAIL USER"),
        ("sooooooo good!!!!!!!", "sooo good!!!"),
        ("paid 100000 for 0000001", "paid 100000 for 0000001"),
        ("Nie polecam . Drogo , brudno ( np . łazienka ) !", "Nie polecam. Drogo, brudno (np. łazienka)!"),
        ("nice :) very nice ;)", "nice :) very nice ;)"),
        ("line\n\n  two\t end ", "line two end"),
        ("GREAT staff 👩\u200d⚕️😊", "GREAT staff 👩\u200d⚕️😊"),
        ("call ███████ now", "call REDACTED now"),
        ("good<br/>bad <b>room</b> 2 < 3", "good bad room 2 < 3"),
        ("", ""),
    ],
)
def test_english_and_polish(text, expected):
    assert normalise(text, "en") == expected


def test_traditional_becomes_simplified_in_chinese_only():
    assert normalise("護理師態度親切，醫療設備舊", "zh") == normalise("护理师态度亲切,医疗设备旧", "zh")
    assert normalise("護理師", "en") == "護理師"


def test_simplified_is_left_alone():
    assert normalise("服务态度很好", "zh") == "服务态度很好"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["en", "pl", "zh"]))
def test_any_text_gives_one_clean_line(text, language):
    result = normalise(text, language)
    assert result == " ".join(result.split())
    assert not any(c in result for c in "\u200b\u202e\ufeff\x00")


def test_monsters_take_linear_time():
    began = time.perf_counter()
    for text in ("<" * 20_000, "@" * 20_000, "a" * 20_000 + "@", " ." * 10_000, "&" * 20_000, " " * 50_000 + "x."):
        normalise(text, "zh")
    assert time.perf_counter() - began < 2.0
