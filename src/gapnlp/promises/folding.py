"""One plain form of a text, of the same length, so that patterns stay simple and offsets stay exact."""

from __future__ import annotations

from functools import cache

_FROM = "ąćęłńóśźż０１２３４５６７８９％：／．＄￥＋　\u00a0\u2009\u202f‐‑‒–—―−～〜~’‘＜＞≤≥"
_TO = "acelnoszz0123456789%:/.$¥+    -------" + "---" + "''<>≤≥"
# Only the traditional characters that quantities use; the classifier's own conversion does the rest.
_TRADITIONAL = (
    "時鐘鍾個兩萬億塊費內週歲點號種間張臺過隨運郵從錢條層樓項輛達"
    "圓幣無總絕證於後將對雙鎊歐這哪當貳參場處門禮頭顆隻單頁僅贈筆餘"
)
_SIMPLIFIED = (
    "时钟钟个两万亿块费内周岁点号种间张台过随运邮从钱条层楼项辆达"
    "元币无总绝证于后将对双镑欧这哪当二三场处门礼头颗只单页仅赠笔余"
)


@cache
def _table() -> dict[int, int]:
    return str.maketrans(_FROM + _TRADITIONAL, _TO + _SIMPLIFIED)


def fold(text: str) -> str:
    """Lower the case, take Polish diacritics off, narrow wide digits and simplify the characters that quantities use.

    Every character becomes exactly one, so an offset in the result is an offset in `text`.
    """
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(small if len(small := char.lower()) == 1 else char for char in text)
    return lowered if lowered.isascii() else lowered.translate(_table())
