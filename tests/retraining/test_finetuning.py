"""Fine-tuning small encoders: it learns what is given, stays with the base elsewhere, and goes on after a kill."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from gapnlp.classifier.encoder import Encoder
from gapnlp.errors import InputError, ModelError
from gapnlp.records.labels import HEADS
from gapnlp.retraining.finetune_data import FineTuneData, FineTuneSettings

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from gapnlp.retraining import finetuning  # noqa: E402
from gapnlp.retraining.finetune_loss import bag_loss, distillation, free_heads  # noqa: E402
from gapnlp.retraining.finetuning import finetune  # noqa: E402
from tests.retraining.encoder_samples import (  # noqa: E402
    PRESENCE,
    SENTIMENT,
    small_tickets,
    write_encoder_bundle,
    write_files,
)

# A random encoder of 32 values learns by higher rates than a real one.
SETTINGS = FineTuneSettings(epochs=8, patience=8, batch=8, rate=3e-3, head_rate=1e-2)
CHURN = HEADS.index("churn")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_encoder_bundle(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def tuned(base, tmp_path_factory):
    told = []
    work = tmp_path_factory.mktemp("work")
    found = finetune(small_tickets(), base, SETTINGS, work=work, on_progress=lambda *x: told.append(x))
    return found, told, work


def loss_of(logits, data):
    bags = torch.from_numpy(data.lengths), torch.from_numpy(data.targets.astype(np.int64))
    return bag_loss(torch.from_numpy(logits).float(), *bags).item()


def test_tickets_are_answered_unseen_better_than_by_the_base(base, tuned):
    data = small_tickets()
    before = Encoder((base.folder / "encoder.onnx").read_bytes(), (base.folder / "tokenizer.json").read_bytes())
    assert loss_of(tuned[0].cross_fitted, data) < 0.8 * loss_of(before.logits(data.documents), data)


def test_the_served_network_knows_the_tickets(tuned):
    data = small_tickets()
    logits = Encoder(tuned[0].onnx, tuned[0].tokenizer).logits(data.documents)
    assert logits.shape == tuned[0].cross_fitted.shape == (data.lengths.sum(), len(HEADS))
    assert tuned[0].epochs > 0
    starts = np.concatenate([[0], np.cumsum(data.lengths)[:-1]])
    sentiment = logits[starts, SENTIMENT : SENTIMENT + 4].argmax(axis=1)
    assert (sentiment == data.targets[:, SENTIMENT : SENTIMENT + 4].argmax(axis=1)).mean() > 0.9


def test_heads_that_nobody_judged_stay_nearer_to_the_base_than_without_distillation(base, tmp_path):
    data = small_tickets()
    before = Encoder((base.folder / "encoder.onnx").read_bytes(), (base.folder / "tokenizer.json").read_bytes())
    unknown = (data.targets < 0).all(axis=0)
    expected = before.logits(data.documents)[:, unknown]
    moved = []
    for distil in (0.0, 5.0):
        settings = replace(SETTINGS, epochs=3, distil=distil)
        found = finetune(data, base, settings, work=tmp_path, on_progress=lambda *_: None)
        logits = Encoder(found.onnx, found.tokenizer).logits(data.documents)[:, unknown]
        moved.append(np.abs(1 / (1 + np.exp(-logits)) - 1 / (1 + np.exp(-expected))).mean())
    assert moved[1] < 0.5 * moved[0]


def test_progress_goes_up_and_ends(tuned):
    done = [x for _, x, _ in tuned[1]]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == tuned[1][-1][2]
    assert len(set(done)) > 20
    assert {(stage, total) for stage, _, total in tuned[1]} == {(finetuning.STAGE, done[-1])}


def test_a_finished_run_is_read_back(base, tuned, monkeypatch):
    monkeypatch.setattr(finetuning._Fit, "passes", lambda *_: pytest.fail("fitted again"))
    again = finetune(small_tickets(), base, SETTINGS, work=tuned[2], on_progress=lambda *_: None)
    assert again.onnx == tuned[0].onnx
    assert (again.cross_fitted == tuned[0].cross_fitted).all()


def test_killed_in_the_second_fold_it_goes_on_to_the_same_bytes(base, tuned, tmp_path):
    class Killed(BaseException):
        pass

    def kill(stage, done, total):
        if list(tmp_path.rglob("fold-0.safetensors")):
            raise Killed

    with pytest.raises(Killed):
        finetune(small_tickets(), base, SETTINGS, work=tmp_path, on_progress=kill)
    kept = [p.name for p in tmp_path.rglob("*") if p.is_file()]
    assert kept == ["fold-0.safetensors"]
    again = finetune(small_tickets(), base, SETTINGS, work=tmp_path, on_progress=lambda *_: None)
    assert again.onnx == tuned[0].onnx
    assert (again.cross_fitted == tuned[0].cross_fitted).all()


def test_other_data_or_settings_do_not_share_pieces(base, tuned):
    data = small_tickets()
    keys = {finetuning._key(data, base, SETTINGS), finetuning._key(data, base, replace(SETTINGS, seed=1))}
    keys.add(finetuning._key(replace(data, targets=-data.targets), base, SETTINGS))
    keys.add(finetuning._key(replace(data, replay=()), base, SETTINGS))
    assert len(keys) == 4


def test_torch_is_left_as_it_was(base, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    finetune(small_tickets(6), base, replace(SETTINGS, epochs=1), work=tmp_path, on_progress=lambda *_: None)
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    assert torch.equal(torch.rand(3), expected)


def test_bundles_without_encoder_and_changed_ones_are_refused(base, tmp_path):
    linear = write_files(tmp_path / "linear-en", {"card.json": b"{}"}, kind="linear")
    with pytest.raises(InputError, match="choose an accurate bundle"):
        finetune(small_tickets(), linear, SETTINGS, work=tmp_path, on_progress=lambda *_: None)
    changed = replace(base, files=dict(base.files) | {"encoder.onnx": "0" * 64})
    with pytest.raises(ModelError, match="was changed"):
        finetune(small_tickets(), changed, SETTINGS, work=tmp_path, on_progress=lambda *_: None)


def test_tickets_that_say_nothing_cannot_be_learnt_from(base, tmp_path):
    data = small_tickets(6)
    empty = replace(data, targets=np.full_like(data.targets, -1))
    with pytest.raises(InputError, match="too few labelled tickets"):
        finetune(empty, base, SETTINGS, work=tmp_path, on_progress=lambda *_: None)


def test_parts_of_a_batch_add_up_to_the_whole(base, tmp_path, monkeypatch):
    """Without dropout, the size of the parts changes rounding alone; plain descent, as Adam makes much of little."""
    monkeypatch.setattr(torch.nn.functional, "dropout", lambda x, *_, **__: x)
    monkeypatch.setattr(torch, "autocast", lambda *_: nullcontext())
    monkeypatch.setattr(torch.optim, "AdamW", lambda groups, **_: torch.optim.SGD(groups))
    settings, found = replace(SETTINGS, epochs=1, patience=1, rate=1e-2, head_rate=1e-1), []
    for most in (1, 1000):
        monkeypatch.setattr(finetuning, "_MOST_SEGMENTS", most)
        work = tmp_path / str(most)
        found.append(finetune(small_tickets(24), base, settings, work=work, on_progress=lambda *_: None))
    np.testing.assert_allclose(found[0].cross_fitted, found[1].cross_fitted, atol=1e-3)


def test_a_ticket_too_long_is_answered_but_not_learnt_from(base, tmp_path, monkeypatch):
    monkeypatch.setattr(finetuning, "LONGEST_BAG", 1)
    data = small_tickets(12)
    seen = []
    inner = finetuning._Fit._learn_from
    monkeypatch.setattr(finetuning._Fit, "_learn_from", lambda s, bags, g: seen.extend(bags) or inner(s, bags, g))
    settings = replace(SETTINGS, epochs=1)
    found = finetune(data, base, settings, work=tmp_path, on_progress=lambda *_: None)
    assert set(data.lengths[seen]) == {1}
    assert len(found.cross_fitted) == data.lengths.sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": np.zeros(6, dtype=np.intp)}, "two folds"),
        ({"lengths": np.ones(6, dtype=np.intp)}, "every segment"),
        ({"targets": np.zeros((6, 3), dtype=np.int8)}, "6 bags"),
    ],
)
def test_data_that_do_not_fit_together_are_refused(change, message):
    data = small_tickets(6)
    with pytest.raises(ValueError, match=message):
        replace(data, **change)


def test_a_tickets_sentences_may_not_be_parted():
    targets = np.zeros((3, len(HEADS)), dtype=np.int8)
    one, documents = np.ones(3, dtype=np.intp), [["a", "b"], ["c"]]
    FineTuneData(documents, one, targets, np.asarray([0, 0, 1]))
    with pytest.raises(ValueError, match="different folds"):
        FineTuneData(documents, one, targets, np.asarray([0, 1, 1]))


def targets_of(**given: int):
    targets = torch.full((1, len(HEADS)), -1)
    for name, value in given.items():
        targets[0, HEADS.index(name.replace("__", ":"))] = value
    return targets


def test_the_loss_is_that_of_noisy_or():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, len(HEADS), generator=generator)
    p = torch.sigmoid(logits)
    lengths = torch.tensor([3])
    none = torch.prod(1 - p[:, CHURN])
    assert bag_loss(logits, lengths, targets_of(churn=1)).item() == pytest.approx(-torch.log(1 - none).item(), abs=1e-5)
    assert bag_loss(logits, lengths, targets_of(churn=0)).item() == pytest.approx(-torch.log(none).item(), abs=1e-5)
    pos = p[:, PRESENCE] * torch.softmax(logits[:, :3], dim=1)[:, 0]
    expected = -torch.log(1 - torch.prod(1 - pos)).item()
    both = targets_of(dimension__reliability__neg=1, presence__reliability=1)
    assert bag_loss(logits, lengths, both).item() == pytest.approx(expected, abs=1e-5)
    mean = torch.softmax(logits[:, SENTIMENT : SENTIMENT + 4], dim=1).mean(dim=0)
    said = targets_of(sentiment__neg=1, sentiment__pos=0)
    assert bag_loss(logits, lengths, said).item() == pytest.approx(-torch.log(mean[0]).item(), abs=1e-5)
    denied = bag_loss(logits, lengths, targets_of(sentiment__pos=0)).item()
    assert denied == pytest.approx(-torch.log(1 - mean[2]).item(), abs=1e-5)


def test_labels_not_given_have_no_slope():
    logits = torch.randn(4, len(HEADS), generator=torch.Generator().manual_seed(1)).requires_grad_()
    bag_loss(logits, torch.tensor([4]), targets_of(churn=1, presence__reliability=1)).backward()
    moved = set(np.flatnonzero(logits.grad.abs().sum(dim=0).numpy()))
    assert moved == {CHURN, PRESENCE}


def test_free_heads_leave_out_what_competes_with_a_label_given():
    free = free_heads(targets_of(sentiment__pos=0, dimension__empathy__neg=1, presence__reliability=0, churn=1))[0]
    names = {head for head, x in zip(HEADS, free, strict=True) if not x}
    empathy = {f"dimension:empathy:{p}" for p in ("neg", "neu", "pos")} | {"presence:empathy"}
    sentiments = {f"sentiment:{s}" for s in ("neg", "neu", "pos", "mixed")}
    assert names == {*empathy, *sentiments, "presence:reliability", "churn"}


def test_distillation_is_least_at_the_bases_answers():
    base = torch.randn(5, len(HEADS), generator=torch.Generator().manual_seed(2))
    logits = base.clone().requires_grad_()
    value = distillation(logits, base, torch.ones_like(base))
    value.backward()
    assert logits.grad.abs().max().item() < 1e-6
    assert distillation(base + 0.5 * torch.randn_like(base), base, torch.ones_like(base)) > value
    assert distillation(base + 1, base, torch.zeros_like(base)).item() == 0
