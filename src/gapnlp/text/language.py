"""Which language a feedback item is written in: by its script where that tells, else by lingua (Stahl 2021).

lingua judges by character n-grams and is surest on long texts. Feedback is short and full of names, so handles, links
and emoji are set aside first, and a supported language needs less evidence than the rare guest it is mistaken for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lingua import Language, LanguageDetectorBuilder

from gapnlp.records.labels import LANGUAGES
from gapnlp.text.scripts import detect_script

UNDETERMINED = "und"

# Lingua's candidates: the supported languages in Latin script, their likely confusions, frequent others.
_CANDIDATES: Mapping[str, tuple[Language, ...]] = {
    "Latn": (
        Language.ENGLISH,
        Language.POLISH,
        Language.GERMAN,
        Language.DANISH,
        Language.FRENCH,
        Language.SPANISH,
        Language.ITALIAN,
        Language.DUTCH,
        Language.CZECH,
        Language.SLOVAK,
        Language.SWEDISH,
        Language.PORTUGUESE,
    ),
    "Cyrl": (Language.UKRAINIAN, Language.RUSSIAN),
}

# Characters shown to lingua: its answer settles long before, its time grows with the length.
_SAMPLE = 200

_NOISE = re.compile(
    r"https?://\S+|www\.\S+|\bpic\.twitter\.com/\S+|\bURL\b"  # links, and what data sets put in their place
    r"|[\w.+-]{1,64}@[\w-]+\.[\w.-]+|[@#]\w+"  # addresses, handles, hashtags
    r"|</?\w[^>]{0,80}>|&#?\w{1,10};|[\d_]+"  # markup, numbers
)
_REPEATED = re.compile(r"(\w)\1{2,}")
# Words at home in every candidate language: they say nothing about which.
_EVERYWHERE = frozenset({"ok", "oki", "super", "extra", "wow", "hotel", "center", "iphone"})
# What a text of nothing but such words is taken for where no hint tells: its few words are scored rather than lost.
_ANY = "en"
_LETTERS = re.compile(r"[^\W\d_]+")
# Letters that one candidate alone writes. Such letters and words decide where they are frequent; a name is not enough.
_OWN_LETTERS: Mapping[str, re.Pattern[str]] = {
    code: re.compile(pattern)
    for code, pattern in {
        "pl": "[ąęłńśźż]|sz|cz|rz[aeyu]",  # sz, cz, rz: what is left of Polish typed without diacritics
        "da": "[æø]",
        "de": "ß",
        "cs": "[ěřů]",
        "sk": "[ľĺŕ]",
        "es": "ñ",
    }.items()
}
# Frequent words that hardly any other candidate has; without diacritics too.
_OWN_WORDS: Mapping[str, frozenset[str]] = {
    "en": frozenset(
        "the and you your thx thnx thank thanks this that was were with very not have has they great good but my is it "
        "are from would when here there their our them she him what why how who which will been because could should "
        "much many any every only about after again don doesn didn please never always service "
        "customer refund shipping delivery flight worst best terrible awful rude staff friendly helpful".split()
    ),
    "pl": frozenset(
        "nie jest się sie bardzo polecam dla czy było bylo może moze obsługa obsluga wszystko oraz przy że w już juz "
        "tylko jak tak dobrze ładnie szybko odradzam była byla był miła mila miły mily dziękuję dziekuje "
        "witam pani pan dostawa paczka przesyłka przesylka zakup zakupy jakość jakosc zgodny zgodnie "
        "opisem wizyta godny godna".split()
    ),
}
_OWN_SHARE, _OWN_ODDS, _OWN_FLOOR = 0.25, 100.0, 0.25

# Prior odds of a supported language against another: high for a few words, fading as evidence grows.
_PRIOR_SHORT, _PRIOR_LONG = 20.0, 5.0
_SHORT, _LONG = 20, 80  # letters
# Below this posterior lingua counts as unsure, and the export's claim decides if it is not all but excluded.
_SURE, _POSSIBLE = 0.9, 0.02


class LanguageDetector:
    """Tells the language of feedback; build it once (0.1 s, about 40 MB), it keeps nothing between calls.

    The same text and hint always give the same answer.
    """

    def __init__(self) -> None:
        self._latin, self._cyrillic = (
            LanguageDetectorBuilder.from_languages(*_CANDIDATES[script]).with_low_accuracy_mode().build()
            for script in ("Latn", "Cyrl")
        )

    def detect(self, text: str, hint: str | None = None) -> str:
        """Return the ISO 639-1 code of the language, "und" where there are no letters to judge by.

        hint: the export's own claim ("pl", "en-GB"), followed only where the text itself leaves doubt.
        """
        words = _LETTERS.findall(_clean(text))
        claim = _read_claim(hint)
        if not words:
            return claim if claim and _LETTERS.search(text) else UNDETERMINED
        if _is_one_letter(words):
            return claim or UNDETERMINED
        telling = [word for word in words if word.lower() not in _EVERYWHERE]
        if not telling:
            return claim or _ANY
        sample = " ".join(telling)
        script = detect_script(sample)
        return self._judge(sample, script, claim) if script in _CANDIDATES else script

    def detect_many(self, texts: Sequence[str], hints: Sequence[str | None]) -> list[str]:
        """`detect` for each text with its hint, in order; repeated texts are judged once."""
        pairs = list(zip(texts, hints, strict=True))
        found = {pair: self.detect(*pair) for pair in dict.fromkeys(pairs)}
        return [found[pair] for pair in pairs]

    def _judge(self, sample: str, script: str, claim: str | None) -> str:
        """Return the most probable candidate of the script, or the claim where that one is doubtful."""
        detector = self._latin if script == "Latn" else self._cyrillic
        values = detector.compute_language_confidence_values(sample[:_SAMPLE])
        shares = _weigh({_code(v.language): v.value for v in values}, sample)
        best = min(shares, key=lambda code: (-shares[code], code))
        doubtful = shares[best] < _SURE and shares.get(claim or "", 0.0) >= _POSSIBLE
        return claim if claim and doubtful else best


def _read_claim(hint: str | None) -> str | None:
    """Return the supported or confusable language that a hint names, without its country."""
    code = (hint or "").strip().lower().replace("_", "-").split("-")[0]
    known = code in LANGUAGES or any(_code(language) == code for group in _CANDIDATES.values() for language in group)
    return code if known else None


def _code(language: Language) -> str:
    return language.iso_code_639_1.name.lower()


def _clean(text: str) -> str:
    """Return the text without links, addresses, handles, hashtags, markup and digits, long repetitions shortened."""
    return _REPEATED.sub(r"\1\1", _NOISE.sub(" ", text[: 8 * _SAMPLE]))


def _is_one_letter(words: Sequence[str]) -> bool:
    """Whether the "text" is a single letter or a key held down ("xxxxx"); Han characters are words."""
    letters = {char for word in words for char in word.lower()}
    return len(letters) == 1 and not next(iter(letters)) > "\u2e80"


def _weigh(confidence: Mapping[str, float], sample: str) -> dict[str, float]:
    """Lingua's confidences times the prior odds, as shares that sum to 1."""
    prior = _prior(len(sample))
    weighed = {code: value * (prior if code in LANGUAGES else 1.0) for code, value in confidence.items()}
    for code in _find_owners(sample[:_SAMPLE], confidence):
        weighed[code] = _OWN_ODDS * max(weighed[code], _OWN_FLOOR)
    total = sum(weighed.values()) or 1.0
    return {code: value / total for code, value in weighed.items()}


def _find_owners(sample: str, candidates: Iterable[str]) -> list[str]:
    """Name the candidates whose own letters and words make up a good share of the sample."""
    low = sample.lower()
    words = low.split()
    return [code for code in candidates if _count_own(low, words, code) >= _OWN_SHARE * len(words)]


def _count_own(sample: str, words: Sequence[str], code: str) -> int:
    """Count the words that only this candidate has, or writes so."""
    known, letters = _OWN_WORDS.get(code, frozenset()), _OWN_LETTERS.get(code)
    if letters is None or not letters.search(sample):
        return sum(word in known for word in words) if known else 0
    return sum(word in known or bool(letters.search(word)) for word in words)


def _prior(letters: int) -> float:
    """Odds of a supported language, falling in a straight line between the short and the long text's."""
    place = min(max((letters - _SHORT) / (_LONG - _SHORT), 0.0), 1.0)
    return _PRIOR_SHORT + place * (_PRIOR_LONG - _PRIOR_SHORT)
