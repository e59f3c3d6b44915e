"""The models that a server scores with: taken from the models folder, and followed when they change there.

A watcher asks once a second whether the folder's manifest is another one. The new scorers are made and warmed up in its
thread while the old ones go on, and take their places between two batches. What cannot be loaded is logged and told by
/models and /metrics; the old scorers go on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gapnlp.api.batching import ScoringPool
from gapnlp.classifier.bundle import BundleInfo, read_manifest
from gapnlp.classifier.states import kept_state, manifest_path
from gapnlp.errors import GapnlpError
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.loading import load
from gapnlp.scoring.scorer import Scorer
from gapnlp.settings import Settings

_WATCH_SECONDS = 1.0
# What could not be loaded is tried again after so long, also when the manifest stays: its files may be on their way.
_RETRY_SECONDS = 10.0

# Inode, time and size: a renaming changes the first, an edit the others. None: there is no such file.
_Stamp = tuple[int, int, int] | None

log = logging.getLogger(__name__)


class ServedModels:
    """Which bundles the server scores with, and what makes scorers of them."""

    def __init__(self, settings: Settings, given: Callable[[], Scorer] | None = None) -> None:
        """Take the settings. given: makes the scorers instead; then no folder is watched."""
        self._settings, self._given = settings, given
        self._bundles: tuple[BundleInfo, ...] | None = None
        # Why the folder's present state is not the one that is scored with; None: it is.
        self.fault: GapnlpError | None = None
        self.reloads = 0

    @property
    def watched(self) -> Path | None:
        """The manifest to follow; None when there is none that could change."""
        models = self._settings.models
        return None if models is None or self._given is not None else manifest_path(models)

    @property
    def bundles(self) -> tuple[BundleInfo, ...]:
        """The bundles that texts are scored with. Raises ModelError while there are none and none can be read."""
        return self._bundles if self._bundles is not None else read_manifest(self._settings.models)

    def make(self) -> Scorer:
        """Make a scorer of what is in the models folder now. Raises ModelError."""
        if self._given is not None:
            return self._given()
        state = kept_state(self._settings.models)
        scorer = load(state, quality=self._settings.quality)
        self._bundles = read_manifest(state)
        return scorer

    def reload(self, pool: ScoringPool) -> None:
        """Let a pool score with what is in the models folder now; when that cannot be loaded, nothing changes."""
        try:
            state = kept_state(self._settings.models)
            bundles = read_manifest(state)
            same = _unchanged(self._bundles or (), bundles)
            pool.replace_scorers(lambda: load(state, quality=self._settings.quality), same)
        except GapnlpError as error:
            if str(error) != str(self.fault):
                log.error("the models folder was changed and cannot be used, so the models before it go on: %s", error)
            self.fault = error
            return
        self._bundles, self.fault = bundles, None
        self.reloads += 1
        log.info("the models folder was changed; texts are scored with: %s", ", ".join(b.version for b in bundles))


class ModelWatch:
    """Follows the models folder for as long as the server runs."""

    def __init__(self, models: ServedModels, pool: ScoringPool) -> None:
        self._models, self._pool = models, pool
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: _Stamp = None
        self._again = 0.0

    def start(self) -> None:
        """Begin, if there is something to follow. Call it before the pool loads its scorers: nothing is missed then."""
        path = self._models.watched
        if path is None:
            return
        self._seen = _stamp(path)
        self._thread = threading.Thread(target=self._watch, args=(path,), name="model-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after a change that is being loaded."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, path: Path) -> None:
        while not self._stopping.wait(_WATCH_SECONDS):
            stamp = _stamp(path)
            if stamp != self._seen or self._is_due():
                # Taken before the reading: a change meanwhile is seen the next time.
                self._seen = stamp
                self._models.reload(self._pool)
                self._again = time.monotonic() + _RETRY_SECONDS

    def _is_due(self) -> bool:
        broken = self._models.fault is not None or self._pool.fault is not None
        return broken and time.monotonic() >= self._again


def _unchanged(old: Sequence[BundleInfo], new: Sequence[BundleInfo]) -> list[str]:
    """List the languages that both states have the very same bundles of."""
    return [x for x in LANGUAGES if [b for b in old if b.language == x] == [b for b in new if b.language == x]]


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
