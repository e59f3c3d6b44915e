"""Markdown -> blocks, by markdown-it: headings, paragraphs, list items and table cells without their markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, takewhile
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gapnlp.ingest.copy_blocks import MAX_TEXT_BYTES, check_size, is_sentence, join_lines, make_blocks
from gapnlp.ingest.copy_html import html_blocks
from gapnlp.ingest.delimited import find_encoding
from gapnlp.ingest.encodings import open_text
from gapnlp.records.promises import CopyBlock

# A line in bold that is longer is emphasis, not a heading.
MAX_BOLD_HEADING = 150

# Lists and quotations inside one another beyond this are left out.
MAX_NESTING = 100

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?:(?!---).*\r?\n)*?---[ \t]*(?:\r?\n|\Z)")
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_KINDS = {"heading_open": "heading", "list_item_open": "bullet", "th_open": "cell", "td_open": "cell"}


@dataclass(slots=True)
class _Line:
    """One line of a paragraph: its words, whether all are bold, and whether the author broke it there."""

    words: list[str] = field(default_factory=list)
    bold: bool = True
    ends_hard: bool = False

    def text(self) -> str:
        return "".join(self.words).strip()


def read_markdown(path: Path) -> list[CopyBlock]:
    """Read a Markdown file. Raises InputError when it is too large or its encoding cannot be told."""
    check_size(path, MAX_TEXT_BYTES)
    with open_text(path, find_encoding(path)) as stream:
        return list(markdown_blocks(stream.read(), path.name))


def markdown_blocks(text: str, source: str) -> Iterator[CopyBlock]:
    """Yield the blocks of Markdown text: CommonMark with tables and struck-out text, which is left out.

    A line in bold at the beginning of a paragraph ("**Can I cancel?**", then the answer) is a block of its own. Left
    out: front matter, fenced code, pictures, HTML comments. Markup cannot be wrong in Markdown, so nothing is raised.
    """
    front = _FRONT_MATTER.match(text)
    skipped = text[: front.end()].count("\n") if front else 0
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    opened: list[str] = []
    for token in parser.parse(text[front.end() :] if front else text):
        if token.type in _KINDS:
            opened.append(_KINDS[token.type])
        elif token.type.replace("_close", "_open") in _KINDS:
            opened.pop()
        else:
            line = skipped + token.map[0] + 1 if token.map else skipped + 1
            yield from _token_blocks(token, opened[-1] if opened else "paragraph", f"{source}, line {line}")


def _token_blocks(token: Token, kind: str, source: str) -> Iterator[CopyBlock]:
    if token.type == "inline":
        yield from _inline_blocks(token.children or [], kind, source)
    elif token.type == "html_block":
        yield from html_blocks(token.content, source)
    elif token.type == "code_block":
        yield from make_blocks(token.content, kind, source)


def _inline_blocks(children: list[Token], kind: str, source: str) -> Iterator[CopyBlock]:
    """Cut a paragraph at its hard line breaks and after the bold lines that open it."""
    lines = [line for line in _read_lines(children) if line.text()]
    heads = len(list(takewhile(lambda line: line.bold, lines))) if kind == "paragraph" else 0
    for text in _joined(lines[:heads]):
        yield from make_blocks(text, _lead_kind(text), source)
    for text in _joined(lines[heads:]):
        yield from make_blocks(text, kind, source)


def _lead_kind(text: str) -> str:
    """Take a bold line for a heading, unless it is long or a whole statement."""
    return "paragraph" if is_sentence(text) or len(text) > MAX_BOLD_HEADING else "heading"


def _joined(lines: list[_Line]) -> Iterator[str]:
    """Join the lines that were wrapped; a hard break ends a text."""
    ends = [sum(line.ends_hard for line in lines[:i]) for i in range(len(lines))]
    for _, group in groupby(zip(ends, lines, strict=True), key=lambda pair: pair[0]):
        yield join_lines(line.text() for _, line in group)


def _read_lines(children: list[Token]) -> list[_Line]:
    """Collect the words of a paragraph line by line."""
    lines = [_Line()]
    bold = struck = 0
    for token in children:
        bold += token.nesting * (token.type.startswith("strong_"))
        struck += token.nesting * (token.type.startswith("s_"))
        hard = token.type == "hardbreak" or bool(token.type == "html_inline" and _LINE_BREAK_TAG.match(token.content))
        if hard or token.type == "softbreak":
            lines[-1].ends_hard = hard
            lines.append(_Line())
        elif token.type in ("text", "code_inline", "text_special") and not struck:
            lines[-1].words.append(token.content)
            lines[-1].bold &= bold > 0 or not token.content.strip()
    return lines
