"""DOCX -> blocks, by python-docx: the text of the body, without headers, footers, contents and deleted words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docx import Document
from docx.document import Document as DocxDocument
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

from gapnlp.errors import InputError
from gapnlp.ingest.copy_blocks import check_archive, make_blocks
from gapnlp.records.promises import CopyBlock

_HEADING_STYLE = re.compile(r"(?:heading \d|title|subtitle)\b", re.IGNORECASE)
_LIST_STYLE = re.compile(r"list\b", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"toc\b", re.IGNORECASE)
# Inside these nothing is shown: deleted words, the copy of a text box for old programs, instructions of fields.
_NOT_SHOWN = frozenset(
    (qn("w:del"), qn("w:moveFrom"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")
)
_LETTERS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_OFF = ("0", "false", "off", "none")


def read_docx(path: Path) -> list[CopyBlock]:
    """Read a Word document. Raises InputError when it is no DOCX, is protected, or would unpack to too much."""
    check_archive(path)
    try:
        return list(_body_blocks(Document(str(path)), path.name))
    except InputError:
        raise
    # The library lets through whatever a broken part causes (KeyError, XMLSyntaxError ...).
    except Exception as error:
        raise InputError(
            f"{path.name}: cannot be read as DOCX ({type(error).__name__}); open it and save it again as .docx"
        ) from None


def _body_blocks(document: DocxDocument, source: str) -> Iterator[CopyBlock]:
    """Walk every paragraph in the order of the file, those in tables, text boxes and content controls too."""
    names = {style.style_id: style.name or "" for style in document.styles}
    default = document.styles.default(1)
    for paragraph in document.element.body.iter(qn("w:p")):
        if any(ancestor.tag in _NOT_SHOWN for ancestor in paragraph.iterancestors()):
            continue
        style = names.get(paragraph.style or "", default.name if default is not None else "") or ""
        if not _CONTENTS_STYLE.match(style):
            yield from make_blocks(_text(paragraph), _kind(paragraph, style), source)


def _kind(paragraph: BaseOxmlElement, style: str) -> str:
    """Tell what a paragraph is by its style, outline level, numbering and place."""
    if _HEADING_STYLE.match(style) or paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}") is not None:
        return "heading"
    if _LIST_STYLE.match(style) or paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None:
        return "bullet"
    return "cell" if next(paragraph.iterancestors(qn("w:tc")), None) is not None else "paragraph"


def _text(paragraph: BaseOxmlElement) -> str:
    """Join the shown words of a paragraph itself; a text box anchored in it has paragraphs of its own."""
    words = []
    for element in paragraph.iter(qn("w:t"), *_LETTERS):
        run = next(element.iterancestors(qn("w:r")), None)
        own = next(element.iterancestors(qn("w:p")), None) is paragraph
        if own and run is not None and not _is_struck(run) and not _is_deleted(element, paragraph):
            words.append(_LETTERS.get(element.tag, element.text or ""))
    return "".join(words)


def _is_struck(run: BaseOxmlElement) -> bool:
    """Tell whether a run is struck out or hidden."""
    marks = (run.find(f"{qn('w:rPr')}/{qn(name)}") for name in ("w:strike", "w:dstrike", "w:vanish"))
    return any(mark is not None and mark.get(qn("w:val")) not in _OFF for mark in marks)


def _is_deleted(element: BaseOxmlElement, paragraph: BaseOxmlElement) -> bool:
    for ancestor in element.iterancestors():
        if ancestor is paragraph:
            return False
        if ancestor.tag in _NOT_SHOWN:
            return True
    return False
