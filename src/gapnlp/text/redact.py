"""Personal data out of a text, every offset kept: each find becomes bars of the same length.

Numbers go by their own rules, taken from python-stdnum and phonenumbers: checksums decide, so an order number, a price
or a date stays. Names and postal addresses are not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from phonenumbers import Leniency, PhoneNumberMatch, PhoneNumberMatcher, PhoneNumberType, number_type
from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError
from stdnum.pl import pesel

BAR = "█"

_Span = tuple[int, int]

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[^\W_][\w-]{0,62}(?:\.[\w-]{1,63}){1,8}(?<!-)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_NRB = re.compile(r"(?<![A-Za-z0-9])[0-9]{2}(?:[ -]?[0-9]{4}){6}(?![A-Za-z0-9])")
_RESIDENT = re.compile(r"(?<![A-Za-z0-9])[0-9]{17}[0-9Xx](?![A-Za-z0-9])")
_PESEL = re.compile(r"(?<![A-Za-z0-9])[0-9]{11}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![A-Za-z0-9])(?<![0-9][-.])[0-9](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9])")
# Issuer ranges, lengths (ISO/IEC 7812): Visa, Mastercard, American Express, Diners, JCB, Maestro, Discover, UnionPay.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|(?:5[06-9]|6\d)\d{11,17}"
)

# Whose national forms are looked for; international ones (+...) of every country are.
_REGIONS = ("PL", "CN", "GB", "US")
_MAYBE_PHONE = re.compile(r"\d(?:[\s().+/-]{0,3}\d){6}")
# A bare row of digits is a telephone number where it is a mobile number of these, or where a word says so.
_BARE_MOBILE = ("PL", "CN")
_PHONE_WORD = re.compile(
    r"(?:tel|phone|call|mobile|mob|cell|kom|dzwo|numer telefonu|whatsapp|sms|电话|電話|手机|手機)\W*\w{0,9}\W*$", re.I
)
_NO_PHONE_BEFORE = re.compile(
    r"(?:order|zam[oó]wieni\w*|booking|rezerwacj\w*|ticket|ref\w*|invoice|faktur\w*|track\w*|przesy\w*|paczk\w*|parcel|"
    r"case|claim|account|konto|订单|訂單|单号|單號|编号|編號|快递|快遞)\W*(?:(?:number|numer|num|nr|no|id|is|号|號)\W*){0,3}$"
    r"|[#$€£¥][ ]?$",
    re.I,
)
_LONE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)")
_MONEY_AFTER = re.compile(r"[ ]?(?:[.,]\d|zł|zl\b|pln|eur|usd|gbp|cny|rmb|kč|czk|[€$£¥%]|元|块|塊)", re.I)


def redact(text: str) -> tuple[str, int]:
    """`text` with e-mail addresses, telephone, card and account numbers, PESEL and Chinese resident ids as bars.

    Returns the text, as long as before, and how many were replaced.
    """
    count = 0
    for find in _FINDERS:
        spans = list(find(text))
        count += len(spans)
        text = _bar(text, spans)
    return text, count


def _bar(text: str, spans: list[_Span]) -> str:
    """`text` with each of the ordered, disjoint spans as bars."""
    pieces, last = [], 0
    for start, end in spans:
        pieces += [text[last:start], BAR * (end - start)]
        last = end
    return "".join([*pieces, text[last:]])


def _find_emails(text: str) -> Iterator[_Span]:
    if "@" in text:
        yield from (match.span() for match in _EMAIL.finditer(text))


def _find_ibans(text: str) -> Iterator[_Span]:
    """Accounts as ISO 13616 writes them; the pattern may run into the next word, so shorter readings are tried too."""
    for match in _IBAN.finditer(text):
        ends = (end for end in range(match.end(), match.start() + 14, -1) if not text[end : end + 1].isalnum())
        end = next((end for end in ends if iban.is_valid(text[match.start() : end])), None)
        if end is not None:
            yield match.start(), end


def _checked(pattern: re.Pattern[str], is_valid: Callable[[str], bool]) -> Callable[[str], Iterator[_Span]]:
    """Make a finder of the pattern's matches whose characters, without separators, are valid."""

    def find(text: str) -> Iterator[_Span]:
        return (m.span() for m in pattern.finditer(text) if is_valid(re.sub(r"[ -]", "", m[0])))

    return find


def _is_polish_account(digits: str) -> bool:
    """NRB: 26 digits, an IBAN without its country."""
    return iban.is_valid("PL" + digits)


def _is_resident_id(number: str) -> bool:
    """GB 11643-1999: check character by ISO 7064 MOD 11-2, and a real date of birth.

    The place code is not looked up: counties are founded and dissolved more often than tables are published.
    """
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    check: str = ric.calc_check_digit(number)
    return number[-1].upper() == check


def _is_card(digits: str) -> bool:
    """Check for an issued range and length, and the Luhn checksum (ISO/IEC 7812-1)."""
    return bool(_ISSUED.fullmatch(digits)) and luhn.is_valid(digits)


def _find_phones(text: str) -> Iterator[_Span]:
    """Telephone numbers in international form, or valid in one of the regions and not said to be something else."""
    if not _MAYBE_PHONE.search(text):
        return
    last = 0
    for start, end in sorted({span for region in _REGIONS for span in _phones_of(text, region)}):
        if end > last:
            yield max(start, last), end
            last = end


def _phones_of(text: str, region: str) -> Iterator[_Span]:
    for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID, max_tries=1000):
        if _is_phone(text, match, region):
            yield match.start, match.end


def _is_phone(text: str, match: PhoneNumberMatch, region: str) -> bool:
    """Whether the words and marks around a possible number let it be one."""
    raw, before = match.raw_string, text[max(0, match.start - 40) : match.start]
    if raw.startswith(("+", "00")):
        return True
    if len(_LONE_DIGIT.findall(raw)) > 1:
        return False  # a count or scores, "87 63 1 2 3"
    if _NO_PHONE_BEFORE.search(before) or _MONEY_AFTER.match(text, match.end):
        return False
    if not raw.isdigit() or raw.startswith("0") or _PHONE_WORD.search(before):
        return True
    return region in _BARE_MOBILE and number_type(match.number) == PhoneNumberType.MOBILE


_FINDERS: tuple[Callable[[str], Iterator[_Span]], ...] = (
    _find_emails,
    _find_ibans,
    _checked(_NRB, _is_polish_account),
    _checked(_RESIDENT, _is_resident_id),
    _checked(_CARD, _is_card),
    _checked(_PESEL, pesel.is_valid),
    _find_phones,
)
