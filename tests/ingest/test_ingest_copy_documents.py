import io
import zipfile

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pypdf import PdfReader, PdfWriter

from gapnlp.errors import InputError
from gapnlp.ingest import copy_pdf
from gapnlp.ingest.copy import read_copy
from gapnlp.ingest.copy_pdf_lines import join_printed


def pairs(blocks):
    return [(block.kind, block.text) for block in blocks]


def save_docx(path):
    document = Document()
    document.sections[0].header.paragraphs[0].text = "Every page says this"
    document.add_heading("Willa Sosna", 0)
    document.add_heading("Pokoje", 1)
    paragraph = document.add_paragraph("Sprzątamy ")
    paragraph.add_run("codziennie").bold = True
    paragraph.add_run(" w południe").font.strike = True
    paragraph.add_run(", także w święta.")
    document.add_paragraph("Ręczniki co dzień", style="List Bullet")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text = "Parking"
    table.cell(0, 1).text = "gratis"
    run = "<w:r><w:t>{0}</w:t></w:r>".format
    words = f"<w:p {nsdecls('w')}>{run('欢迎')}<w:del>{run('deleted')}</w:del><w:ins>{run('光临')}</w:ins></w:p>"
    document.element.body.insert(-1, parse_xml(words))
    control = (
        "<w:sdt {0}><w:sdtContent><w:p><w:r><w:t>First</w:t><w:br/><w:t>Second</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    document.element.body.insert(-1, parse_xml(control.format(nsdecls("w"))))
    document.save(str(path))
    return path


def test_docx_blocks(tmp_path):
    assert pairs(read_copy([save_docx(tmp_path / "d.docx")])) == [
        ("heading", "Willa Sosna"),
        ("heading", "Pokoje"),
        ("paragraph", "Sprzątamy codziennie, także w święta."),
        ("bullet", "Ręczniki co dzień"),
        ("cell", "Parking"),
        ("cell", "gratis"),
        ("paragraph", "欢迎光临"),
        ("paragraph", "First"),
        ("paragraph", "Second"),
    ]


def test_docx_without_words(tmp_path):
    Document().save(str(tmp_path / "d.docx"))
    with pytest.raises(InputError, match=r"d\.docx: holds no copy"):
        read_copy([tmp_path / "d.docx"])


def test_a_zip_bomb_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"word/{number}.xml", b"\0" * 100_000_000)
    assert path.stat().st_size < 1_000_000
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(InputError, match=r"bomb\.docx: would unpack to 300 MB in 3 parts"):
        read_copy([path])


@pytest.mark.parametrize("ending", [".docx", ".xlsx", ".pdf"])
@pytest.mark.parametrize(
    "content", [b"", b"not at all", b"\xd0\xcf\x11\xe0" + b"\0" * 600, b"PK\x03\x04rest", b"%PDF-1.7\n%%EOF"]
)
def test_damaged_documents(tmp_path, ending, content):
    path = tmp_path / f"x{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"x{ending}: .*(save it again|print it)"):
        read_copy([path])


def test_a_zip_that_is_no_word_document(tmp_path):
    path = tmp_path / "x.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match=r"x\.docx: cannot be read as DOCX \(\w+\); open it and save it again"):
        read_copy([path])


def make_pdf(pages):
    """Build a PDF by hand; pages: lists of (x, y, size, words)."""
    bodies = ["".join(f"BT /F1 {size} Tf {x} {y} Td ({words}) Tj ET\n" for x, y, size, words in page) for page in pages]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for i, body in enumerate(bodies):
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {resources} /Contents {5 + 2 * i} 0 R >>")
        objects.append(f"<< /Length {len(body.encode('cp1252'))} >>\nstream\n{body}endstream")
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252"))
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.write(b"".join(b"%010d 00000 n \n" % offset for offset in offsets))
    out.write(f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def brochure(number):
    return [
        (72, 810, 8, "Larkmoor Boats brochure"),
        (72, 30, 8, f"Page {number} of 3"),
        (72, 700 - number, 16, "Every day of the year"),
        (72, 670, 10, "We sail every day at ten in the morning, whatever the wind and the rain are do-"),
        (72, 658, 10, "ing outside, and we are back by noon so that your lunch on shore is always and"),
        (72, 646, 10, "surely warm. Tea is free."),
        (72, 622, 10, "Dogs sail free"),
        (72, 600, 10, "• Life jackets"),
        (72, 588, 10, "• Blankets"),
        (72, 560, 10, "Bay trip"),
        (200, 560, 10, "20 EUR"),
    ]


def test_pdf_blocks(tmp_path):
    path = tmp_path / "b.pdf"
    path.write_bytes(make_pdf([brochure(1), brochure(2), brochure(3)]))
    blocks = read_copy([path])
    page = [
        ("heading", "Every day of the year"),
        (
            "paragraph",
            "We sail every day at ten in the morning, whatever the wind and the rain are doing outside, and we are "
            "back by noon so that your lunch on shore is always and surely warm. Tea is free.",
        ),
        ("paragraph", "Dogs sail free"),
        ("bullet", "Life jackets"),
        ("bullet", "Blankets"),
        ("paragraph", "Bay trip 20 EUR"),
    ]
    assert pairs(blocks) == page * 3
    assert [block.source for block in blocks[5:7]] == ["b.pdf, page 1", "b.pdf, page 2"]


def test_a_paragraph_goes_on_over_the_page(tmp_path):
    path = tmp_path / "b.pdf"
    first = [(72, 100, 10, "We sail every day at ten in the morning, whatever the wind and the rain")]
    path.write_bytes(make_pdf([first, [(72, 740, 10, "are doing outside.")]]))
    assert [block.text for block in read_copy([path])] == [f"{first[0][3]} are doing outside."]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["We never over-", "charge"], "We never overcharge"),
        (["open 9-", "17"], "open 9- 17"),
        (["Polish-", "English"], "Polish- English"),
        (["三天内", "送到"], "三天内送到"),
        (["soft\u00ad", "ness"], "softness"),
    ],
)
def test_words_cut_at_the_line_end(lines, text):
    assert join_printed(lines) == text


def test_a_scan_is_named_as_one(tmp_path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(make_pdf([[]]))
    with pytest.raises(InputError, match=r"scan\.pdf: holds no text; it may be a scan"):
        read_copy([path])


@pytest.mark.parametrize(("user", "refused"), [("secret", True), ("", False)])
def test_encrypted_pdfs(tmp_path, user, refused):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(make_pdf([[(72, 700, 10, "We sail daily.")]]))))
    writer.encrypt(user, "owner", algorithm="RC4-128")
    path = tmp_path / "e.pdf"
    writer.write(path)
    if not refused:
        assert [block.text for block in read_copy([path])] == ["We sail daily."]
        return
    with pytest.raises(InputError, match=r"e\.pdf: is protected by a password; save it without one"):
        read_copy([path])


def test_too_many_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(copy_pdf, "MAX_PAGES", 1)
    path = tmp_path / "long.pdf"
    path.write_bytes(make_pdf([brochure(1), brochure(2)]))
    with pytest.raises(InputError, match=r"long\.pdf: has 2 pages, and 1 are read"):
        read_copy([path])
