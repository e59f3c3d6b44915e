"""What an XLSX takes in memory: its cells and texts, counted as a stream before the workbook is opened.

A workbook is held as a whole rectangle of cells, each with its own copy of its text. One cell far to the right and
below, or one long text that a million cells share, fills any memory from a small file.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from xml.parsers import expat

from gapnlp.errors import InputError
from gapnlp.ingest.limits import UploadLimits

_BLOCK = 1 << 20
_MOST_PARTS = 5_000
# Cells of all sheets' rectangles, and characters of their texts: what stays below about 2 GB.
_MOST_CELLS = 20_000_000
_MOST_CHARACTERS = 400_000_000
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_KEPT_AS_XML = ("/worksheet", "/sharedStrings")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, expat.ExpatError)


def check_workbook_cells(path: Path, limits: UploadLimits) -> None:
    """Check a workbook before it is opened. Raises InputError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_parts(archive, path, limits)
    except _DAMAGED:
        raise InputError(
            f"{path.name}: is no workbook, is damaged, or is locked with a password; save it again as .xlsx"
        ) from None


def _check_parts(archive: zipfile.ZipFile, path: Path, limits: UploadLimits) -> None:
    names = archive.namelist()
    if len(names) > _MOST_PARTS:
        raise InputError(f"{path.name}: holds more than {_MOST_PARTS:,} parts; save the sheet alone in a new workbook")
    counter = _Counter(path.name, limits)
    # Shared texts first: the sheets refer to them.
    for name in sorted(names, key=lambda n: "sharedstrings" not in n.lower()):
        if name.lower().endswith((".xml", ".rels")):
            with archive.open(name) as stream:
                parser = counter.begin()
                while block := stream.read(_BLOCK):
                    parser.Parse(block, False)
                parser.Parse(b"", True)
            counter.end()


class _Counter:
    """Counts the cells and texts of XML parts, whatever each part says it is."""

    def __init__(self, file: str, limits: UploadLimits) -> None:
        self._file, self._limits = file, limits
        self._shared: list[int] = []
        self._cells = self._characters = 0
        self._begin_sheet()

    def begin(self) -> expat.XMLParserType:
        """Make a parser for the next part; it refuses declarations of entities, which unpack without bounds."""
        self._begin_sheet()
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_declarations
        return parser

    def end(self) -> None:
        """Add a part's rectangle of cells to those before."""
        self._cells += self._bottom * self._right

    def _begin_sheet(self) -> None:
        self._row = self._column = self._bottom = self._right = 0
        self._length, self._value, self._is_reference = 0, "", False

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "row":
            told = attributes.get("r", "")
            self._row = int(told) if told.isdecimal() and len(told) < 9 else self._row + 1
            self._column = 0
        elif local == "c":
            self._place(attributes.get("r", ""))
            self._is_reference = attributes.get("t") == "s"
        elif local == "Relationship":
            self._check_target(attributes)
        if local in ("c", "si", "v"):
            self._length, self._value = 0, ""

    def _place(self, told: str) -> None:
        found = _PLACE.fullmatch(told)
        self._column = _column_number(found[1]) if found else self._column + 1
        row = int(found[2]) if found else max(self._row, 1)
        self._bottom, self._right = max(self._bottom, row), max(self._right, self._column)
        if self._right > self._limits.columns:
            most = self._limits.columns
            raise InputError(
                f"{self._file}: reaches to column {self._right:,}; at most {most:,} are taken: leave some out"
            )
        if self._cells + self._bottom * self._right > _MOST_CELLS:
            raise InputError(
                f"{self._file}: its sheets span more than {_MOST_CELLS:,} cells; save the one with the texts as CSV"
            )

    def _text(self, data: str) -> None:
        self._length += len(data)
        if self._is_reference and len(self._value) < 20:
            self._value += data[:20]

    def _end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == "si":
            self._shared.append(self._length)
            self._check_text(self._length)
        elif local == "c":
            self._end_cell()

    def _end_cell(self) -> None:
        length, value = self._length, self._value.strip()
        if self._is_reference and value.isdecimal():
            length = self._shared[int(value)] if int(value) < len(self._shared) else 0
        self._is_reference = False
        self._check_text(length)
        self._characters += length
        if self._characters > _MOST_CHARACTERS:
            raise InputError(
                f"{self._file}: its cells hold more than {_MOST_CHARACTERS:,} characters; save the sheet as CSV"
            )

    def _check_text(self, length: int) -> None:
        most = self._limits.cell_characters
        if length > most:
            where = f", row {self._row}" if self._row else ""
            raise InputError(
                f"{self._file}{where}: a cell has {length:,} characters; at most {most:,} are taken: shorten it or "
                "leave the column out"
            )

    def _check_target(self, attributes: dict[str, str]) -> None:
        """Sheets and shared texts have to be among what is counted."""
        kept = attributes.get("Type", "").endswith(_KEPT_AS_XML)
        if kept and not attributes.get("Target", "").lower().endswith(".xml"):
            raise InputError(f"{self._file}: a sheet is kept in an unusual way; save it again as .xlsx")

    def _refuse_declarations(self, *_: object) -> None:
        raise InputError(f"{self._file}: declares XML entities, as no spreadsheet does; save it again as .xlsx")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
