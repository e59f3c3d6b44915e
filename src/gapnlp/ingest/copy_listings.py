"""Listings -> blocks: tables in which one row (or several) holds the copy of one entity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.copy_blocks import check_archive, make_blocks
from gapnlp.ingest.copy_html import holds_markup, html_blocks
from gapnlp.ingest.copy_plain import plain_blocks
from gapnlp.ingest.header_names import fold_header
from gapnlp.ingest.items import NO_TEXT, plain_text
from gapnlp.ingest.layout import Layout, Row
from gapnlp.ingest.readers import read_rows, sniff_file
from gapnlp.records.promises import CopyBlock

# Header names, compared after fold_header. Of the entity's the first that is there is taken, of the others all are.
ENTITY_NAMES = (
    *("entity", "entity id", "listing id", "listing", "hotel id", "hotel", "property id", "property", "product id"),
    *(
        "product",
        "sku",
        "asin",
        "item id",
        "store id",
        "store",
        "shop",
        "branch",
        "location",
        "app",
        "brand",
        "company",
    ),
    *("name", "id", "id oferty", "oferta", "obiekt", "produkt", "id produktu", "sklep", "placówka", "firma", "marka"),
    *(
        "nazwa",
        "房源",
        "房源id",
        "酒店",
        "酒店名称",
        "商品",
        "商品id",
        "商品名称",
        "产品",
        "产品名称",
        "店铺",
        "门店",
        "品牌",
    ),
    *("名称", "编号", "飯店", "商品名稱", "產品", "產品名稱", "店鋪", "名稱", "編號"),
)
TITLE_NAMES = (
    *("title", "headline", "listing title", "product title", "slogan", "tytuł", "tytuł oferty", "nagłówek", "hasło"),
    *("标题", "商品标题", "标语", "標題", "商品標題", "標語"),
)
TEXT_NAMES = (
    *("text", "description", "summary", "copy", "body", "content", "long description", "short description", "space"),
    *("listing description", "product description", "about", "overview", "neighborhood overview", "house rules"),
    *("notes", "terms", "policy", "opis", "opis oferty", "opis produktu", "krótki opis", "pełny opis", "treść"),
    *("tekst", "streszczenie", "regulamin", "描述", "商品描述", "产品描述", "房源描述", "简介", "介绍", "详情"),
    *("商品详情", "文案", "文本", "内容", "正文", "產品描述", "簡介", "介紹", "詳情", "商品詳情", "內容"),
)
# Texts too, but each is a list of short claims.
LIST_NAMES = (
    *("amenities", "features", "highlights", "facilities", "bullet points", "udogodnienia", "zalety", "cechy", "atuty"),
    *("设施", "卖点", "亮点", "设备", "設施", "賣點", "亮點", "設備"),
)
OPTIONS = "--entity and --text"

_LIST_MARKS = re.compile(r"[\[\]{}\"]|[,;|、，；\n]")


@dataclass(frozen=True, slots=True)
class ListingChoice:
    """The user's own choice. entity: a column; text: a column, or several with commas between; None: recognised.

    where: (column, value); rows whose cell is another value are passed over.
    """

    entity: str | None = None
    text: str | None = None
    where: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ListingColumns:
    """What each column is for: names as in the file. titles become headings."""

    entity: str
    titles: tuple[str, ...]
    texts: tuple[str, ...]


def read_listings(path: Path, choice: ListingChoice) -> list[CopyBlock]:
    """Read a table of listings.

    Raises InputError when a column is not found, when no row passes `where`, when a row that does cannot be read, or
    when it holds copy but names no entity: copy of nobody cannot be compared with anybody's complaints.
    """
    if path.suffix.lower() == ".xlsx":
        check_archive(path)
    layout = sniff_file(path).layout
    columns = choose_columns(path.name, layout.columns, choice)
    blocks: list[CopyBlock] = []
    passed = 0
    for row in read_rows(path, layout):
        cells = _cells(row, layout, path.name)
        if _passes(cells, choice.where, file=path.name, columns=layout.columns):
            passed += 1
            blocks.extend(_row_blocks(cells, columns, f"{path.name}, row {row.number}"))
    if choice.where and not passed:
        column, value = choice.where
        raise InputError(f"{path.name}: no row has {value!r} in column {column!r}; check the value of --where")
    return blocks


def choose_columns(file: str, columns: Sequence[str], choice: ListingChoice) -> ListingColumns:
    """Find the columns by the user's choice, else by usual names. Raises InputError naming the columns and options."""
    entity = _find(file, columns, choice.entity) if choice.entity else _named(columns, ENTITY_NAMES)
    if choice.text:
        titles: list[str] = []
        texts = _find_texts(file, columns, choice.text)
    else:
        text_names = _folded(TEXT_NAMES) | _folded(LIST_NAMES)
        titles = [column for column in columns if fold_header(column) in _folded(TITLE_NAMES) and column != entity]
        texts = [column for column in columns if fold_header(column) in text_names and column != entity]
    for found, role in ((entity, "entity (whose copy it is)"), (texts, "text")):
        if not found:
            raise InputError(
                f"{file}: no column for the {role} is known among {_listed(columns)}; name it with {OPTIONS}"
            )
    return ListingColumns(str(entity), tuple(titles), tuple(texts))


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the first column with one of the names, the names' order deciding."""
    by_name = {fold_header(column): column for column in reversed(columns)}
    return next((by_name[fold_header(name)] for name in names if fold_header(name) in by_name), None)


