"""What a recipe freezes stays as it is: weights, batch norms, dropout; for every detector."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from detector_families import by_family
from unmask.detectors import Card, get_card, list_detectors
from unmask.train import apply_settings
from unmask.train.module import DetectorTraining

FREEZING = [name for name in list_detectors() if get_card(name).recipe.freeze]
BY_FAMILY = [case for case in by_family() if case.values[0] in FREEZING]


class Numbers:
    """Stands for samples where only their count matters."""

    clips_per_item = 2

    def __len__(self) -> int:
        return 4


def reduced(name: str, *settings: str) -> Card:
    """Few and small pictures; the mouth network takes its own size alone."""
    card = get_card(name)
    if card.input.frames > 1:
        settings += ("input.frames=3",)
    if min(card.input.size) > 107:
        settings += ("input.size=(107, 107)",)
    return apply_settings(card, settings)


def training(card: Card) -> DetectorTraining:
    torch.manual_seed(0)
    return DetectorTraining(card, Numbers(), Numbers(), 0).train()  # type: ignore[arg-type]


def learn(module: DetectorTraining) -> dict[str, Tensor]:
    """One step on noise; the state dict before it."""
    spec = module.card.input
    before = {key: value.clone() for key, value in module.net.state_dict().items()}
    made = module.configure_optimizers()
    made = made["optimizer"] if isinstance(made, dict) else made
    output = module.net(torch.randn(2, len(spec.mean), spec.frames, *spec.size))
    sum(part.float().square().mean() for part in output if part is not None).backward()
    made.step()
    return before


def changed(module: DetectorTraining, before: dict[str, Tensor]) -> set[str]:
    after = module.net.state_dict()
    return {key for key, value in before.items() if not torch.equal(value, after[key])}


def below(names: set[str], parts: tuple[str, ...]) -> set[str]:
    return {name for name in names if name.startswith(tuple(f"{part}." for part in parts))}


def test_there_is_something_to_test():
    assert len(FREEZING) >= 4


@pytest.mark.parametrize("name", BY_FAMILY)
def test_a_step_moves_nothing_that_is_frozen(name: str):
    parts = get_card(name).recipe.freeze
    module = training(reduced(name))
    module.eval()
    module.train()  # As before every epoch, after validation.
    modes = {n: m.training for n, m in module.net.named_modules()}
    assert not any(modes[n] for n in below({*modes}, parts) | {*parts})
    moved = changed(module, learn(module))
    assert below(moved, parts) == set()
    assert moved
    assert all(p.grad is None for n, p in module.net.named_parameters() if below({n}, parts))


@pytest.mark.parametrize("name", BY_FAMILY)
def test_what_is_not_frozen_would_move(name: str):
    """Guards the test above: without the freezing, weights and batch norms of these parts move.

    All but what a network itself never trains, as `capsule` its VGG-19.
    """
    parts = get_card(name).recipe.freeze
    module = training(reduced(name, "freeze=()"))
    norms = {
        f"{n}.running_mean"
        for n, m in module.net.named_modules()
        if isinstance(m, nn.modules.batchnorm._BatchNorm)
    }
    learns = below({n for n, p in module.net.named_parameters() if p.requires_grad}, parts)
    assert bool(learns) == (name != "capsule")
    moved = below(changed(module, learn(module)), parts)
    assert bool(moved & norms) == bool(below(norms, parts))
    assert any(key.endswith(".weight") for key in moved) == bool(learns)
