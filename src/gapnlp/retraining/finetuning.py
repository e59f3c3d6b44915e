"""Full fine-tuning of a bundle's encoder on labelled tickets, in minutes on one core.

It starts from the bundle's own weights. Networks fitted to all folds but one give log-odds of every ticket unseen, for
what is fitted on top (stacked generalisation, Wolpert 1992); one more is fitted to all tickets, for as many passes as
the folds' early stopping found best. Finished pieces are kept, so a killed run goes on and ends in the same bytes.
Needs the extra `train`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gapnlp.classifier.bundle import BundleInfo, read_verified
from gapnlp.classifier.encoder import EncoderInput, encoder_inputs
from gapnlp.classifier.encoder_signals import ENCODER_FILES
from gapnlp.errors import InputError
from gapnlp.retraining.finetune_data import FineTuned, FineTuneData, FineTuneSettings, OnProgress
from gapnlp.retraining.finetune_loss import bag_loss, distillation, free_heads
from gapnlp.retraining.network import Network, padded, predict_logits, seed_everything
from gapnlp.retraining.onnx_export import export_network
from gapnlp.retraining.onnx_weights import restore_network
from gapnlp.retraining.training.pieces import Arrays, Pieces

STAGE = "fine-tuning the encoder"
# Longer tickets are answered but not learnt from: which of so many segments earned the labels is anybody's guess.
LONGEST_BAG = 32
# Segments that are in memory at once: of a batch that holds more, gradients add up in parts.
_MOST_SEGMENTS = 8
# Tokens to whose multiples a part is padded.
_MULTIPLE = 32
_WARM_UP, _DECAY, _LAST_RATE = 0.1, 0.01, 0.02
# Batches whose tickets are sorted by length together, so that little is padding.
_POOL = 10

Matrix = NDArray[np.float64]


def finetune(
    data: FineTuneData, base: BundleInfo, settings: FineTuneSettings, *, work: Path, on_progress: OnProgress
) -> FineTuned:
    """Fine-tune the encoder of a bundle. Same data, settings, bundle, machine and versions: same bytes.

    work: folder for finished pieces; data or settings that differ do not mix in it.
    Raises InputError when the bundle holds no encoder, ModelError when its files are changed or cannot be rebuilt.
    """
    contents = encoder_files(base)
    tokenizer = Tokenizer.from_str(contents["tokenizer.json"].decode())
    kept = Pieces(work / _key(data, base, settings))
    with _repeatable(settings.threads):
        rows = _Rows.read(data, tokenizer, restore_network(contents["encoder.onnx"], tokenizer), settings)
        run = _Run(rows, contents["encoder.onnx"], tokenizer, settings, _Clock(rows, settings, on_progress))
        cross_fitted, best = _cross_fit(run, kept)
        onnx = _whole(run, best, kept)
        run.clock.finish()
    return FineTuned(cross_fitted, onnx, contents["tokenizer.json"], best)


def encoder_files(base: BundleInfo) -> dict[str, bytes]:
    """Read a bundle's files, checked. Raises InputError when there is no encoder among them."""
    if not set(ENCODER_FILES) <= set(base.files):
        raise InputError(
            f"{base.name}: a bundle of kind {base.kind!r} without an encoder of its own; "
            "choose an accurate bundle (`gapnlp models` lists them)"
        )
    return read_verified(base)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The data as numbers. base, replay_base: the base's log-odds, (n_segments, n_heads). starts: of bags."""

    data: FineTuneData
    inputs: list[EncoderInput]
    base: Tensor
    replay: list[EncoderInput]
    replay_base: Tensor
    starts: NDArray[np.intp]

    @classmethod
    def read(cls, data: FineTuneData, tokenizer: Tokenizer, network: Network, settings: FineTuneSettings) -> _Rows:
        inputs, replay = (encoder_inputs(tokenizer, d) for d in (data.documents, data.replay))
        # As many as two passes replay: asking the base about more would cost time and be of little use.
        most = min(len(replay), round(2 * settings.replay * len(inputs)))
        chosen = np.random.default_rng(settings.seed).permutation(len(replay))[:most]
        replay = [replay[i] for i in chosen]
        base, replay_base = (torch.from_numpy(predict_logits(network, x)).float() for x in (inputs, replay))
        starts = np.concatenate([[0], np.cumsum(data.lengths)[:-1]])
        return cls(data, inputs, base, replay, replay_base, starts)

    def segments(self, bags: NDArray[np.intp]) -> NDArray[np.intp]:
        """Rows of the segments of some bags, in the bags' order."""
        parts = [np.arange(self.starts[b], self.starts[b] + self.data.lengths[b]) for b in bags]
        return np.concatenate(parts)

    def width(self, bag: int) -> int:
        """Tokens of a bag's longest segment in its context."""
        start = self.starts[bag]
        return max(len(x.ids) for x in self.inputs[start : start + self.data.lengths[bag]])


