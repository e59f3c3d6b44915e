"""Every row accounted for: counts of what was scored and what was not, and the first rows with a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import FAILURE_KINDS, Failure
from gapnlp.records.report import Intake

# Rows of one kind of problem that are named one by one; the rest are counted. Each kind has its own room, so that a
# thousand items in another language do not hide the one row that could not be read.
NAMED = 500

# The language of unsupported items that name none.
UNKNOWN = "unknown"


def _order(failure: Failure) -> tuple[str, int, str, str, str]:
    return failure.source.file, failure.source.row, failure.kind, failure.reason, failure.id or ""


def _first(failures: Iterable[Failure]) -> list[Failure]:
    """Keep the first NAMED of each kind: of a union the same as of its parts' firsts, so merging is exact."""
    room = Counter[str]()
    kept = []
    for failure in sorted(failures, key=_order):
        room[failure.kind] += 1
        if room[failure.kind] <= NAMED:
            kept.append(failure)
    return kept


class Ledger:
    """Counters of the intake. kinds: of failures; languages: of scored items; unsupported: of items left out."""

    __slots__ = ("failures", "kinds", "languages", "noticed", "notices", "unsupported", "versions")

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.languages: Counter[str] = Counter()
        self.unsupported: Counter[str] = Counter()
        self.versions: set[tuple[str, str]] = set()
        self.failures: list[Failure] = []
        self.notices = 0
        self.noticed: list[Failure] = []

    def add(self, analyses: Sequence[Analysis]) -> None:
        """Count scored items by language, the bundles that judged them, and rows kept with a problem."""
        self.languages.update(a.language for a in analyses)
        self.versions.update((a.language, a.model_version) for a in analyses)
        noticed = [_notice(a) for a in analyses if a.feedback.notices]
        if noticed:
            self.notices += len(noticed)
            self.noticed = _first(self.noticed + noticed)

    def add_failures(self, failures: Sequence[Failure]) -> None:
        """Count rows that were not scored, and unsupported items by their language.

        Raises ValueError for a kind that is not one of FAILURE_KINDS.
        """
        kinds = Counter(f.kind for f in failures)
        unknown_kinds = kinds.keys() - set(FAILURE_KINDS)
        if unknown_kinds:
            raise ValueError(f"failures of unknown kind {sorted(unknown_kinds)}; known: {FAILURE_KINDS}")
        self.kinds.update(kinds)
        self.unsupported.update(f.language or UNKNOWN for f in failures if f.kind == "unsupported")
        self.failures = _first([*self.failures, *failures])

    def merge(self, other: Ledger) -> Ledger:
        """Combine two ledgers into a new one."""
        merged = Ledger()
        merged.kinds = self.kinds + other.kinds
        merged.languages = self.languages + other.languages
        merged.unsupported = self.unsupported + other.unsupported
        merged.versions = self.versions | other.versions
        merged.failures = _first(self.failures + other.failures)
        merged.notices = self.notices + other.notices
        merged.noticed = _first(self.noticed + other.noticed)
        return merged

    def intake(self) -> Intake:
        """Give the report's account: scored + failed + duplicate + empty + unsupported = read."""
        scored = sum(self.languages.values())
        return Intake(
            read=scored + sum(self.kinds.values()),
            scored=scored,
            failed=self.kinds["failed"],
            duplicate=self.kinds["duplicate"],
            empty=self.kinds["empty"],
            unsupported=self.kinds["unsupported"],
            languages=_by_size(self.languages),
            unsupported_languages=_by_size(self.unsupported),
            failures=tuple(self.failures),
            notices=self.notices,
            noticed=tuple(self.noticed),
        )


def _notice(analysis: Analysis) -> Failure:
    feedback = analysis.feedback
    return Failure(feedback.source, "notice", "; ".join(feedback.notices), feedback.id)


def _by_size(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
