"""Feedback -> Analysis: language, segments, classifier, causes, for a batch of items at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from gapnlp.classifier.base import Classifier, Predictions
from gapnlp.errors import InputError
from gapnlp.ingest.gold import GoldItem
from gapnlp.records.analysis import Analysis, ScoredSegment, Segment
from gapnlp.records.feedback import Failure, Feedback, Source
from gapnlp.records.labels import LANGUAGES, Labels
from gapnlp.scoring.evidence import find_evidence
from gapnlp.taxonomy.catalogue import load_structure
from gapnlp.text.cues import CueMatcher
from gapnlp.text.language import LanguageDetector
from gapnlp.text.normalise import normalise
from gapnlp.text.redact import redact
from gapnlp.text.segments import split_segments

# Probabilities are kept to four digits: finer ones mean nothing and triple the size of results.
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Work:
    """An item on its way: its place in the batch, its segments and their normalised texts."""

    place: int
    item: Feedback
    segments: tuple[Segment, ...]
    texts: tuple[str, ...]


@dataclass(slots=True)
class Scorer:
    """Scores feedback in English, Polish and Chinese; each language's bundle is loaded at its first use.

    load: language -> its classifier. redacts: whether personal data is masked before anything else.
    """

    load: Callable[[str], Classifier]
    redacts: bool = False
    _classifiers: dict[str, Classifier] = field(default_factory=dict)
    _cues: dict[str, CueMatcher] = field(default_factory=dict)
    _detector: LanguageDetector | None = None

    def classifier(self, language: str) -> Classifier:
        """Give the language's classifier, loaded once."""
        if language not in self._classifiers:
            self._classifiers[language] = self.load(language)
        return self._classifiers[language]

    def take_over(self, other: Scorer, languages: Collection[str] = ()) -> None:
        """Use from now on what another scorer has and need not be made anew, before this one has scored anything.

        languages: whose classifiers are the same ones. Detector and cues depend on no bundle, and take seconds to make.
        Of the two, only one may score at a time.
        """
        self._cues, self._detector = other._cues, other._detector
        self._classifiers |= {x: c for x, c in other._classifiers.items() if x in languages}

    def score(self, items: Sequence[Feedback]) -> list[Analysis | Failure]:
        """Score a batch: one result an item, in the same order.

        An item in another language, or without a word, becomes a Failure of kind "unsupported" or "empty".
        """
        if self.redacts:
            items = [_redacted(item) for item in items]
        results: list[Analysis | Failure | None] = [None] * len(items)
        by_language: dict[str, list[_Work]] = defaultdict(list)
        for place, (item, language) in enumerate(zip(items, self._languages(items), strict=True)):
            work = _prepare(place, item, language) if language in LANGUAGES else None
            if work is None:
                results[place] = _refusal(item, language)
            else:
                by_language[language].append(work)
        for language, works in by_language.items():
            for work, analysis in zip(works, self._analyses(language, works), strict=True):
                results[work.place] = analysis
        return [r for r in results if r is not None]

    def analyze(self, texts: Sequence[str], *, language: str | None = None, evidence: bool = False) -> list[Analysis]:
        """Score plain texts, for use from Python.

        language: skips detection. evidence: also say which words speak for each label (slower).
        Raises InputError that names the text which cannot be scored, counted from 0.
        """
        if isinstance(texts, str):
            raise InputError("analyze takes a list of texts; put a single one in brackets: analyze([text])")
        if language is not None and language not in LANGUAGES:
            raise InputError(f"language {language!r} is not supported; choose one of {', '.join(LANGUAGES)}")
        items = [Feedback(str(i), t, Source("texts", i), language=language) for i, t in enumerate(texts)]
        if language is None:
            results = self.score(items)
        else:
            results = self._score_as(items, language)
        for i, result in enumerate(results):
            if isinstance(result, Failure):
                raise InputError(f"text {i}: {result.reason}")
        analyses = [r for r in results if isinstance(r, Analysis)]
        return [self.explain(a) for a in analyses] if evidence else analyses

    def explain(self, analysis: Analysis) -> Analysis:
        """Add to each label the words that speak for it, according to the language's classifier."""
        texts = [normalise(s.segment.text, analysis.language) for s in analysis.segments]
        attributions = self.classifier(analysis.language).explain(texts)
        segments = tuple(
            replace(s, evidence=find_evidence(s, text, attribution))
            for s, text, attribution in zip(analysis.segments, texts, attributions, strict=True)
        )
        return replace(analysis, segments=segments)

    def classify_gold(self, items: Sequence[GoldItem]) -> list[tuple[Labels, ...]]:
        """Predict the labels of gold items, using their given segments and language."""
        results: list[tuple[Labels, ...]] = [()] * len(items)
        for language in {i.language for i in items}:
            places = [k for k, i in enumerate(items) if i.language == language]
            documents = [[normalise(s.text, language) for s in items[k].segments] for k in places]
            predictions = self.classifier(language).predict(documents)
            start = 0
            for k, document in zip(places, documents, strict=True):
                results[k] = predictions.labels[start : start + len(document)]
                start += len(document)
        return results

    def _score_as(self, items: Sequence[Feedback], language: str) -> list[Analysis | Failure]:
        if self.redacts:
            items = [_redacted(item) for item in items]
        works = [(item, _prepare(i, item, language)) for i, item in enumerate(items)]
        found = [w for _, w in works if w is not None]
        done = dict(zip((w.place for w in found), self._analyses(language, found), strict=True))
        return [done.get(i) or _refusal(item, "und") for i, (item, _) in enumerate(works)]

    def _languages(self, items: Sequence[Feedback]) -> list[str]:
        if self._detector is None:
            self._detector = LanguageDetector()
        return self._detector.detect_many([i.text for i in items], [i.language for i in items])

    def _analyses(self, language: str, works: Sequence[_Work]) -> list[Analysis]:
        if not works:
            return []
        classifier = self.classifier(language)
        predictions = classifier.predict([w.texts for w in works])
        causes = self._causes(language, [t for w in works for t in w.texts], predictions.labels)
        scored = _scored_segments(works, predictions, causes)
        return [Analysis(w.item, language, s, classifier.version) for w, s in zip(works, scored, strict=True)]

    def _causes(self, language: str, texts: Sequence[str], labels: Sequence[Labels]) -> list[tuple[str, ...]]:
        """Cue evidence for causes, only of the gaps that a segment was labelled with."""
        if language not in self._cues:
            self._cues[language] = CueMatcher(language)
        where = [i for i, label in enumerate(labels) if label.gaps]
        matches = self._cues[language].match([texts[i] for i in where])
        gap_of = {key: cause.gap for key, cause in load_structure().causes.items()}
        causes: list[tuple[str, ...]] = [()] * len(labels)
        for i, found in zip(where, matches, strict=True):
            causes[i] = tuple(cause for cause in found if gap_of[cause] in labels[i].gaps)
        return causes