def _folded(names: Sequence[str]) -> set[str]:
    return {fold_header(name) for name in names}


def _find(file: str, columns: Sequence[str], name: str) -> str:
    """Find a column by its name, or by its name but for case and marks."""
    exact = name if name in columns else _named(columns, [name])
    if exact is None:
        raise InputError(f"{file}: there is no column {name!r}; its columns are {_listed(columns)}")
    return exact


def _find_texts(file: str, columns: Sequence[str], names: str) -> list[str]:
    if names in columns:
        return [names]
    return [_find(file, columns, name.strip()) for name in names.split(",") if name.strip()]


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(repr(column) for column in columns)


def _cells(row: Row, layout: Layout, file: str) -> dict[str, str]:
    if row.problem is not None:
        raise InputError(f"{file}, row {row.number}: {row.problem}; mend the row or take it out")
    return {column: plain_text(cell).strip() for column, cell in zip(layout.columns, row.cells, strict=False)}


def _passes(cells: dict[str, str], where: tuple[str, str] | None, *, file: str, columns: Sequence[str]) -> bool:
    return where is None or cells[_find(file, columns, where[0])] == where[1].strip()


def _row_blocks(cells: dict[str, str], columns: ListingColumns, source: str) -> Iterator[CopyBlock]:
    """Yield the blocks of one row, titles first."""
    entity = cells[columns.entity]
    found = [replace(block, kind="heading") for title in columns.titles for block in _cell_blocks(cells[title], source)]
    for text in columns.texts:
        is_list = fold_header(text) in _folded(LIST_NAMES)
        found += _list_blocks(cells[text], source) if is_list else _cell_blocks(cells[text], source)
    if found and (not entity or entity.casefold() in NO_TEXT):
        raise InputError(
            f"{source}: has copy, but column {columns.entity!r} is empty; fill it, or name another column with --entity"
        )
    for block in found:
        yield replace(block, entity=entity)


def _list_blocks(text: str, source: str) -> Iterator[CopyBlock]:
    """Cut a list of claims ("Wifi, Kitchen", or as JSON) into one block each."""
    if text.casefold() not in NO_TEXT:
        for claim in _LIST_MARKS.split(text):
            yield from make_blocks(claim, "cell", source)


def _cell_blocks(text: str, source: str) -> Iterator[CopyBlock]:
    """Read a cell as the plain text or the HTML that exports put there."""
    if not text or text.casefold() in NO_TEXT:
        return
    blocks = html_blocks(text, source) if holds_markup(text) else plain_blocks(text, source)
    for block in blocks:
        yield replace(block, source=source)
