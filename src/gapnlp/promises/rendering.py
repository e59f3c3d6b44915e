"""Write a quantity as people would, in English, Polish or Chinese; what is written reads back as the same quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gapnlp.errors import InputError
from gapnlp.promises.comparing import is_working_days
from gapnlp.promises.folding import fold
from gapnlp.promises.lexicon import load_lexicon
from gapnlp.promises.measures import TIMES_A_YEAR
from gapnlp.promises.units import CURRENCIES, FREE, FREQUENCY, HOURS
from gapnlp.records.promises import Quantity

# Nominative singular, accusative singular, genitive singular (also of fractions), plural after 2-4, plural after 5.
_POLISH: Mapping[str, tuple[str, str, str, str, str]] = MappingProxyType(
    {
        "second": ("sekunda", "sekundę", "sekundy", "sekundy", "sekund"),
        "minute": ("minuta", "minutę", "minuty", "minuty", "minut"),
        "hour": ("godzina", "godzinę", "godziny", "godziny", "godzin"),
        "day": ("dzień", "dzień", "dnia", "dni", "dni"),
        "working_day": ("dzień roboczy", "dzień roboczy", "dnia roboczego", "dni robocze", "dni roboczych"),
        "week": ("tydzień", "tydzień", "tygodnia", "tygodnie", "tygodni"),
        "month": ("miesiąc", "miesiąc", "miesiąca", "miesiące", "miesięcy"),
        "year": ("rok", "rok", "roku", "lata", "lat"),
        "metre": ("metr", "metr", "metra", "metry", "metrów"),
        "time": ("raz", "raz", "raza", "razy", "razy"),
    }
)
_ENGLISH = {"metre": ("metre", "metres"), "working_day": ("working day", "working days")} | {
    unit: (unit, unit + "s") for unit in HOURS
}
_CHINESE = {
    "second": "秒",
    "minute": "分钟",
    "hour": "小时",
    "day": "天",
    "working_day": "个工作日",
    "week": "周",
    "month": "个月",
    "year": "年",
    "metre": "米",
    "km": "公里",
    "kg": "公斤",
    "m2": "平方米",
    "CNY": "元",
}
_SHORT = {"km": "km", "kg": "kg", "m2": "m²", "Mbit/s": "Mbit/s"}
# "SEK" would read as seconds in Polish.
_POLISH_MONEY = {"PLN": "zł", "SEK": "koron szwedzkich"}
_SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$"}
_PERIODS = {
    "en": {"day": "a day", "week": "a week", "month": "a month", "year": "a year"},
    "pl": {"day": "dziennie", "week": "w tygodniu", "month": "w miesiącu", "year": "w roku"},
    "zh": {"day": "每天", "week": "每周", "month": "每月", "year": "每年"},
}
_FREE = {"en": "free of charge", "pl": "bezpłatnie", "zh": "免费"}
_SAME_DAY = {"en": "the same day", "pl": "tego samego dnia", "zh": "当天"}
_BEFORE = {
    "en": {"<": "less than ", "<=": "up to ", "=": "", ">=": "at least ", ">": "more than "},
    "pl": {"<": "mniej niż ", "<=": "do ", "=": "", ">=": "co najmniej ", ">": "ponad "},
    "zh": {"<": "不到", "<=": "最多", "=": "", ">=": "至少", ">": "超过"},
}


def render(quantity: Quantity, language: str) -> str:
    """Write a quantity with its limit: "within 24 hours", "w ciągu 24 godzin", "24小时内".

    A count keeps the counted noun of `quantity.text`, which must be of the same language; where the value was changed
    the noun's form may need a look. Values are written with up to 6 decimals. Raises InputError for another language.
    """
    if language not in _RENDERERS:
        raise InputError(f"quantities: cannot write in language {language!r}; use one of {', '.join(_RENDERERS)}")
    if quantity.unit == FREE and quantity.value == 0:
        return _FREE[language]
    if quantity.unit == "day" and quantity.value == 0 and quantity.comparator == "<=":
        return _SAME_DAY[language]
    if quantity.unit == FREQUENCY:
        return _frequency(quantity, language)
    if quantity.unit == "count":
        return _BEFORE[language][quantity.comparator] + _number(quantity.value, language) + _noun(quantity, language)
    return _RENDERERS[language](quantity)


def _number(value: float, language: str) -> str:
    written = f"{value:.6f}".rstrip("0").rstrip(".")
    return written.replace(".", ",") if language == "pl" else written


def _money(value: float, language: str) -> str:
    """Two decimals, or none where there are only whole units."""
    return (
        _number(value, language)
        if value == int(value)
        else f"{value:.2f}".replace(".", "," if language == "pl" else ".")
    )


def _noun(quantity: Quantity, language: str) -> str:
    """Take the counted noun from the words that the quantity was read from."""
    plain = fold(quantity.text)
    lexicon = load_lexicon(language)
    number = lexicon.number.search(plain)
    if number is None:
        return {"en": " times", "pl": " razy", "zh": "次"}[language]
    sign = lexicon.range.match(plain, number.end())
    second = lexicon.next_number.match(plain, sign.end()) if sign else None
    end = (second or number).end()
    tail = quantity.text[end:].rstrip()
    after = next((m for i in range(len(tail)) if (m := lexicon.after.pattern.fullmatch(fold(tail[i:])))), None)
    return tail[: len(tail) - len(after.group())] if after else tail


def _frequency(quantity: Quantity, language: str) -> str:
    """Write times a day, week, month or year: the first in which they are a whole number."""
    times = {name: quantity.value / TIMES_A_YEAR[name] for name in _PERIODS["en"]}
    whole = (name for name, value in times.items() if value > 0.5 and abs(value - round(value)) < 1e-4)
    name = next(whole, "year")
    value = _number(round(times[name], 4), language)
    limit, period = _BEFORE[language][quantity.comparator], _PERIODS[language][name]
    if language == "zh":
        return f"{limit}{period}{value}次"
    one = {"en": "once", "pl": "raz"}[language]
    many = {"en": "times", "pl": "razy"}[language]
    return f"{limit}{one} {period}" if value == "1" else f"{limit}{value} {many} {period}"


def _english(quantity: Quantity) -> str:
    value, unit = quantity.value, quantity.unit
    before = "within " if unit in HOURS and quantity.comparator == "<=" else _BEFORE["en"][quantity.comparator]
    if unit in _SYMBOLS:
        return f"{before}{_SYMBOLS[unit]}{_money(value, 'en')}"
    if unit in CURRENCIES:
        return f"{before}{_money(value, 'en')} {unit}"
    number = _number(value, "en")
    if unit == "percent":
        return f"{before}{number}%"
    named = _ENGLISH.get("working_day" if is_working_days(quantity) else unit)
    return f"{before}{number} {named[number != '1'] if named else _SHORT.get(unit, unit)}"


def _polish(quantity: Quantity) -> str:
    value, unit, comparator = quantity.value, quantity.unit, quantity.comparator
    before = "w ciągu " if unit in HOURS and comparator == "<=" else _BEFORE["pl"][comparator]
    if unit in CURRENCIES:
        return f"{before}{_money(value, 'pl')} {_POLISH_MONEY.get(unit, unit)}"
    number = _number(value, "pl")
    if unit == "percent":
        return f"{before}{number}%"
    forms = _POLISH.get("working_day" if is_working_days(quantity) else unit)
    return f"{before}{number} {_polish_form(forms, value, comparator) if forms else _SHORT.get(unit, unit)}"


def _polish_form(forms: tuple[str, str, str, str, str], value: float, comparator: str) -> str:
    """Choose the form by number and by the case that the comparator asks for ("w ciągu", "do": genitive)."""
    nominative, accusative, genitive, few, many = forms
    if value != int(value):
        return genitive
    if value == 1:
        return {"<=": genitive, ">": accusative, ">=": accusative}.get(comparator, nominative)
    is_few = value % 10 in (2, 3, 4) and value % 100 not in (12, 13, 14)
    return few if is_few and comparator != "<=" else many


def _chinese(quantity: Quantity) -> str:
    value, unit, comparator = quantity.value, quantity.unit, quantity.comparator
    if unit in CURRENCIES:
        name = _CHINESE.get(unit, f" {unit}")
        return f"{_BEFORE['zh'][comparator]}{_money(value, 'zh')}{name}"
    number = _number(value, "zh")
    name = "%" if unit == "percent" else _CHINESE.get("working_day" if is_working_days(quantity) else unit, unit)
    if unit in HOURS and comparator == "<=":
        return f"{number}{name}内"
    return f"{_BEFORE['zh'][comparator]}{number}{name}"


_RENDERERS: Mapping[str, Callable[[Quantity], str]] = MappingProxyType({"en": _english, "pl": _polish, "zh": _chinese})
