"""Marketing copy against complaints: copy -> promises, feedback -> verdicts, both -> the ledger.

Feedback takes the same road as for a gap report (`jobs`), and resumes like it; every scored item is then judged against
the promises, of its own entity where the copy has entities.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from gapnlp.classifier.bundle import choose_bundle, read_manifest, read_verified
from gapnlp.errors import InputError, ModelError
from gapnlp.export.writers import make_folder
from gapnlp.ingest.copy import read_copy
from gapnlp.ingest.intake import read_feedback
from gapnlp.jobs import CHUNK_ROWS, Inputs, OnProgress, job_key, model_used, run_job, work_file
from gapnlp.promises.detect import unit_features
from gapnlp.promises.ledger_build import LedgerSettings, build_ledger
from gapnlp.promises.ledger_shares import MatcherError
from gapnlp.promises.ledger_tally import JudgedItem, LedgerTally
from gapnlp.promises.match import Matcher, PromiseModel, read_models
from gapnlp.promises.pair_features import PairContext, Texts
from gapnlp.promises.quantities import read_quantities
from gapnlp.promises.subjects import SubjectHit, load_subjects, subject_reader
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure, Feedback
from gapnlp.records.labels import DIMENSIONS, LABEL_INDEX, LANGUAGES, POLARITIES, dimension_label
from gapnlp.records.promises import CopyBlock, CopyUnit, Ledger, Verdict
from gapnlp.reporting.ledger_render import write_ledger
from gapnlp.scoring.scorer import Scorer
from gapnlp.store.repositories import JobRepository
from gapnlp.text.language import LanguageDetector
from gapnlp.text.normalise import normalise
from gapnlp.text.segments import split_segments

# The promise bundle speaks all languages; ISO 639-2's "multiple languages".
_BUNDLE_LANGUAGE = "mul"
# A dimension that the classifier gives a copy unit less than this is not named.
_LEAST_DIMENSION = 0.3
# Items in another language than the copy are strays up to this share.
_STRAY = 0.05
# First items of the feedback, from which n-grams learn how common they are. Always the first ones, so that a resumed
# job judges as an undisturbed one.
_SAMPLED_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """The copy, and how the ledger is made.

    entity: column of the listing's entity, in a table of listings; the feedback's entity is its `by` column. text: text
    columns of listings. where: only rows whose column has the value. draft: the copy is not published yet.
    """

    paths: tuple[Path, ...]
    entity: str | None = None
    text: str | None = None
    where: tuple[str, str] | None = None
    draft: bool = False
    period: str | None = None
    ui: str = "en"


def compare(inputs: Inputs, folder: Path, *, options: CopyOptions, on_progress: OnProgress) -> Ledger:
    """Judge feedback against the promises of copy, and write the ledger into a folder.

    Raises InputError when the copy or the feedback cannot be read, or is in no supported language.
    """
    comparison = prepare(inputs, options)
    make_folder(folder)
    key = job_key(inputs, {"kind": "compare", "copy": comparison.key, "chunk": CHUNK_ROWS})
    work = JobRepository(work_file(folder / "ledger"))
    with closing(work):
        run_job(inputs, work, key, counts=comparison.counts, on_progress=on_progress)
        ledger = comparison.build()
        write_ledger(ledger, folder, ui=options.ui)
        work.remove()
    return ledger


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison on its way (see jobs.Companion): feed `counts` with results, then build the ledger."""

    inputs: Inputs
    options: CopyOptions
    units: tuple[CopyUnit, ...]
    models: Mapping[str, PromiseModel]
    key: str
    counts: _Judging

    def build(self) -> Ledger:
        """Make the ledger from what was counted."""
        return _build(self.counts.tally, self.units, self.models, (self.inputs, self.options))


def prepare(inputs: Inputs, options: CopyOptions) -> Comparison:
    """Read the copy and find its promises, before any feedback is scored.

    Raises InputError when the copy cannot be read or is in no supported language.
    """
    blocks = read_copy(options.paths, entity=options.entity, text=options.text, where=options.where)
    if inputs.columns.by is None and any(b.entity is not None for b in blocks):
        raise InputError("the copy is a table of listings: name the feedback's own column of listings with --by")
    models = _read_promise_bundle(inputs)
    scorer = inputs.scorer.make()
    units = read_units(blocks, scorer, models)
    content = [[(b.text, b.kind, b.entity) for b in blocks], options.period]
    return Comparison(
        inputs,
        options,
        units,
        models,
        key=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        counts=_Judging(LedgerTally(period=options.period), _Judge(units, scorer, models, _sample(inputs))),
    )


