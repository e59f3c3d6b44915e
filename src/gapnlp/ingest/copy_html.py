"""HTML -> blocks: trafilatura drops navigation and boilerplate, what is left is walked in reading order.

trafilatura looks for the one article on a page. A landing page has none: its promises stand in banners, cards and
sliders, which are boilerplate around an article. So before it looks, the page is declared one article, elements that
HTML itself marks as no content (nav, footer, dialog ...) are pruned, and names such as "banner" or "slide" are taken
off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import ConfigParser
from copy import deepcopy
from itertools import takewhile
from pathlib import Path

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura import bare_extraction
from trafilatura.settings import DEFAULT_CONFIG

from gapnlp.errors import InputError
from gapnlp.ingest.copy_blocks import MAX_HTML_BYTES, check_size, make_blocks
from gapnlp.ingest.encodings import SNIFF_BYTES, detect_encoding
from gapnlp.records.promises import CopyBlock

# Elements nested deeper than this, or so many of them, are no page that a person wrote.
MAX_DEPTH = 200
MAX_ELEMENTS = 30_000

# What is no copy by the meaning of HTML and ARIA, or is not shown; cookie notices by their usual names.
PRUNED = (
    "//nav | //footer | //aside | //dialog | //button | //label",
    "//*[@hidden or @aria-hidden='true']",
    "//*[@role='navigation' or @role='contentinfo' or @role='dialog' or @role='alertdialog' or @role='search']",
    "//*[contains(translate(concat(@id, ' ', @class), 'COKIENSTGDPR', 'cokienstgdpr'), 'cookie')"
    " or contains(translate(concat(@id, ' ', @class), 'COKIENSTGDPR', 'cokienstgdpr'), 'consent')"
    " or contains(translate(concat(@id, ' ', @class), 'COKIENSTGDPR', 'cokienstgdpr'), 'gdpr')]",
)
# Names that landing pages give to their content and trafilatura takes for boilerplate.
CONTENT_NAMES = re.compile(
    r"hero|slide|carousel|swiper|widget|rating|expand|option|accordion|banner|button|overlay|viewport|embed|icon|premium",
    re.IGNORECASE,
)
BOILERPLATE_NAMES = re.compile("cookie|consent|gdpr|nav|menu|foot|crumb|share|social", re.IGNORECASE)

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
# A line break in the file between two Chinese characters is none on the page, nor a space.
_CHINESE_BREAK = re.compile(r"(?<=[\u3001-\u9fff\uff01-\uffee])[ \t]*\r?\n\s*(?=[\u3001-\u9fff\uff01-\uffee])")
_MARKUP = re.compile(r"<(?:/?(?:p|br|b|i|u|em|strong|li|ul|ol|div|span|h[1-6]|a|font|table|tr|td)\b[^<>]*/?)>", re.I)
_KINDS = {
    "head": "heading",
    "item": "bullet",
    "li": "bullet",
    "dd": "bullet",
    "cell": "cell",
    "td": "cell",
    "th": "cell",
}
_KINDS |= {f"h{level}": "heading" for level in range(1, 7)} | {"dt": "heading", "summary": "heading"}
_BLOCKS = frozenset(
    ("p", "div", "section", "article", "header", "main", "aside", "ul", "ol", "dl", "list", "table", "tbody", "thead")
    + (
        "tr",
        "row",
        "quote",
        "blockquote",
        "pre",
        "code",
        "body",
        "html",
        "form",
        "figure",
        "details",
        "fieldset",
        *_KINDS,
    )
)
_BREAKS = frozenset(("lb", "br", "hr"))
# Not shown, struck out, or to be filled in.
_NOT_SHOWN = ("script", "style", "noscript", "template", "title", "del", "s", "strike", "select", "textarea", "svg")
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "dt"))


def read_html(path: Path) -> list[CopyBlock]:
    """Read a web page that was saved as a file. Raises InputError when it is too large or nested too deeply."""
    check_size(path, MAX_HTML_BYTES)
    return list(page_blocks(decode_html(path.read_bytes(), path.name), path.name))


def decode_html(content: bytes, source: str) -> str:
    """Decode a page by its mark, as UTF-8, as it declares itself, or by its letters, in this order."""
    found = detect_encoding(_sample(content))
    declared = _DECLARED.search(content[:4096])
    name = declared[1].decode("ascii").lower() if declared else ""
    if name and found not in ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        try:
            return content.decode({"gb2312": "gb18030", "gbk": "gb18030", "iso-8859-1": "cp1252"}.get(name, name))
        except (LookupError, UnicodeDecodeError):
            pass  # a page that misdeclares itself is common; its letters decide
    if found is None:
        raise InputError(f"{source}: the encoding of its letters cannot be told; save the page as UTF-8")
    return content.decode(found, errors="replace").removeprefix("\ufeff")


def page_blocks(markup: str, source: str) -> Iterator[CopyBlock]:
    """Yield the blocks of a whole page, without navigation, footers, cookie notices, forms and scripts.

    Raises InputError when it has more than MAX_ELEMENTS, or they are nested deeper than MAX_DEPTH.
    """
    page = _parse(markup, source)
    if page is None:
        return
    _declare_article(page)
    found = bare_extraction(
        page, favor_recall=True, fast=True, include_comments=False, prune_xpath=list(PRUNED), config=_config()
    )
    if found is not None and not isinstance(found, dict) and found.body is not None:
        yield from _walk(found.body, source)


def html_blocks(markup: str, source: str) -> Iterator[CopyBlock]:
    """Yield the blocks of a fragment (a cell of a table, HTML inside Markdown); nothing in it is boilerplate."""
    page = _parse(markup, source)
    if page is not None:
        yield from _walk(page, source)


def holds_markup(text: str) -> bool:
    """Tell whether text has tags that exports of listings leave in: <br />, <p>, <b> ..."""
    return bool(_MARKUP.search(text))


def _sample(content: bytes) -> bytes:
    """Return the beginning, or the first part with letters beyond ASCII when the beginning has none."""
    at = next((i for i in range(0, len(content), SNIFF_BYTES) if not content[i : i + SNIFF_BYTES].isascii()), 0)
    return content[at : at + SNIFF_BYTES]


def _parse(markup: str, source: str) -> HtmlElement | None:
    """Parse markup; None when it holds no element. The parser looks nothing up and expands no entities of its own."""
    if not markup.strip():
        return None
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        page = document_fromstring(
            _CHINESE_BREAK.sub("", markup.replace("\0", "")).encode("utf-8", errors="replace"), parser=parser
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    depth, number = _measure(page)
    if depth > MAX_DEPTH or number > MAX_ELEMENTS:
        raise InputError(
            f"{source}: has {number:,} elements, {depth} inside one another; {MAX_ELEMENTS:,} and {MAX_DEPTH} are "
            "read. Save the page's text and give that"
        )
    etree.strip_elements(page, *_NOT_SHOWN, with_tail=False)
    return page


def _measure(page: HtmlElement) -> tuple[int, int]:
    """Count the elements inside one another on the deepest way down, and all elements."""
    depth = most = number = 0
    for event, _ in etree.iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        number += event == "start"
        most = max(most, depth)
    return most, number


def _declare_article(page: HtmlElement) -> None:
    """Make the whole page one article for trafilatura, made of plain elements: see the module's docstring."""
    body = page.find("body")
    if body is None:
        return
    opened = {name for names in body.xpath(".//@aria-controls") for name in names.split()}
    for element in list(body.iter(etree.Element)):
        if element.get("id") in opened:  # an answer or a tab that a click shows is copy
            for attribute in ("hidden", "aria-hidden", "style"):
                element.attrib.pop(attribute, None)
        _neutralise(element)
    body.tag = "div"
    body.set("class", "post")
    wrapper = etree.SubElement(page, "body")
    wrapper.append(body)