@dataclass(frozen=True, slots=True)
class _Run:
    """All that every fit of one run shares."""

    rows: _Rows
    encoder: bytes
    tokenizer: Tokenizer
    settings: FineTuneSettings
    clock: _Clock

    def network(self) -> Network:
        """Rebuild the base's network, with what stays frozen marked so."""
        network = restore_network(self.encoder, self.tokenizer)
        for name, parameter in network.body.named_parameters():
            layer = next((part for part in name.split(".") if part.isdigit()), None)
            parameter.requires_grad = layer is not None and int(layer) >= self.settings.frozen
        return network


class _Clock:
    """Tells progress in tickets, of all fits together."""

    def __init__(self, rows: _Rows, settings: FineTuneSettings, tell: OnProgress) -> None:
        folds = rows.data.folds
        self.sizes = [int((folds != f).sum()) * settings.epochs for f in sorted(set(folds.tolist()))]
        self.total = sum(self.sizes) + len(folds) * settings.epochs
        self.done, self.tell = 0, tell
        tell(STAGE, 0, self.total)

    def advance(self, tickets: int) -> None:
        """Count tickets that were learnt from."""
        self.done = min(self.done + tickets, self.total)
        self.tell(STAGE, self.done, self.total)

    def skip(self, done: int) -> None:
        """Go to where a piece ends that was finished before, or sooner than it might have been."""
        self.done = max(self.done, done)

    def finish(self) -> None:
        """Tell that all is done, however many passes that took."""
        self.tell(STAGE, self.total, self.total)


def _cross_fit(run: _Run, kept: Pieces) -> tuple[Matrix, int]:
    """Answer every ticket by a network that did not see it; give also the passes that were best, on average."""
    folds = run.rows.data.folds
    owner = folds[run.rows.data.segment_bags()]
    found, epochs = np.zeros(tuple(run.rows.base.shape)), []
    for number, fold in enumerate(sorted(set(folds.tolist()))):
        piece = kept.keep(f"fold-{number}", partial(_fit_fold, run, fold, number))
        found[owner == fold] = piece["logits"]
        epochs.append(int(piece["epochs"][0]))
        run.clock.skip(sum(run.clock.sizes[: number + 1]))
    return found, round(float(np.mean(epochs)))


def _fit_fold(run: _Run, fold: int, number: int) -> Arrays:
    data, settings = run.rows.data, run.settings
    generator = np.random.default_rng([settings.seed, number])
    others = _learnable(data, data.folds != fold)
    order = generator.permutation(others)
    held = max(1, round(settings.held * len(order)))
    fit = _Fit(run, run.network())
    seed_everything(settings.seed + number)
    best = fit.stop_early(np.sort(order[held:]), np.sort(order[:held]), generator)
    rows = np.flatnonzero((data.folds == fold)[data.segment_bags()])
    logits = predict_logits(fit.network, [run.rows.inputs[i] for i in rows])
    return {"logits": logits, "epochs": np.asarray([best])}