def _read_promise_bundle(inputs: Inputs) -> dict[str, PromiseModel]:
    bundles = read_manifest(inputs.scorer.models)
    if not any(b.language == _BUNDLE_LANGUAGE for b in bundles):
        raise ModelError("the models folder holds no promise bundle; use the shipped one, or train one")
    return read_models(read_verified(choose_bundle(bundles, _BUNDLE_LANGUAGE))["weights.json"])


def read_units(blocks: Sequence[CopyBlock], scorer: Scorer, models: Mapping[str, PromiseModel]) -> tuple[CopyUnit, ...]:
    """Cut copy into units and say of each whether it is a promise, a slogan, or neither.

    Raises InputError when the copy is in no supported language.
    """
    language = _copy_language(blocks)
    cut = [(b, s.text) for b in blocks for s in split_segments(b.text, language)]
    texts = [normalise(text, language) for _, text in cut]
    subjects = subject_reader(language)
    features = unit_features(texts, language, subjects=subjects)
    promise = models[language].promise.probabilities(features)
    is_promise = promise >= models[language].promise.threshold
    puffery = models[language].puffery.probabilities(features) >= models[language].puffery.threshold
    values = scorer.classifier(language).predict([[t] for t in texts]).values
    units = []
    for i, (block, text) in enumerate(cut):
        subject = _main_subject(subjects.read(texts[i]))
        units.append(
            CopyUnit(
                id=f"u{i + 1}",
                text=text,
                source=block.source,
                entity=block.entity,
                language=language,
                is_promise=bool(is_promise[i]),
                puffery=bool(puffery[i] and not is_promise[i]),
                probability=round(float(promise[i]), 4),
                dimension=_dimension(values[i], subject),
                subject=subject,
                quantity=next(iter(read_quantities(text, language)), None),
            )
        )
    return tuple(units)


def _main_subject(hits: Sequence[SubjectHit]) -> str | None:
    """Take the subject that most topic cues name, the first of equals; a stray cue at the start decides nothing."""
    counts = Counter(h.subject for h in hits if h.kind == "topic") or Counter(h.subject for h in hits)
    return max(counts, key=lambda subject: counts[subject], default=None)


def _sample(inputs: Inputs) -> dict[str, list[str]]:
    """Normalised segments of the first items, by language."""
    rows = read_feedback(inputs.paths, inputs.columns, recognitions=inputs.recognitions)
    items = list(islice((r for r in rows if isinstance(r, Feedback)), _SAMPLED_ITEMS))
    languages = LanguageDetector().detect_many([i.text for i in items], [i.language for i in items])
    sample: dict[str, list[str]] = defaultdict(list)
    for item, language in zip(items, languages, strict=True):
        if language in LANGUAGES:
            segments = split_segments(item.text, language, parts=item.parts)
            sample[language] += [normalise(s.text, language) for s in segments]
    return sample


def _copy_language(blocks: Sequence[CopyBlock]) -> str:
    found = LanguageDetector().detect(" ".join(b.text for b in blocks)[:5000])
    if found not in LANGUAGES:
        raise InputError(
            f"{blocks[0].source}: the copy is in a language that is not supported ({found}); give it in English, "
            "Polish or Chinese"
        )
    return found


def _dimension(values: np.ndarray, subject: str | None) -> str | None:
    """Take the dimension of the unit's subject, else the one that the classifier is surest of."""
    if subject is not None:
        return load_subjects()[subject].dimension
    presence = {d: sum(values[LABEL_INDEX[dimension_label(d, p)]] for p in POLARITIES) for d in DIMENSIONS}
    best = max(presence, key=lambda d: presence[d])
    return best if presence[best] >= _LEAST_DIMENSION else None


