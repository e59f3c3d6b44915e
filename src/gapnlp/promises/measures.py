"""Find the quantities of a folded text, each without the words that limit it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gapnlp.promises.lexicon import LOOK_BACK, Lexicon
from gapnlp.promises.number_words import parse_chinese, parse_digits, parse_words
from gapnlp.promises.units import FREQUENCY, HALVES, HOURS, NAMED

# How often in a year: a day is said of 365, a week of 365 / 7.
TIMES_A_YEAR = {"hour": 8760.0, "day": 365.0, "week": 365 / 7, "month": 12.0, "year": 1.0}
_HOURS_AND_MINUTES = re.compile(
    r"(?<![0-9a-z.,])([0-9]{1,2})\s?h\s?([0-5][0-9])(?:\s?m(?:in)?(?:s|ut|utes)?)?(?![0-9a-z])"
)
_MOST_COUNTED = 1_000_000
_NO_YEAR_BEFORE, _NO_YEAR_AFTER = 1900, 2099


@dataclass(frozen=True, slots=True)
class Reading:
    """A quantity by its place in the folded text; low: a range's lower end; fixed: takes no other comparator."""

    start: int
    end: int
    value: float
    unit: str
    comparator: str = "="
    low: float | None = None
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class _Number:
    """A number or range as read: `start` and `end` in the folded text; vague: "20 or so more" ("二十几")."""

    start: int
    end: int
    value: float
    low: float | None = None
    more: bool = False
    in_words: bool = False


def find_readings(plain: str, lexicon: Lexicon) -> list[Reading]:
    """Find all readings, in order; where two overlap, the earlier and then the longer stays."""
    found = [*_phrases(plain, lexicon), *_measured(plain, lexicon), *_bare(plain, lexicon), *_times(plain, lexicon)]
    kept: list[Reading] = []
    for reading in sorted(found, key=lambda r: (r.start, -r.end)):
        if not kept or reading.start >= kept[-1].end:
            kept.append(reading)
    return kept


def _phrases(plain: str, lexicon: Lexicon) -> Iterator[Reading]:
    for match in _HOURS_AND_MINUTES.finditer(plain) if "h" in plain else ():
        yield Reading(*match.span(), int(match[1]) * 60.0 + int(match[2]), "minute")
    if not any(map(plain.__contains__, lexicon.phrase_triggers)):
        return
    for match in lexicon.phrases.finditer(plain):
        phrase = lexicon.phrase_list[int((match.lastgroup or "")[len("phrase") :])]
        if phrase.negatable and lexicon.guards.negation.search(_window(plain, match.start())):
            continue
        reading = Reading(*match.span(), float(phrase.value or 0), phrase.unit, comparator=phrase.comparator)
        if phrase.unit == "adjective":
            adjective = _adjective(match, lexicon)
            if adjective is not None:
                yield adjective
        elif phrase.value is None:
            yield from _phrase_with_number(reading, plain, lexicon)
        else:
            yield replace(reading, fixed=phrase.comparator != "=" or phrase.value == 0)


def _adjective(match: re.Match[str], lexicon: Lexicon) -> Reading | None:
    """Read one-word adjectives of a number and a unit ("dziesięcioletni")."""
    if lexicon.guards.after.match(match.string, match.end()):
        return None
    names = [name for name, text in match.groupdict().items() if text is not None and not name.startswith("phrase")]
    value = next(float(name[1:].replace("_", ".")) for name in names if name[0] == "n")
    unit = next(name for name in names if name[0] != "n")
    return Reading(*match.span(), value, unit)


def _phrase_with_number(reading: Reading, plain: str, lexicon: Lexicon) -> Iterator[Reading]:
    written = plain[reading.start : reading.end]
    if reading.unit == "百分之":
        value = _percent(written.removeprefix("百分之"))
        if value is not None:
            yield replace(reading, value=value, unit="percent")
        return
    match = lexicon.next_number.search(written)
    number = _number(match, lexicon) if match else None
    if number:
        yield replace(reading, value=number.value, fixed=True)


def _percent(written: str) -> float | None:
    """Read what follows "百分之": digits, or numerals with "点" for the decimal point."""
    if written[0].isdigit():
        return parse_digits(written, "zh")
    whole, _, decimals = written.partition("点")
    parsed = parse_chinese(whole) if whole != "百" else (100.0, None)
    if parsed is None:
        return None
    digits = "".join(str("零一二三四五六七八九".index(char)) for char in decimals)
    return parsed[0] + (float(f"0.{digits}") if digits else 0.0)


