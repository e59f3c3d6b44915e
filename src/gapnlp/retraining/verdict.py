"""What the gate says of a new classifier, for programs (a dictionary) and for people (Markdown)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gapnlp.retraining.paired_bootstrap import Difference
from gapnlp.retraining.ticket_calibration import Calibration
from gapnlp.retraining.written import RegressionScore

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Margins:
    """What "better" and "not worse" mean; F1, calibration errors and shares are in [0, 1].

    least_true, least_false: held-out tickets with and without a label that it needs to be judged, at least 1.
    label: how much F1 a single label may be shown to lose. calibration: how much the mean ECE and the mean Brier score
    may grow. regression: how much F1 may be lost on the regression set. speed: least speed, as a share of the current
    one. draws, level, seed: of the bootstrap.
    """

    least_true: int = 5
    least_false: int = 5
    label: float = 0.05
    calibration: float = 0.02
    regression: float = 0.02
    speed: float = 0.5
    draws: int = 2000
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the gate, whether it holds, and that in a plain sentence."""

    name: str
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label and how many held-out tickets were said to have it and not to have it."""

    label: str
    true: int
    false: int


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """A judged label, its counts, and F1 of both classifiers."""

    counts: LabelCount
    f1: Difference


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer and all that it rests on; pairs are (current, new).

    tickets: held-out tickets with a judged label. labels: those judged. left_out: those given too seldom. macro: F1
    over the judged labels; it and calibration are None where no label could be judged. speed: segments per second.
    """

    checks: tuple[Check, ...]
    tickets: int
    labels: tuple[LabelFigures, ...]
    left_out: tuple[LabelCount, ...]
    macro: Difference | None
    calibration: tuple[Calibration, Calibration] | None
    regression: tuple[RegressionScore, RegressionScore]
    speed: tuple[float, float]
    margins: Margins

    @property
    def promote(self) -> bool:
        """Whether every condition holds."""
        return all(check.passed for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for every condition, first those that do not hold."""
        return tuple(check.sentence for check in sorted(self.checks, key=lambda check: check.passed))

    def as_dict(self) -> dict[str, Any]:
        """Give everything as JSON holds it; figures to four digits."""
        content = {
            "promote": self.promote,
            "reasons": list(self.reasons),
            "checks": {check.name: check.passed for check in self.checks},
            "tickets": self.tickets,
            "labels": {x.counts.label: _label_record(x) for x in self.labels},
            "left_out": {x.label: {"true": x.true, "false": x.false} for x in self.left_out},
            "macro": _difference_record(self.macro) if self.macro else None,
            "calibration": _pair([asdict(x) for x in self.calibration]) if self.calibration else None,
            "regression": _pair([x.as_dict() for x in self.regression]),
            "speed": _pair(self.speed),
            "margins": asdict(self.margins),
        }
        rounded: dict[str, Any] = _rounded(content)
        return rounded

    def as_markdown(self) -> str:
        """Write it as a page: the answer, the reasons, and the tables."""
        parts = [
            "# Promoted by the gate" if self.promote else "# Not promoted by the gate",
            "\n".join(f"- {reason}" for reason in self.reasons),
            _f1_table(self),
            _other_table(self),
        ]
        if self.left_out:
            listed = ", ".join(f"{x.label} ({x.true} with, {x.false} without)" for x in self.left_out)
            parts.append(f"Given on too few held-out tickets to be judged: {listed}.")
        return "\n\n".join(part for part in parts if part) + "\n"


def _label_record(figures: LabelFigures) -> dict[str, Any]:
    counts = {"true": figures.counts.true, "false": figures.counts.false}
    return {**counts, **_difference_record(figures.f1)}


def _difference_record(f1: Difference) -> dict[str, Any]:
    return {"current": f1.current, "new": f1.new, "difference": f1.difference, "interval": [f1.low, f1.high]}


def _pair(values: Any) -> dict[str, Any]:
    current, new = values
    return {"current": current, "new": new}


def _rounded(content: Any) -> Any:
    if isinstance(content, float):
        return round(content, _DIGITS) + 0.0  # no -0.0
    if isinstance(content, Mapping):
        return {key: _rounded(value) for key, value in content.items()}
    return [_rounded(x) for x in content] if isinstance(content, list) else content


def _f1_table(verdict: Verdict) -> str:
    if not verdict.macro:
        return ""
    percent = f"{verdict.margins.level:.0%}".replace("%", " %")
    head = f"| F1 | tickets with | without | current | new | difference ({percent} interval) |"
    rows = [(x.counts.label, f"{x.counts.true:,}", f"{x.counts.false:,}", x.f1) for x in verdict.labels]
    rows.append(("**mean over labels**", "", "", verdict.macro))
    lines = [f"| {name} | {true} | {false} | {_f1_cells(f1)} |" for name, true, false, f1 in rows]
    return "\n".join([head, "| --- | ---: | ---: | ---: | ---: | ---: |", *lines])


def _f1_cells(f1: Difference) -> str:
    return f"{f1.current:.3f} | {f1.new:.3f} | {f1.difference:+.3f} ({f1.low:+.3f} to {f1.high:+.3f})"


def _other_table(verdict: Verdict) -> str:
    rows: list[tuple[str, str, str]] = []
    if verdict.calibration:
        old, new = verdict.calibration
        rows.append(("calibration error (ECE)", f"{old.ece:.3f}", f"{new.ece:.3f}"))
        rows.append(("Brier score", f"{old.brier:.3f}", f"{new.brier:.3f}"))
    current, candidate = (x.headline for x in verdict.regression)
    rows.append(("F1 on the regression set", _known(current), _known(candidate)))
    rows.append(("segments per second", f"{verdict.speed[0]:,.0f}", f"{verdict.speed[1]:,.0f}"))
    lines = [f"| {name} | {old} | {new} |" for name, old, new in rows]
    return "\n".join(["| | current | new |", "| --- | ---: | ---: |", *lines])


def _known(figure: float | None) -> str:
    return "not measured" if figure is None else f"{figure:.3f}"