def _whole(run: _Run, epochs: int, kept: Pieces) -> bytes:
    """Fit the network that is served to all tickets, and write it as ONNX."""
    return kept.keep("whole", partial(_fit_whole, run, epochs))["onnx"].tobytes()


def _fit_whole(run: _Run, epochs: int) -> Arrays:
    data, settings = run.rows.data, run.settings
    fit = _Fit(run, run.network())
    seed_everything(settings.seed)
    bags = _learnable(data, np.ones(len(data.folds), dtype=bool))
    generator = np.random.default_rng([settings.seed, len(run.clock.sizes)])
    for _ in fit.passes(bags, epochs, generator):
        pass
    return {"onnx": np.frombuffer(export_network(fit.network), dtype=np.uint8)}


def _learnable(data: FineTuneData, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Bags that are wanted, say anything, and are not too long. Raises InputError when there are none or one."""
    found = np.flatnonzero(wanted & (data.lengths <= LONGEST_BAG) & (data.targets >= 0).any(axis=1))
    if len(found) < 2:
        raise InputError("too few labelled tickets for fine-tuning: two are needed outside of each fold")
    return found


class _Fit:
    """One network and how it is fitted."""

    def __init__(self, run: _Run, network: Network) -> None:
        self.run, self.network = run, network

    def stop_early(self, bags: NDArray[np.intp], held: NDArray[np.intp], generator: np.random.Generator) -> int:
        """Keep the weights after the pass that answers held tickets best; 0: as before fine-tuning."""
        best, least, weights = 0, self._loss(held), self._weights()
        for epoch in self.passes(bags, self.run.settings.epochs, generator):
            value = self._loss(held)
            if value < least:
                best, least, weights = epoch, value, self._weights()
            elif epoch - best >= self.run.settings.patience:
                break
        self.network.load_state_dict(weights, strict=False)
        return best

    def passes(self, bags: NDArray[np.intp], epochs: int, generator: np.random.Generator) -> Iterator[int]:
        """Go over the bags so many times, giving the pass after each; rates fall as if for the most passes."""
        settings = self.run.settings
        steps = settings.epochs * -(-len(bags) // settings.batch)
        optimiser = self._optimiser()
        rise = max(1, round(_WARM_UP * steps))
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1.0, (step + 1) / rise) * max(_LAST_RATE, 1 - step / steps)
        )
        for epoch in range(1, epochs + 1):
            self.network.train()
            for batch in self._batches(bags, generator):
                optimiser.zero_grad()
                self._learn_from(batch, generator)
                nn.utils.clip_grad_norm_(self._learnt(), 1.0)
                optimiser.step()
                schedule.step()
                self.run.clock.advance(len(batch))
            self.network.eval()
            yield epoch

    def _optimiser(self) -> torch.optim.Optimizer:
        settings, head = self.run.settings, list(self.network.head.parameters())
        body = [p for p in self.network.body.parameters() if p.requires_grad]
        groups = [{"params": body, "lr": settings.rate}, {"params": head, "lr": settings.head_rate}]
        return torch.optim.AdamW(groups, weight_decay=_DECAY)

    def _learnt(self) -> list[nn.Parameter]:
        return [p for p in self.network.parameters() if p.requires_grad]

    def _weights(self) -> dict[str, Tensor]:
        return {n: p.detach().clone() for n, p in self.network.named_parameters() if p.requires_grad}

    def _learn_from(self, bags: NDArray[np.intp], generator: np.random.Generator) -> None:
        """Add up gradients of a batch: of its labels, and of the distance from the base where none was given.

        Part by part, each with its share of the batch, so that memory does not grow with long tickets.
        """
        rows, settings = self.run.rows, self.run.settings
        segments = int(rows.data.lengths[bags].sum())
        again = generator.permutation(len(rows.replay))[: round(settings.replay * segments)]
        whole = segments + len(again)
        for part in self._parts(bags):
            self._objective(part, len(bags), whole).backward()  # type: ignore[no-untyped-call]
        for i in range(0, len(again), _MOST_SEGMENTS):
            few = again[i : i + _MOST_SEGMENTS]
            logits = self._answers([rows.replay[k] for k in few])
            moved = distillation(logits, rows.replay_base[few], torch.ones_like(logits))
            (settings.distil * moved * (len(few) / whole)).backward()  # type: ignore[no-untyped-call]

    def _objective(self, bags: NDArray[np.intp], batch: int, whole: int) -> Tensor:
        """Tell what some bags add to the loss of a batch of so many bags and segments, the replayed ones included."""
        rows = self.run.rows
        segments = rows.segments(bags)
        logits = self._answers([rows.inputs[i] for i in segments])
        lengths = torch.from_numpy(rows.data.lengths[bags])
        targets = torch.from_numpy(rows.data.targets[bags].astype(np.int64))
        free = torch.repeat_interleave(free_heads(targets), lengths, dim=0)
        moved = distillation(logits, rows.base[segments], free) * (len(segments) / whole)
        return bag_loss(logits, lengths, targets) * (len(bags) / batch) + self.run.settings.distil * moved

    def _answers(self, inputs: list[EncoderInput]) -> Tensor:
        """Answer; of what is too long for memory, only the answers are kept, and read again for gradients."""
        if len(inputs) <= _MOST_SEGMENTS:
            return self._read(inputs)
        parts = (inputs[i : i + _MOST_SEGMENTS] for i in range(0, len(inputs), _MOST_SEGMENTS))
        return torch.cat([checkpoint(self._read, part, use_reentrant=False) for part in parts])

    def _read(self, inputs: list[EncoderInput]) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            logits: Tensor = self.network(*padded(inputs, multiple=_MULTIPLE))[0].float()
        return logits

    def _parts(self, bags: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
        """Cut a batch where its segments would be too many."""
        cut, held = 0, 0
        for i, length in enumerate(self.run.rows.data.lengths[bags]):
            if held and held + length > _MOST_SEGMENTS:
                yield bags[cut:i]
                cut, held = i, 0
            held += int(length)
        yield bags[cut:]

    def _loss(self, bags: NDArray[np.intp]) -> float:
        """Unlikeliness of the bags' labels as they are answered now."""
        rows = self.run.rows
        logits = predict_logits(self.network, [rows.inputs[i] for i in rows.segments(bags)])
        targets = torch.from_numpy(rows.data.targets[bags].astype(np.int64))
        return float(bag_loss(torch.from_numpy(logits).float(), torch.from_numpy(rows.data.lengths[bags]), targets))

    def _batches(self, bags: NDArray[np.intp], generator: np.random.Generator) -> Iterator[NDArray[np.intp]]:
        """One pass: shuffled, then sorted by length within pools, so that little is padding."""
        size = self.run.settings.batch
        order = generator.permutation(bags)
        batches = []
        for i in range(0, len(order), size * _POOL):
            part = sorted(order[i : i + size * _POOL].tolist(), key=self.run.rows.width)
            batches += [part[k : k + size] for k in range(0, len(part), size)]
        for k in generator.permutation(len(batches)):
            yield np.asarray(batches[k], dtype=np.intp)


@contextmanager
def _repeatable(threads: int) -> Iterator[None]:
    """Let torch run repeatably, and leave it as it was found."""
    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    state = np.random.get_state()
    try:
        torch.set_num_threads(threads)
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(strict)
        np.random.set_state(state)


def _key(data: FineTuneData, base: BundleInfo, settings: FineTuneSettings) -> str:
    """Digest of all that the pieces depend on."""
    versions = tuple(version(name) for name in ("torch", "transformers", "onnxruntime"))
    parts = (data.digest(), base.version, settings.key(), *versions)
    return "finetuning-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
