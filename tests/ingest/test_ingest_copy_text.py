import pytest
from hypothesis import given
from hypothesis import strategies as st

from gapnlp.errors import InputError
from gapnlp.ingest.copy import COPY_READERS, read_copy
from gapnlp.ingest.copy_blocks import clean_text, join_lines
from gapnlp.ingest.copy_markdown import markdown_blocks
from gapnlp.ingest.copy_plain import plain_blocks

MARKDOWN = """---
title: Left out
---
# Larkmoor *Boats*

We sail **every day**
at ten, or you pay nothing.  
Call [our office](https://boats.example) &amp; book.

- Life jackets ![a jacket](x.png)for all
- **Warm.** Blankets on deck
  1. Tea too

**Can I cancel?**
Yes, until ~~noon~~ six in the evening.

**We never cancel a trip.**

| Trip | Price |
| ---- | ----- |
| Bay  | 20 €  |

> Best trip ever.

```
code
```
<div><p>Dogs sail <b>free</b>.</p><!-- no --></div>
"""


def pairs(blocks):
    return [(block.kind, block.text) for block in blocks]


def test_markdown_blocks_in_reading_order():
    assert pairs(markdown_blocks(MARKDOWN, "m.md")) == [
        ("heading", "Larkmoor Boats"),
        ("paragraph", "We sail every day at ten, or you pay nothing."),
        ("paragraph", "Call our office & book."),
        ("bullet", "Life jackets for all"),
        ("bullet", "Warm. Blankets on deck"),
        ("bullet", "Tea too"),
        ("heading", "Can I cancel?"),
        ("paragraph", "Yes, until six in the evening."),
        ("paragraph", "We never cancel a trip."),
        ("cell", "Trip"),
        ("cell", "Price"),
        ("cell", "Bay"),
        ("cell", "20 €"),
        ("paragraph", "Best trip ever."),
        ("paragraph", "Dogs sail free."),
    ]


def test_sources_name_the_line():
    first, *_, last = markdown_blocks(MARKDOWN, "m.md")
    assert (first.source, first.entity) == ("m.md, line 4", None)
    assert last.source == "m.md, line 28"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("三天内\n发货，\n绝不拖延。", "三天内发货，绝不拖延。"),
        ("Wysyłka w 24\ngodziny", "Wysyłka w 24 godziny"),
        ("Call us\nany time", "Call us any time"),
    ],
)
def test_wrapped_lines_join_as_their_script_wants(text, expected):
    assert pairs(markdown_blocks(text, "m")) == [("paragraph", expected)]


PLAIN = """Larkmoor Boats
==============

Our promise

We sail every day at ten in the morning, whatever the wind and
the rain are doing outside, and we come back by noon.
Tea is free.

• Life jackets
  for all sizes
- Blankets
1. Dogs welcome
2) Cats too

Doors open at nine
"""


def test_plain_text_blocks():
    assert pairs(plain_blocks(PLAIN, "p.txt")) == [
        ("heading", "Larkmoor Boats"),
        ("heading", "Our promise"),
        (
            "paragraph",
            "We sail every day at ten in the morning, whatever the wind and the rain are doing outside, and we come "
            "back by noon. Tea is free.",
        ),
        ("bullet", "Life jackets for all sizes"),
        ("bullet", "Blankets"),
        ("bullet", "Dogs welcome"),
        ("bullet", "Cats too"),
        ("paragraph", "Doors open at nine"),
    ]


def test_short_lines_of_plain_text_stay_apart():
    text = "准时发货\n三天送到\n包邮"
    assert [block.text for block in plain_blocks(text, "p")] == ["准时发货", "三天送到", "包邮"]


def test_chinese_bullets_and_numbers():
    text = "1、全场包邮\n2、七天退换\n● 客服在线"
    assert pairs(plain_blocks(text, "p")) == [("bullet", "全场包邮"), ("bullet", "七天退换"), ("bullet", "客服在线")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_encodings_of_polish(tmp_path, encoding):
    path = tmp_path / "oferta.txt"
    path.write_bytes("Śniadanie gratis, także w święta. Życzliwa obsługa całą dobę.\n".encode(encoding))
    assert read_copy([path])[0].text.startswith("Śniadanie gratis, także w święta.")


def test_encodings_of_chinese(tmp_path):
    path = tmp_path / "x.md"
    path.write_bytes("# 送货\n付款之后，我们当天发货，三天送到您家门口。\n".encode("gb18030"))
    assert pairs(read_copy([path])) == [
        ("heading", "送货"),
        ("paragraph", "付款之后，我们当天发货，三天送到您家门口。"),
    ]


@given(st.text())
def test_cleaning_is_idempotent_and_keeps_letters(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert clean == " ".join(clean.split())


@given(st.text(alphabet="ab \n\t*_#->|`[](){}<>!&;~\\.1\u00ad\u200b测，", max_size=200))
def test_any_markdown_and_plain_text_can_be_read(text):
    for block in [*markdown_blocks(text, "s"), *plain_blocks(text, "s")]:
        assert block.text == clean_text(block.text) != ""
        assert block.kind in ("heading", "paragraph", "bullet", "cell")


@given(st.lists(st.text(alphabet="ab中文")))
def test_joining_loses_no_letter(lines):
    assert join_lines(lines).replace(" ", "") == "".join(lines)


@pytest.mark.parametrize("content", ["", " \n\n ", "---\n\n***\n", "\ufeff"])
@pytest.mark.parametrize("ending", [".md", ".txt", ".html"])
def test_empty_copy_says_what_to_give(tmp_path, content, ending):
    path = tmp_path / f"empty{ending}"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"empty{ending}: holds no copy; give a page"):
        read_copy([path])


def test_files_that_are_not_there_or_not_known(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_copy([tmp_path / "none.md"])
    (tmp_path / "x.pptx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"x\.pptx: this kind of file cannot be read as copy; give one of \.md"):
        read_copy([tmp_path / "x.pptx"])
    with pytest.raises(InputError, match="holds no copy that can be read"):
        read_copy([tmp_path])
    with pytest.raises(InputError, match="no copy was given"):
        read_copy([])


def test_text_that_is_too_large(tmp_path):
    path = tmp_path / "big.md"
    path.write_bytes(b"word " * 500_000)
    with pytest.raises(InputError, match=r"big\.md: has 2\.5 MB, and at most 2 MB are read"):
        read_copy([path])


def test_folders_are_read_by_name(tmp_path):
    (tmp_path / "b.txt").write_text("Second", encoding="utf-8")
    (tmp_path / "a.md").write_text("First", encoding="utf-8")
    (tmp_path / "c.png").write_bytes(b"x")
    assert [block.text for block in read_copy([tmp_path])] == ["First", "Second"]


def test_every_ending_has_a_reader():
    assert {".md", ".txt", ".html", ".docx", ".pdf", ".csv", ".jsonl", ".jsonl.gz", ".xlsx"} <= set(COPY_READERS)
