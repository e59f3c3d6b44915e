import socket
import time

import pytest

from gapnlp.errors import InputError
from gapnlp.ingest.copy import read_copy
from gapnlp.ingest.copy_html import MAX_DEPTH, MAX_ELEMENTS, html_blocks, page_blocks

PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{brand} - home</title>
<style>.x{{color:red}}</style><script>var promise = "In one second";</script></head><body>
<header class="site-header"><a href="/">{brand}</a>
<nav><ul><li><a href="/a">{nav1}</a></li><li><a href="/b">{nav2}</a></li></ul>
</nav></header>
<div id="cookie-banner" class="overlay"><p>{cookie}</p><button>{accept}</button></div>
<div class="hero banner"><h1>{title}</h1><p>{lead}</p></div>
<div class="cards"><a class="card" href="/c"><h3>{head}</h3><p>{promise}</p></a>
<div class="slide"><div>{bare}</div></div></div>
<ul class="list"><li>{bullet} <a href="/d">{link}</a></li></ul>
<table><tr><td>{cell}</td></tr></table>
<h3><button aria-controls="a1">{question}</button></h3>
<div id="a1" aria-hidden="true" style="display:none"><p>{answer}</p></div>
<footer><p>{legal}</p><a href="/p">{privacy}</a></footer></body></html>"""
KEPT = ("title", "lead", "head", "promise", "bare", "bullet", "link", "cell", "question", "answer")
DROPPED = ("nav1", "nav2", "cookie", "accept", "legal", "privacy")
WORDS = {
    "en": {
        "brand": "Tollan Bikes",
        "nav1": "Our shops",
        "nav2": "Careers",
        "cookie": "This site uses cookies to know you better.",
        "accept": "Accept all",
        "title": "Ride tomorrow",
        "lead": "We bring your bike within&nbsp;2&nbsp;days, or you ride <b>free</b> for a month.",
        "head": "Repairs",
        "promise": "A flat tyre is mended while you wait.",
        "bare": "Lights and lock are included.",
        "bullet": "Free first service",
        "link": "in any shop",
        "cell": "Insurance &amp; theft cover",
        "question": "Can I bring it back?",
        "answer": "Yes, within 60 days.",
        "legal": "© 2025 Tollan Ltd. All rights reserved.",
        "privacy": "Privacy policy",
    },
    "pl": {
        "brand": "Rowery Tollan",
        "nav1": "Nasze sklepy",
        "nav2": "Kariera",
        "cookie": "Ta strona używa ciasteczek, żeby lepiej Cię poznać.",
        "accept": "Akceptuję",
        "title": "Jedź już jutro",
        "lead": "Rower dowozimy w&nbsp;ciągu 2&nbsp;dni albo przez miesiąc jeździsz <b>za darmo</b>.",
        "head": "Naprawy",
        "promise": "Dętkę wymieniamy od ręki.",
        "bare": "Lampki i zamek są w cenie.",
        "bullet": "Pierwszy przegląd gratis",
        "link": "w każdym sklepie",
        "cell": "Ubezpieczenie od kradzieży",
        "question": "Czy mogę oddać rower?",
        "answer": "Tak, przez 60 dni.",
        "legal": "© 2025 Tollan sp. z o.o. Wszelkie prawa zastrzeżone.",
        "privacy": "Polityka prywatności",
    },
    "zh": {
        "brand": "陶岚单车",
        "nav1": "门店一览",
        "nav2": "加入我们",
        "cookie": "本站使用Cookie以便更好地了解您。",
        "accept": "全部接受",
        "title": "明天就能骑",
        "lead": "两天之内送车上门，晚到一天，<b>免费</b>骑一个月。",
        "head": "维修",
        "promise": "车胎漏气，立等可取。",
        "bare": "车灯和车锁都包含在内。",
        "bullet": "首次保养免费，",
        "link": "全国门店通用",
        "cell": "含盗抢保险",
        "question": "能退吗？",
        "answer": "能，六十天内都可以。",
        "legal": "版权所有 2025 陶岚公司",
        "privacy": "隐私条款",
    },
}


def plain(words):
    return words.replace("&nbsp;", " ").replace("&amp;", "&").replace("<b>", "").replace("</b>", "")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("reading a page must not open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("lang", WORDS)
def test_content_is_kept_and_boilerplate_dropped(tmp_path, lang):
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(lang=lang, **WORDS[lang]), encoding="utf-8")
    found = "\n".join(block.text for block in read_copy([path]))
    missing = [name for name in KEPT if plain(WORDS[lang][name]) not in found]
    left = [name for name in DROPPED if plain(WORDS[lang][name]) in found]
    assert (missing, left) == ([], [])
    assert "In one second" not in found
    assert "<" not in found


def test_kinds_and_order_of_a_page():
    blocks = list(page_blocks(PAGE.format(lang="en", **WORDS["en"]), "page.html"))
    assert [(block.kind, block.text) for block in blocks if block.text != "Tollan Bikes"] == [
        ("heading", "Ride tomorrow"),
        ("paragraph", "We bring your bike within 2 days, or you ride free for a month."),
        ("heading", "Repairs"),
        ("paragraph", "A flat tyre is mended while you wait."),
        ("paragraph", "Lights and lock are included."),
        ("bullet", "Free first service in any shop"),
        ("cell", "Insurance & theft cover"),
        ("heading", "Can I bring it back?"),
        ("paragraph", "Yes, within 60 days."),
    ]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>We answer in an hour.</p>", ["We answer in an hour."]),
        ("We answer in an hour.", ["We answer in an hour."]),
        (
            "<div>Open <em>daily</em><p>until ten</p>even on Sundays</div>",
            ["Open daily", "until ten", "even on Sundays"],
        ),
        ("<p>Open until <del>eight</del> ten</p>", ["Open until ten"]),
        ("<p>Rooms are\n  cleaned daily<br>and aired</p>", ["Rooms are cleaned daily", "and aired"]),
        ("<p>房间每天\n打扫</p>", ["房间每天打扫"]),
        (
            "<article><p>Card one here</p></article><article><p>Card two here</p></article>",
            ["Card one here", "Card two here"],
        ),
        ("<?xml version='1.0' encoding='UTF-8'?><html><body><p>Open daily</p></body></html>", ["Open daily"]),
        ("<p>Pay 5&euro; &#8211; no m\u00adore</p>", ["Pay 5€ – no more"]),
    ],
)
def test_small_pages(markup, expected):
    assert [block.text for block in page_blocks(markup, "p")] == expected


def test_fragments_keep_everything():
    fragment = "<b>Space</b><br />Two rooms<ul><li>Desk</li></ul><footer>Keys at the desk</footer>"
    assert [block.text for block in html_blocks(fragment, "row")] == ["Space", "Two rooms", "Desk", "Keys at the desk"]


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "gb18030"])
def test_a_page_is_decoded_as_it_declares(tmp_path, declared):
    path = tmp_path / "p.htm"
    path.write_bytes(f"<meta charset={declared}><p>全天热水，随时洗澡。</p>".encode("gb18030"))
    assert read_copy([path])[0].text == "全天热水，随时洗澡。"


def test_a_page_that_declares_itself_wrongly(tmp_path):
    path = tmp_path / "p.html"
    path.write_text("<meta charset='iso-8859-1'><p>Śniadanie o ósmej</p>", encoding="utf-8")
    assert read_copy([path])[0].text == "Śniadanie o ósmej"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<p>" + b"x" * 50_000_000, r"has 50\.0 MB, and at most 10 MB"),
        (b"<div>" * (MAX_DEPTH + 20) + b"x", "inside one another"),
        (b"<p>x</p>" * (MAX_ELEMENTS + 1), "elements"),
        (b"<script>words()</script><nav><a href=x>Home</a></nav>", "holds no copy"),
    ],
)
def test_hostile_pages_are_refused(tmp_path, content, message):
    path = tmp_path / "p.html"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"p\.html: .*{message}"):
        read_copy([path])


def test_claimed_spans_and_entities_are_not_expanded():
    started = time.monotonic()
    rows = "<tr><td colspan=100000 rowspan=9999>Bay trip</td></tr>" * 300
    assert len(list(page_blocks(f"<table>{rows}</table>", "p"))) == 300
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><p>Open &b; daily</p>'
    assert "aaaa" not in next(iter(page_blocks(bomb, "p"))).text
    assert time.monotonic() - started < 5
