"""A new state of a models folder is tried out before it serves: its bundles loaded together, and asked once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gapnlp.errors import GapnlpError, ModelError
from gapnlp.records.labels import LABELS
from gapnlp.scoring.loading import load
from gapnlp.text.normalise import normalise

# Between them they load every bundle of a language.
_QUALITIES = ("fast", "balanced")
# A complaint with a reason: enough to pass through every part of a classifier.
_TEXTS = {"en": "The parcel came late.", "pl": "Paczka przyszła późno.", "zh": "包裹来得很晚。"}


def try_state(models: Path, languages: Iterable[str]) -> None:
    """Raise ModelError when a state of a models folder cannot score the languages at some quality."""
    for language in sorted(set(languages)):
        for quality in _QUALITIES:
            _try(models, language, quality)


def _try(models: Path, language: str, quality: str) -> None:
    text = normalise(_TEXTS[language], language)
    try:
        values = load(models, quality=quality).classifier(language).predict([[text, text]]).values
    except GapnlpError:
        raise
    except Exception as error:  # whatever a bundle does: it must not serve
        kind = type(error).__name__
        raise ModelError(f"{language}, {quality}: the bundles cannot be used together ({kind}); not promoted") from None
    if values.shape != (2, len(LABELS)) or not np.all((values >= 0) & (values <= 1)):
        raise ModelError(f"{language}, {quality}: gives no probabilities of {len(LABELS)} labels; not promoted")