@dataclass(slots=True)
class _Judge:
    """Judges analyses against the promises among the units; what is costly is built once a language or entity."""

    units: tuple[CopyUnit, ...]
    scorer: Scorer
    models: Mapping[str, PromiseModel]
    sample: Mapping[str, Sequence[str]]
    _contexts: dict[str, PairContext] = field(default_factory=dict)
    _matchers: dict[tuple[str, str | None], tuple[Matcher, list[CopyUnit]] | None] = field(default_factory=dict)

    @property
    def by_entity(self) -> bool:
        """Whether the copy has entities."""
        return any(u.entity is not None for u in self.units)

    def judge(self, analyses: Sequence[Analysis]) -> list[JudgedItem]:
        """Judge items, in order."""
        groups: dict[tuple[str, str | None], list[int]] = defaultdict(list)
        for i, analysis in enumerate(analyses):
            groups[analysis.language, analysis.feedback.group if self.by_entity else None].append(i)
        results: dict[int, JudgedItem] = {}
        for (language, entity), places in groups.items():
            chosen = [analyses[i] for i in places]
            for i, item in zip(places, self._judge_group(chosen, language, entity), strict=True):
                results[i] = item
        return [results[i] for i in range(len(analyses))]

    def _judge_group(self, analyses: Sequence[Analysis], language: str, entity: str | None) -> list[JudgedItem]:
        texts = [normalise(s.segment.text, language) for a in analyses for s in a.segments]
        items_texts = [(normalise(a.feedback.text, language), len(a.segments)) for a in analyses]
        contexts = [text for text, n in items_texts for _ in range(n)]
        values = np.array([s.probabilities for a in analyses for s in a.segments])
        matched = self._matcher(language, entity)
        verdicts: list[tuple[Verdict, ...]] = [()] * len(texts)
        if matched is not None:
            matcher, promises = matched
            for k, found in enumerate(matcher.judge(Texts(texts, contexts, values))):
                verdicts[k] = tuple(replace(v, promise=promises[j].id) for j, v in found)
        reader = subject_reader(language)
        subjects = [tuple(dict.fromkeys((h.subject, h.kind) for h in reader.read(t))) for t in texts]
        items, start = [], 0
        for analysis in analyses:
            rows = slice(start, start + len(analysis.segments))
            items.append(JudgedItem(analysis, entity, tuple(verdicts[rows]), tuple(subjects[rows])))
            start = rows.stop
        return items

    def _matcher(self, language: str, entity: str | None) -> tuple[Matcher, list[CopyUnit]] | None:
        if (language, entity) not in self._matchers:
            promises = [u for u in self.units if u.is_promise and u.entity in (None, entity)]
            self._matchers[language, entity] = self._new_matcher(language, promises) if promises else None
        return self._matchers[language, entity]

    def _new_matcher(self, language: str, promises: list[CopyUnit]) -> tuple[Matcher, list[CopyUnit]]:
        copy_language = promises[0].language
        languages = (language, copy_language)
        if language not in self._contexts:
            copy = [normalise(u.text, copy_language) for u in self.units]
            self._contexts[language] = PairContext(languages, sample=[*copy, *self.sample.get(language, ())])
        texts = [normalise(u.text, copy_language) for u in promises]
        values = self.scorer.classifier(copy_language).predict([[t] for t in texts]).values
        model = self.models[language]
        context = self._contexts[language]
        return Matcher(languages, Texts(texts, texts, values), model=model, context=context), promises


@dataclass(slots=True)
class _Judging:
    """Counts for the ledger (see jobs.Accumulator)."""

    tally: LedgerTally
    judge: _Judge

    def add(self, results: Sequence[Analysis | Failure]) -> None:
        self.tally.add(self.judge.judge([r for r in results if isinstance(r, Analysis)]))

    def to_bytes(self) -> bytes:
        return self.tally.to_bytes()

    def restore(self, stored: bytes) -> None:
        self.tally = LedgerTally.from_bytes(stored)


def _mostly_other(languages: Mapping[str, int], copy_language: str) -> bool:
    """Say whether more than a few stray items are in another language than the copy."""
    other = sum(n for language, n in languages.items() if language != copy_language)
    return other > _STRAY * sum(languages.values())


def _build(
    tally: LedgerTally,
    units: tuple[CopyUnit, ...],
    models: Mapping[str, PromiseModel],
    asked: tuple[Inputs, CopyOptions],
) -> Ledger:
    inputs, options = asked
    bundles, quality = read_manifest(inputs.scorer.models), inputs.scorer.quality
    languages = [x for x in LANGUAGES if tally.languages.get(x)]
    copy_language = units[0].language if units else "en"
    main = max(languages, key=lambda x: tally.languages[x], default=copy_language)
    return build_ledger(
        tally,
        units=units,
        settings=LedgerSettings(
            copy=tuple(path.name for path in options.paths),
            inputs=inputs.recognitions,
            models=tuple(model_used(bundles, x, quality) for x in (*languages, _BUNDLE_LANGUAGE)),
            matcher_error={r: MatcherError(*counts) for r, counts in models[main].errors.items()},
            draft=options.draft,
            other_language=_mostly_other(tally.languages, copy_language),
        ),
    )