def _measured(plain: str, lexicon: Lexicon) -> Iterator[Reading]:
    masks: list[tuple[int, int]] | None = None
    position = 0
    while match := lexicon.number.search(plain, position):
        position = match.end()
        if masks is None:
            masks = [m.span() for m in lexicon.guards.masks.finditer(plain)]
        at = bisect_right(masks, (match.start(), len(plain) + 1)) - 1
        if at >= 0 and match.start() < masks[at][1]:
            position = masks[at][1]
            continue
        number = _read_range(match, lexicon)
        reading = _measure(number, plain, lexicon) if number else None
        if reading:
            position = reading.end
            yield reading


def _number(match: re.Match[str], lexicon: Lexicon) -> _Number | None:
    low: float | None = None
    if digits := match["digits"]:
        value = parse_digits(digits, lexicon.language)
    elif lexicon.language == "zh" and match["words"] != "半":
        parsed = parse_chinese(match["words"])
        value, low = parsed if parsed else (None, None)
    else:
        value = parse_words(" ".join(match["words"].split()), lexicon.numbers)
    if value is None:
        return None
    if scale := match["scale"]:
        value *= lexicon.scales[scale]
    value += 0.5 if match["half"] else 0.0
    return _Number(*match.span(), value, low, more=bool(match["plus"]), in_words=not match["digits"])


def _read_range(match: re.Match[str], lexicon: Lexicon) -> _Number | None:
    """Read the number at `match` and, where a range's sign and a larger number follow, the range."""
    first = _number(match, lexicon)
    sign = lexicon.range.match(match.string, match.end())
    second_match = lexicon.next_number.match(match.string, sign.end()) if first and sign else None
    second = _number(second_match, lexicon) if second_match else None
    if first is None or sign is None or second is None or second.value <= first.value:
        return first
    opener = _window(match.string, match.start()).rstrip()
    if sign.group().strip() in lexicon.range_and and not opener.endswith("between"):
        return first
    return replace(second, start=first.start, low=first.value)


def _measure(number: _Number, plain: str, lexicon: Lexicon) -> Reading | None:
    """Read a number by what follows it (unit, noun) or stands before it (currency); None where it measures nothing."""
    window = _window(plain, number.start)
    unit = lexicon.unit.match(plain, number.end)
    if unit and unit.lastgroup:
        return _with_unit(number, unit, lexicon=lexicon, window=window)
    if currency := lexicon.currency_before.search(window):
        name, factor = NAMED[currency.lastgroup or ""]
        return _reading(number, name, factor=factor, start=number.start - len(window) + currency.start())
    return _count(number, plain, lexicon=lexicon, window=window)


def _with_unit(number: _Number, unit: re.Match[str], *, lexicon: Lexicon, window: str) -> Reading | None:
    group = unit.lastgroup or ""
    if lexicon.guards.after.match(unit.string, unit.end()) or lexicon.guards.before.search(window):
        return None
    name, factor = NAMED[group]
    if name == "year" and lexicon.guards.age_before.search(window):
        return None
    named = {key for key, text in unit.groupdict().items() if text}
    if "half" in named or "half2" in named:
        number = replace(number, value=number.value + 0.5)
    number = replace(number, more=number.more or bool(named & {"more", "more2"}))
    end = unit.end()
    if number.in_words and number.value == 0.5 and name in HALVES:
        name, factor = HALVES[name][0], HALVES[name][1] * 2
    elif half := lexicon.unit_half.match(unit.string, end):
        number, end = replace(number, value=number.value + 0.5), half.end()
    reading = _reading(replace(number, end=end), name, factor=factor)
    vague = unit.groupdict().get("more") or unit.groupdict().get("more2")
    if vague and lexicon.language == "zh":
        return _vague(reading, number, vague)
    return _with_period(reading, unit.string, lexicon) if name in HOURS else reading


def _vague(reading: Reading, number: _Number, word: str) -> Reading | None:
    """Judge a word between number and unit: more than the number, about it ("来"), or too vague to say ("十几")."""
    if word == "来":
        return replace(reading, comparator="=")
    return None if word == "几" and number.value <= 10 else replace(reading, comparator=">")


