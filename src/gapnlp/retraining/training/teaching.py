"""One language's tickets -> a fitted adapter, by the method that was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.encoder_signals import ENCODER_SIGNALS
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.training.bags import Bags, make_bags
from gapnlp.retraining.training.encoder_method import OwnEncoder, carry_encoder, make_own_encoder
from gapnlp.retraining.training.fitting import FitOptions, OnProgress, fit_adapter
from gapnlp.retraining.training.learning import FittedAdapter
from gapnlp.retraining.training.pieces import Pieces
from gapnlp.retraining.training.plan import Plan

# By how much an encoder of its own has to lower the loss on held-out tickets, as a share: it makes scoring slower.
LEAST_GAIN = 0.01


@dataclass(frozen=True, slots=True)
class Taught:
    """What training gave: the adapter, the encoder that it reads, if any, and in words how and why."""

    fitted: FittedAdapter
    encoder: OwnEncoder | None
    fine_tuned: bool
    why: str

    @property
    def files(self) -> Mapping[str, bytes]:
        """Files of the bundle that hold the encoder; none without one."""
        return self.encoder.files if self.encoder else {}

    def classifier(self, base: Classifier) -> AdaptedClassifier:
        """Put the adapter on its base, before it has a version."""
        return AdaptedClassifier(base, self.fitted.adapter, "new", self.encoder.reader if self.encoder else None)


@dataclass(frozen=True, slots=True)
class _Lesson:
    tickets: Sequence[LabelledTicket]
    bags: Bags
    base: Classifier
    options: FitOptions

    def fit(self, encoder: OwnEncoder | None) -> FittedAdapter:
        """Fit an adapter that reads an encoder of its own, or none."""
        options: FitOptions = {**self.options}
        if encoder is not None:
            options |= {"extra": encoder.logits, "extra_names": ENCODER_SIGNALS, "extra_replay": encoder.replay}
        return fit_adapter(self.tickets, self.base.language, self.base, **options)


def teach(
    tickets: Sequence[LabelledTicket], base: Classifier, plan: Plan, *, seed: int, where: tuple[Pieces, OnProgress]
) -> Taught:
    """Carry out a plan. where: to keep pieces, fine-tuning's as well, which needs a folder; and whom to tell of steps.

    A fine-tuned encoder is kept only if tickets that it has not seen are answered better with it. Raises MissingExtra
    when one is planned without the extra `train`.
    """
    pieces, on_progress = where
    options: FitOptions = {"seed": seed, "prior": plan.prior, "pieces": pieces, "on_progress": on_progress}
    lesson = _Lesson(tickets, make_bags(tickets, base.language), base, options)
    if plan.start is None:
        carried = carry_encoder(lesson.bags, plan.carried, seed) if plan.carried else None
        return Taught(lesson.fit(carried), carried, False, plan.why)
    if pieces.folder is None:
        raise ValueError("fine-tuning needs a folder for its pieces")
    own = make_own_encoder(lesson.bags, plan.start, seed, work=pieces.folder, on_progress=on_progress)
    taught = Taught(lesson.fit(own), own, True, plan.why)
    # An earlier adapter that reads an encoder of its own cannot be gone on from without one.
    if plan.prior is not None and plan.prior.further:
        return taught
    return _better(taught, Taught(lesson.fit(None), None, False, plan.why))


def _better(tuned: Taught, plain: Taught) -> Taught:
    """Take the fine-tuned encoder if it earns its price."""
    with_it, without = min(tuned.fitted.losses), min(plain.fitted.losses)
    told = f"loss on unseen tickets {with_it:.3f} with the fine-tuned encoder, {without:.3f} without it"
    if with_it <= (1 - LEAST_GAIN) * without:
        return replace(tuned, why=f"{tuned.why}; {told}")
    return replace(plain, why=f"{plain.why}; {told}: heads alone are kept, as it is worth less than the time it takes")
