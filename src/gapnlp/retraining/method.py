"""Which way of training serves so many labelled rows: heads on the frozen encoder, or the whole encoder as well."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from gapnlp.errors import MissingExtra

# Labelled rows from which fine-tuning the encoder is tried: at 500 it gained next to nothing (docs/encoders.md).
ENOUGH_ROWS = 1_000
# Passes over the tickets that fine-tuning makes at most, and segments of a ticket times passes that it has time for: so
# 1,000 tickets take less than ten minutes on two cores, however long they are (docs/encoders.md).
MOST_PASSES = 3
_MOST_READ = 6
_NEEDED = ("onnx", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Method:
    """How to train. name: "heads" or "encoder". why: a plain sentence for the user."""

    name: Literal["heads", "encoder"]
    why: str


def fine_tuning_passes(segments: float) -> int:
    """Count the passes over the tickets that there is time for; 0 for none.

    segments: of a ticket, on average. Longer tickets teach more in a pass.
    """
    return min(MOST_PASSES, int(_MOST_READ // max(segments, 1.0)))


def choose_method(rows: int, segments: float, *, has_torch: bool, has_encoder: bool) -> Method:
    """Choose by rule; the first that forbids fine-tuning is the reason given.

    rows: labelled rows of the language. segments: of a row, on average. has_torch: whether the extra `train` is
    installed (`has_training_extra`). has_encoder: whether the language's bundle has an encoder to start from.
    """
    if not has_encoder:
        return Method("heads", "heads on the frozen classifier: the current bundle has no encoder to fine-tune")
    if rows < ENOUGH_ROWS:
        return Method(
            "heads",
            f"heads on the frozen classifier: {rows:,} labelled rows are fewer than the {ENOUGH_ROWS:,} from which "
            "fine-tuning the encoder is worth its time",
        )
    if not fine_tuning_passes(segments):
        return Method(
            "heads",
            f"heads on the frozen classifier: tickets of {segments:.1f} segments on average would take the encoder too "
            "long; --method encoder takes the time",
        )
    if not has_torch:
        return Method(
            "heads",
            f"heads on the frozen classifier: {rows:,} labelled rows would do for fine-tuning the encoder, but that "
            "needs: pip install 'gapnlp[train]'",
        )
    return Method("encoder", f"the whole encoder and heads on it: {rows:,} labelled rows are enough for that")


def has_training_extra() -> bool:
    """Say whether the packages for fine-tuning are installed, without loading them."""
    return all(find_spec(name) is not None for name in _NEEDED)


def require_training_extra(purpose: str) -> None:
    """Stop early where fine-tuning or export cannot be done.

    purpose: what needs it, as the message's subject. Raises MissingExtra that names the install.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"{purpose} needs {', '.join(missing)}; run: pip install 'gapnlp[train]'")