def _prepare(place: int, item: Feedback, language: str) -> _Work | None:
    """Cut an item into segments; None when it holds no word."""
    segments = split_segments(item.text, language, parts=item.parts)
    if not segments:
        return None
    return _Work(place, item, tuple(segments), tuple(normalise(s.text, language) for s in segments))


def _refusal(item: Feedback, language: str) -> Failure:
    if language == "und" or language in LANGUAGES:
        return Failure(item.source, "empty", "holds no word that could be read", item.id)
    reason = f"is in a language that is not supported ({language})"
    return Failure(item.source, "unsupported", reason, item.id, language)


def _redacted(item: Feedback) -> Feedback:
    text, count = redact(item.text)
    return replace(item, text=text) if count else item


def _scored_segments(
    works: Sequence[_Work], predictions: Predictions, causes: Sequence[tuple[str, ...]]
) -> list[tuple[ScoredSegment, ...]]:
    rows = predictions.values.round(_DIGITS).tolist()
    result, start = [], 0
    for work in works:
        result.append(
            tuple(
                ScoredSegment(segment, predictions.labels[i], tuple(rows[i]), causes[i], bool(predictions.abstained[i]))
                for i, segment in enumerate(work.segments, start=start)
            )
        )
        start += len(work.segments)
    return result
