import gzip

import pytest

from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.encodings import SNIFF_BYTES, detect_encoding
from gapnlp.ingest.intake import read_feedback, recognise
from gapnlp.records.feedback import Feedback

POLISH = "Paczka przyszła późno, a obsługa była opryskliwa; żądałem zwrotu pieniędzy i wciąż nic."
SIMPLIFIED = "房间很干净，服务员态度也不错，就是早餐太少，退房等了半个小时。"
TRADITIONAL = "護理師很有耐心，醫師解說清楚，但是停車場太小，等候時間超過兩個小時。"
WESTERN = "Le serveur était très désagréable, señor Müller a dû attendre à côté de l'entrée."


def read_texts(path):
    return [item.text for item in read_feedback([path], ColumnOptions()) if isinstance(item, Feedback)]


@pytest.mark.parametrize(
    ("codec", "text", "expected"),
    [
        ("utf-8", POLISH, "utf-8"),
        ("utf-8-sig", SIMPLIFIED, "utf-8-sig"),
        ("utf-16", POLISH, "utf-16-le"),
        ("utf-16-le", POLISH, "utf-16-le"),
        ("utf-16-be", POLISH, "utf-16-be"),
        ("utf-16-le", SIMPLIFIED, "utf-16-le"),
        ("utf-16-be", TRADITIONAL, "utf-16-be"),
        ("cp1250", POLISH, "cp1250"),
        ("iso8859-2", POLISH, "iso8859-2"),
        ("cp1252", WESTERN, "cp1252"),
        ("gb18030", SIMPLIFIED, "gb18030"),
        ("big5", TRADITIONAL, "big5"),
    ],
)
def test_each_encoding_is_told_and_read_back(tmp_path, codec, text, expected):
    path = tmp_path / "opinions.csv"
    path.write_bytes(f'id,text\r\nA-1,"{text}"\r\nA-2,"{text} 2"\r\n'.encode(codec))
    assert recognise(path, ColumnOptions()).encoding == expected
    assert read_texts(path) == [text, f"{text} 2"]


@pytest.mark.parametrize("text", ["Było źle", "Dziękuję", "żółw ma ładną skorupę"])
def test_short_polish_in_cp1250_is_not_taken_for_western(text):
    assert text.encode("cp1250").decode(detect_encoding(f"tekst\n{text}\n".encode("cp1250")) or "") == text


@pytest.mark.parametrize("text", ["醫院很好", "服務態度不佳", "等太久了"])
def test_short_big5_is_not_taken_for_gb18030(text):
    assert detect_encoding(f"評論\n{text}\n".encode("big5")) == "big5"


def test_a_sample_may_end_inside_a_character():
    assert detect_encoding("tekst\nżółw".encode()[:-2]) == "utf-8"
    assert detect_encoding(("评论\n" + SIMPLIFIED).encode("gb18030")[:-1]) == "gb18030"


def test_letters_after_a_long_ascii_beginning_decide(tmp_path):
    path = tmp_path / "late.csv"
    plain = b"text\n" + b"all was well and on time\n" * (SNIFF_BYTES // 20)
    path.write_bytes(plain + f"{POLISH.replace(',', '')}\n".encode("cp1250"))
    assert recognise(path, ColumnOptions()).encoding == "cp1250"
    assert read_texts(path)[-1] == POLISH.replace(",", "")


def test_a_foreign_byte_among_utf8_is_replaced_with_a_notice(tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_bytes(f"id,text\nA,{POLISH.replace(',', '')}\nB,caf".encode() + b"\xe9 closed\n")
    first, second = read_feedback([path], ColumnOptions())
    assert first.notices == ()
    assert second.text == "caf\ufffd closed"
    assert "lost" in second.notices[0]


def test_an_encoding_that_fails_only_later_does_not_stop_the_run(tmp_path):
    path = tmp_path / "later.csv"
    body = "".join(f"N{i};{POLISH.replace(';', ',')}\n" for i in range(5_000)).encode()
    assert len(body) > SNIFF_BYTES
    path.write_bytes(b"id;text\n" + body + b"LAST;\xff\xfe broken\n")
    items = list(read_feedback([path], ColumnOptions()))
    assert len(items) == 5_001
    assert [i for i, item in enumerate(items) if item.notices] == [5_000]


def test_a_packed_file_reads_like_the_plain_one(tmp_path):
    content = f"tekst\n{POLISH}\n".replace(",", "").encode("cp1250")
    plain, packed = tmp_path / "a.csv", tmp_path / "b.csv.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    assert read_texts(plain) == read_texts(packed)


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("gb18030", "護理師很有耐心，說明清楚，停車場卻太小。"),
        ("cp1252", "It cost £50 – and it’s broken."),
        ("utf-16-be", "一上一下等了一個小時。\n一定要改善，一點都不好。"),
        ("cp1250", "„Żółw” – 5 zł… źle, ąę"),
    ],
)
def test_texts_that_look_like_another_encoding(codec, text):
    sample = f"x\n{text}\n".encode(codec)
    assert sample.decode(detect_encoding(sample) or "ascii") == f"x\n{text}\n"
