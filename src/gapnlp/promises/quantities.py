"""Quantities in a text: times, money, percentages, counts, distances, weights, speeds, with what limits them.

A number is found first, then its unit, then the words around it that make it a limit ("within", "co najmniej", "以内");
`docs/quantities.md` says what is read and what is not.
"""

from __future__ import annotations

from gapnlp.promises.folding import fold
from gapnlp.promises.lexicon import LOOK_BACK, Lexicon, load_lexicon
from gapnlp.promises.measures import Reading, find_readings
from gapnlp.promises.units import FREE, HOURS, kind_of
from gapnlp.records.promises import Quantity

ABSOLUTES = ("always", "never", "every_day", "around_the_clock", "free")
# A larger and a smaller unit that are said together ("1 hour 15 minutes"): how many of the smaller make one.
_COMPOUNDS = {
    ("year", "month"): 12,
    ("month", "day"): 30,
    ("week", "day"): 7,
    ("day", "hour"): 24,
    ("hour", "minute"): 60,
    ("minute", "second"): 60,
}


def read_quantities(text: str, language: str) -> tuple[Quantity, ...]:
    """Read the quantities of a text in order, none overlapping another.

    A range gives its upper end as "<=" ("2-3 days" is at most 3 days); after "at least" or "over" its lower end counts.
    language: "en", "pl" or "zh". Offsets are code points of `text`. Raises InputError for another language.
    """
    lexicon = load_lexicon(language)
    plain = fold(text)
    if not lexicon.hint.search(plain):
        return ()
    readings = _join_compounds(find_readings(plain, lexicon), plain, lexicon)
    limited: list[Reading] = []
    for reading in readings:
        floor = limited[-1].end if limited else 0
        limited.append(_with_limit(reading, plain, lexicon=lexicon, floor=floor))
    return tuple(Quantity(r.value, r.unit, r.comparator, text[r.start : r.end], r.start, r.end) for r in limited)


def read_absolutes(text: str, language: str) -> tuple[str, ...]:
    """Say which absolutes a text makes, out of ABSOLUTES and in that order; "24/7" is every day and around the clock.

    Raises InputError for a language other than "en", "pl" or "zh".
    """
    lexicon = load_lexicon(language)
    plain = fold(text)
    found = {key for key, pattern in lexicon.absolutes.items() if pattern.search(plain)}
    if any(q.unit == FREE or (kind_of(q.unit) == "money" and q.value == 0) for q in read_quantities(text, language)):
        found.add("free")
    return tuple(key for key in ABSOLUTES if key in found)


def _join_compounds(readings: list[Reading], plain: str, lexicon: Lexicon) -> list[Reading]:
    """Make one of "1 hour" and "15 minutes" that follow each other."""
    joined: list[Reading] = []
    for reading in readings:
        last = joined[-1] if joined else None
        factor = _COMPOUNDS.get((last.unit, reading.unit)) if last else None
        if last and factor and last.low is None and _is_gap(plain[last.end : reading.start], lexicon):
            value = last.value * factor + reading.value
            joined[-1] = Reading(last.start, reading.end, value, reading.unit, comparator=reading.comparator)
        else:
            joined.append(reading)
    return joined


def _is_gap(between: str, lexicon: Lexicon) -> bool:
    return lexicon.compound_gap.fullmatch(between) is not None


def _with_limit(reading: Reading, plain: str, *, lexicon: Lexicon, floor: int) -> Reading:
    """Take in the comparator before or after, which widens the span; a fixed phrase keeps its own."""
    if reading.fixed:
        return reading
    start, symbol, word = _symbol_before(reading, plain, lexicon=lexicon, floor=floor)
    end = reading.end
    after = lexicon.after.pattern.match(plain, end)
    if after and (symbol is None or symbol == "<="):
        symbol, end = lexicon.after.symbols[_spaced(after["word"])], after.end()
    if symbol == "<=" and word in lexicon.deadline_words and lexicon.deadline.match(plain, end):
        symbol = ">="
    if symbol is None:
        return reading
    if reading.low is not None and word in lexicon.range_openers:
        symbol = "<="
    value = reading.low if reading.low is not None and symbol.startswith(">") else reading.value
    return Reading(start, end, value, reading.unit, comparator=symbol)


def _symbol_before(reading: Reading, plain: str, *, lexicon: Lexicon, floor: int) -> tuple[int, str | None, str]:
    window_start = max(floor, reading.start - LOOK_BACK)
    window = plain[window_start : reading.start]
    limits_time = reading.unit in HOURS or lexicon.counts.clicks.search(plain[reading.start : reading.end])
    allowed = [lexicon.before]
    if limits_time:
        allowed.append(lexicon.before_time)
    if reading.low is not None or kind_of(reading.unit) in ("money", "percent"):
        allowed.append(lexicon.before_price)
    for comparators in allowed:
        if match := comparators.pattern.search(window):
            word = _spaced(match["word"])
            return window_start + match.start(), comparators.symbols[word], word
    return reading.start, None, ""


def _spaced(word: str) -> str:
    return " ".join(word.split())