def _with_period(reading: Reading, plain: str, lexicon: Lexicon) -> Reading:
    """Take in "a day" after hours, and turn days a week into a frequency."""
    period = lexicon.period.match(plain, reading.end)
    if period is None or reading.low is not None:
        return reading
    name = _period_name(period)
    if reading.unit == "hour" and name == "day":
        return replace(reading, end=period.end())
    if reading.unit == "day" and name in ("week", "month", "year"):
        return _frequency(reading, name, end=period.end())
    return reading


def _period_name(match: re.Match[str]) -> str:
    return next((name.rstrip("2") for name, text in match.groupdict().items() if text), "day")


def _frequency(reading: Reading, period: str, *, end: int) -> Reading:
    value = round(reading.value * TIMES_A_YEAR[period], 6)
    return Reading(reading.start, end, value, FREQUENCY, comparator=reading.comparator)


def _reading(number: _Number, unit: str, *, factor: float = 1.0, start: int | None = None) -> Reading:
    comparator = ">=" if number.more else "=" if number.low is None else "<="
    low = None if number.low is None else round(number.low * factor, 6)
    begin = number.start if start is None else start
    return Reading(begin, number.end, round(number.value * factor, 6), unit, comparator=comparator, low=low)


def _count(number: _Number, plain: str, *, lexicon: Lexicon, window: str) -> Reading | None:
    """Read a number of things or times; precision first: what is counted must look like a noun in the plural."""
    counts = lexicon.counts
    if number.value != int(number.value) or number.value > _MOST_COUNTED or (number.in_words and number.value == 0):
        return None
    if counts.not_before.search(window) and (lexicon.language == "zh" or not number.in_words):
        return None
    if times := counts.times.match(plain, number.end):
        return _times_counted(replace(number, end=times.end()), plain, lexicon=lexicon, window=window)
    if not number.in_words and _NO_YEAR_BEFORE <= number.value <= _NO_YEAR_AFTER:
        return None
    noun = _noun(number, plain, lexicon=lexicon, window=window)
    if noun is None:
        return None
    reading = _reading(replace(number, end=noun.end()), "count")
    return replace(reading, comparator=">") if noun.groupdict().get("more") else reading


def _noun(number: _Number, plain: str, *, lexicon: Lexicon, window: str) -> re.Match[str] | None:
    counts = lexicon.counts
    noun = counts.noun.match(plain, number.end)
    if number.value == 1:
        alone = counts.only.search(window) or lexicon.before.pattern.search(window)
        return noun if noun and alone and lexicon.language == "zh" else counts.one_noun.match(plain, number.end)
    return noun or (None if number.in_words else counts.one_noun.match(plain, number.end))


def _times_counted(number: _Number, plain: str, *, lexicon: Lexicon, window: str) -> Reading | None:
    reading = _reading(number, "count")
    if after := lexicon.period.match(plain, number.end):
        return _frequency(reading, _period_name(after), end=after.end())
    if before := lexicon.period_before.search(window):
        start = number.start - len(window) + before.start()
        return _frequency(replace(reading, start=start), _period_name(before), end=reading.end)
    return reading if number.value > 1 else None


def _times(plain: str, lexicon: Lexicon) -> Iterator[Reading]:
    """Read "twice", "dwukrotnie" and their like."""
    values = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0}
    if not any(map(plain.__contains__, lexicon.counts.times_triggers)):
        return
    for match in lexicon.counts.times_words.finditer(plain):
        number = _Number(*match.span(), values[match.lastgroup or ""], in_words=True)
        reading = _times_counted(number, plain, lexicon=lexicon, window=_window(plain, number.start))
        if reading:
            yield reading


def _bare(plain: str, lexicon: Lexicon) -> Iterator[Reading]:
    """Read units without a number that stand for one: "took an hour", "w ciągu tygodnia"."""
    bare = lexicon.bare
    for match in bare.pattern.finditer(plain):
        window = _window(plain, match.start())
        group = match.lastgroup or ""
        if bare.not_after.match(plain, match.end()) or lexicon.guards.after.match(plain, match.end()):
            continue
        name, factor = NAMED[group]
        if match.groupdict().get("every"):
            if name in bare.every_units:
                yield Reading(*match.span(), factor, name, comparator="<=", fixed=True)
        elif not bare.never.search(window) and (
            bare.free_of_cue.match(plain, match.start()) or bare.cue.search(window)
        ):
            half = lexicon.unit_half.match(plain, match.end())
            value = factor * (1.5 if half else 1.0)
            yield Reading(match.start(), half.end() if half else match.end(), value, name)


def _window(plain: str, start: int) -> str:
    return plain[max(0, start - LOOK_BACK) : start]
