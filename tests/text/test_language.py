import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.text.language import LanguageDetector
from gapnlp.text.scripts import detect_script


@pytest.fixture(scope="module")
def detector():
    return LanguageDetector()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The parcel came a week late and nobody answered my mails.", "en"),
        ("Paczka przyszła tydzień po terminie i nikt nie odpisał.", "pl"),
        ("Paczka przyszla po tygodniu, nikt nie odpisal, nie polecam", "pl"),
        ("Obsluga byla mila i szybka", "pl"),
        ("包裹晚到了一个星期,没有人回复邮件", "zh"),
        ("包裹晚到了一個星期,沒有人回覆", "zh"),
        ("客服 very slow,APP 一直 crash,退款还没到", "zh"),
        ("iPhone 15 Pro Max 很好", "zh"),
        ("Das Paket kam eine Woche zu spät und niemand hat geantwortet.", "de"),
        ("Pakken kom en uge for sent, og ingen svarede på mine mails.", "da"),
        ("荷物が一週間遅れて届きました。", "ja"),
        ("소포가 일주일 늦게 왔어요", "ko"),
        ("Посилка прийшла на тиждень пізніше, ніхто не відповів", "uk"),
        ("Посылка пришла на неделю позже, никто не ответил", "ru"),
        ("وصل الطرد متأخرا", "ar"),
    ],
)
def test_language_of_plain_feedback(detector, text, expected):
    assert detector.detect(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "@ParcelFox still no answer #fail https://t.co/x1y2z3 😡😡",
        "@NordKurier @KubaNowak thanks!! pic.twitter.com/abc",
        "thank you",
        "Great",
    ],
)
def test_short_tweets_full_of_names_are_english(detector, text):
    assert detector.detect(text) == "en"


def test_a_polish_name_does_not_make_a_text_polish(detector):
    assert detector.detect("Our hotel in Łódź was clean and the staff were friendly") == "en"


@pytest.mark.parametrize("text", ["", "   ", "123 456", "!!! ???", "😡😡", "https://example.com/a", "xxxxxxxxxxxx"])
def test_nothing_to_judge_by_is_undetermined(detector, text):
    assert detector.detect(text) == "und"


def test_hint_decides_only_when_the_text_leaves_doubt(detector):
    clear = "Das Paket kam eine Woche zu spät und niemand hat geantwortet."
    assert detector.detect(clear, "pl") == "de"
    assert detector.detect("super", "pl") == "pl"
    assert detector.detect("super", "EN-gb") == "en"
    assert detector.detect("包裹晚到了", "en") == "zh"
    assert detector.detect("super", "xx") == detector.detect("super")


def test_words_at_home_everywhere_are_kept_for_scoring(detector):
    assert detector.detect("OK") == "en"
    assert detector.detect("Super ok!!!", "pl") == "pl"
    assert detector.detect("ok", "zh-CN") == "zh"


def test_many_is_one_by_one(detector):
    texts = ["Nie polecam tego sklepu", "super", "super", "很好", ""]
    hints = [None, "pl", "en", None, None]
    assert detector.detect_many(texts, hints) == [detector.detect(t, h) for t, h in zip(texts, hints, strict=True)]
    with pytest.raises(ValueError, match="argument"):
        detector.detect_many(texts, hints[:-1])


def test_a_new_detector_gives_the_same_answers(detector):
    texts = ["ok", "to jest ok", "Den er fin", "no", "Zero stresu", "bez problemu", "fast delivery"]
    assert LanguageDetector().detect_many(texts, [None] * 7) == detector.detect_many(texts, [None] * 7)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.none() | st.text(max_size=6))
def test_any_text_gets_a_code(detector, text, hint):
    found = detector.detect(text, hint)
    assert found == "und" or (len(found) == 2 and found.isascii() and found.islower())
    assert found == detector.detect(text, hint)


@pytest.mark.parametrize(
    ("text", "script"),
    [("abc", "Latn"), ("", "Latn"), ("好", "zh"), ("とても好", "ja"), ("美の味真好吃啊", "zh"), ("Привіт", "Cyrl")],
)
def test_scripts(text, script):
    assert detect_script(text) == script
