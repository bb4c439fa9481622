"""Every detector is trained, resumed, saved and scanned with; a new one is tested by being there.

The data are two real videos and forgeries made of them; sizes are reduced, nothing else. By
default one detector runs for each way to train; the others are marked ``slow``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import unmask
from unmask.detectors import Card, behaviors, get_card, list_detectors
from unmask.train import apply_settings, train
from unmask.train.data import Source, read_faces
from unmask.train.run import module_for

SMALL_PX = 64
VIDEOS = ("PC-AVS__Input-00098.mp4", "PC-AVS__Audio_Source-00015.mp4")

BY_DEFAULT = {
    "anti_compression": "an adversary, twins of two compressions, a loss of its own",
    "bayar_stamm": "a step after the optimizer's",
    "head_pose": "fitted instead of trained, after a start",
    "meso4": "single pictures, as most",
    "resnet18_lipreading": "clips of mouths",
    "screener": "pairs; a start from real faces",
    "self_blended": "two passes a step",
    "two_branch": "clips of faces, stratified batches, a center",
}
"""Who is trained in every run, and for which way to train."""


def every_detector(*by_default: str) -> pytest.MarkDecorator:
    """Over all detectors; those not named are marked ``slow``."""
    every = [
        pytest.param(name, marks=() if name in by_default else pytest.mark.slow)
        for name in list_detectors()
    ]
    return pytest.mark.parametrize("name", every)


BEHAVIORS = (
    behaviors.HasTrainingLoss,
    behaviors.HasAdversary,
    behaviors.KeepsConstraint,
    behaviors.FitsLastPart,
    behaviors.StartsFromClips,
)


def ways(name: str) -> set[str]:
    """What of the trainer a detector makes run that another one may not."""
    card = get_card(name)
    kind = f"{'clips' if card.input.frames > 1 else 'pictures'} of {card.input.region}"
    sampling = card.recipe.sampling
    found = {kind, sampling.kind, card.recipe.optimizer.kind}
    with torch.device("meta"):
        net = card.build()
    return (
        found
        | {behavior.__name__ for behavior in BEHAVIORS if isinstance(net, behavior)}
        | ({"twins"} if sampling.twins else set())
    )


def test_every_way_to_train_runs_by_default():
    assert BY_DEFAULT.keys() <= set(list_detectors())
    covered = {way for name in BY_DEFAULT for way in ways(name)}
    assert {way for name in list_detectors() for way in ways(name)} == covered


@pytest.fixture(scope="session")
def _videos(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for name in VIDEOS:
        shutil.copy2(shared_folder / "media" / "val" / "real" / name, folder)
    return folder


@pytest.fixture
def videos(_videos: Path, cache: Path) -> Path:
    """Two real videos of two people, in one place: the cache knows them by path."""
    return _videos


def takes(card: Card, size: tuple[int, int]) -> bool:
    """Whether a network is convolutional to its end, so that it takes this size too."""
    spec = card.input
    clip = torch.zeros(1, len(spec.mean), spec.frames, *size)
    try:
        with torch.inference_mode():
            card.build().eval()(clip)
    except RuntimeError:
        return False
    return True


def reduced(name: str, *more: str) -> list[str]:
    """Few frames, small if the network can, and steps that need no memory of the ones before."""
    settings = ["synthesize=self_blend", "augment=none", "batch_size=4", "validation_pairs=2"]
    settings += ["adversary_steps=1", "warmup_epochs=0", "steps_per_epoch=2"]
    settings += more or ["optimizer=sgd"]
    card = get_card(name)
    if card.input.frames > 1:
        settings += ["input.frames=4", "input.fps=none", "input.stride=1", "input.hop=4"]
    small = (SMALL_PX, SMALL_PX)
    if min(card.input.size) > SMALL_PX and takes(apply_settings(card, settings), small):
        settings.append(f"input.size={small}")
    return settings


@every_detector("meso4", "screener")
def test_a_few_steps_on_real_faces_lower_the_loss(name: str, videos: Path):
    # On four small pictures the larger rates of some recipes jump about.
    rate = min(get_card(name).recipe.optimizer.learning_rate, 5e-5)
    settings = reduced(name, "optimizer=adam", f"learning_rate={rate}")
    card = apply_settings(get_card(name), settings)
    source = Source(path=videos)
    module = module_for(card, read_faces(card, source, source), 0, 1)
    module.start()
    batch = next(iter(module.train_dataloader()))
    assert batch.label.tolist() == [0, 1, 0, 1]
    made = module.configure_optimizers()
    made = made["optimizer"] if isinstance(made, dict) else made
    optimizer = made[0] if isinstance(made, list) else made
    losses = []
    module.train()
    for _ in range(6):
        torch.manual_seed(0)  # The same dropout every time, so that only the weights differ.
        loss = module.loss_of(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


@every_detector(*BY_DEFAULT)
def test_trained_resumed_and_scanned_with(
    name: str, videos: Path, portrait_video: Path, tmp_path: Path
):
    how = {"validation": videos, "workers": 0, "progress": False}
    out = tmp_path / "run"
    settings = reduced(name, "optimizer=sgd", "sampling=balanced")
    train(name, videos, out, settings=[*settings, "epochs=1"], **how)
    weights = train(name, videos, out, settings=[*settings, "epochs=2"], resume=True, **how)
    record = json.loads((out / "run.json").read_text())
    assert [row["epoch"] for row in record["curve"]] == [0, 1]
    verdict = unmask.scan(portrait_video, [name], weights={name: weights})
    (use,) = verdict.detectors
    assert use.trained_on.startswith("2 files of ")
    assert all(np.isfinite(score.logit) for score in verdict.clip_scores)
    assert len(verdict.clip_scores) > 0
    card = get_card(name)
    assert all(
        (score.mask is not None) == ("mask" in card.outputs) for score in verdict.clip_scores
    )