def _neutralise(element: HtmlElement) -> None:
    """Take off names and tags that mean boilerplate around an article, and mark text that stands bare in a box."""
    if element.tag in ("article", "header", "main"):
        element.tag = "section"
    elif element.tag == "button" and element.getparent().tag in _HEADINGS:
        element.tag = "span"  # a question that opens its answer
    elif element.tag == "a" and _holds_blocks(element):
        element.tag = "section"  # a card that is a link as a whole
    if element.tag in ("div", "section"):
        _mark_bare_text(element)
    for span in ("colspan", "rowspan"):  # would be filled up with empty cells, as many as they claim
        element.attrib.pop(span, None)
    for attribute in ("class", "id"):
        names = element.get(attribute)
        if names is not None and CONTENT_NAMES.search(names):
            element.set(attribute, " ".join(name for name in names.split() if not _is_content_name(name)))


def _is_content_name(name: str) -> bool:
    """Tell "hero-banner" from "cookie-banner"."""
    return bool(CONTENT_NAMES.search(name)) and not BOILERPLATE_NAMES.search(name)


def _mark_bare_text(box: HtmlElement) -> None:
    """Make a paragraph of a box without boxes in it, and of the words that stand before the first one in it."""
    if not _holds_blocks(box):
        box.tag = "p"
        return
    lead = list(takewhile(lambda child: child.tag not in _BLOCKS and not _holds_blocks(child), box))
    paragraph = etree.Element("p")
    paragraph.text, box.text = box.text, None
    paragraph.extend(lead)
    if "".join(paragraph.itertext()).strip():
        box.insert(0, paragraph)


def _holds_blocks(element: HtmlElement) -> bool:
    return any(inner.tag in _BLOCKS for inner in element.iterdescendants())


def _config() -> ConfigParser:
    """Accept short pages: an offer of one sentence is copy too."""
    config = deepcopy(DEFAULT_CONFIG)
    for name in ("MIN_EXTRACTED_SIZE", "MIN_OUTPUT_SIZE", "MIN_FILE_SIZE"):
        config["DEFAULT"][name] = "1"
    return config


def _walk(root: HtmlElement, source: str) -> Iterator[CopyBlock]:
    """Yield the texts between the borders of block elements, in order; tags are HTML's or trafilatura's."""
    words: list[str] = []
    kinds = ["paragraph"]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        starts = event == "start"
        if element.tag in _BLOCKS or (element.tag in _BREAKS and starts):
            yield from make_blocks(_spaced(words), kinds[-1], source)
            words.clear()
        if element.tag in _KINDS:
            kinds.append(_kind(element)) if starts else kinds.pop()
        words.append((element.text if starts else element.tail) or "")
    yield from make_blocks(_spaced(words), "paragraph", source)


def _kind(element: HtmlElement) -> str:
    """Name the kind of a block; the terms of a definition list head what is said of them."""
    return "heading" if (element.get("rend") or "").startswith("dt") else _KINDS[element.tag]


def _spaced(words: list[str]) -> str:
    """Join words; a line break in HTML is a space."""
    return " ".join("".join(words).split())
