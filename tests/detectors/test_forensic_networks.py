"""The early forensic networks: their sizes, their statistics, the constraint of the first layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import Target, get_card
from unmask.errors import UsageError
from unmask.train import train
from unmask.weights import load_detector


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def faces(batch: int, side: int, scale: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return scale * torch.rand(batch, 3, 1, side, side, generator=generator)


def on_its_constraint(weight: Tensor) -> bool:
    middle = weight[:, :, 2, 2]
    others = weight.sum(dim=(2, 3)) - middle
    return torch.equal(middle, -torch.ones_like(middle)) and bool(((others - 1).abs() < 1e-4).all())


def test_stats_2l_has_as_many_parameters_as_the_published_file():
    assert parameters(get_card("rahmouni").build()) == 284_034


def test_stats_2l_looks_at_green_alone():
    net = get_card("rahmouni").build().eval()
    clips = faces(1, 100)
    other = clips.clone()
    other[:, [0, 2]] = 0
    with torch.no_grad():
        assert torch.equal(net(clips).logit, net(other).logit)
        other[:, 1] = 0
        assert not torch.equal(net(clips).logit, net(other).logit)


@pytest.mark.parametrize(
    ("variant", "side", "filters", "count"),
    [
        # Halves of 124: 62, 31, 15; of 252: 126, 63, 31, 15, 7.
        (
            *("conference", 128, 12),
            12 * 25
            + (12 * 64 * 49 + 64)
            + (64 * 48 * 25 + 48)
            + (48 * 15 * 15 * 4096 + 4096)
            + (4096 * 4096 + 4096)
            + (4096 * 2 + 2),
        ),
        (
            *("mislnet", 256, 3),
            3 * 25
            + (3 * 96 * 49 + 96)
            + (96 * 64 * 25 + 64)
            + (64 * 64 * 25 + 64)
            + (64 * 128 + 128)
            + 2 * (96 + 64 + 64 + 128)
            + (6272 * 200 + 200)
            + (200 * 200 + 200)
            + (200 * 2 + 2),
        ),
    ],
)
def test_both_networks_of_bayar_and_stamm_have_the_sizes_described(variant, side, filters, count):
    net = get_card("bayar_stamm").changed(args={"variant": variant, "side": side}).build().eval()
    assert net.body.constrained.weight.shape == (filters, 1, 5, 5)
    assert parameters(net) == count
    with torch.no_grad():
        assert net(faces(1, side, 255)).logit.isfinite().all()


def test_the_first_layer_begins_on_its_constraint_and_leaves_plain_areas_out():
    net = get_card("bayar_stamm").changed(args={"variant": "mislnet", "side": 256}).build()
    assert on_its_constraint(net.body.constrained.weight)
    plain = torch.full((1, 1, 32, 32), 200.0)
    assert net.body.constrained(plain).abs().max() < 0.02  # float32 sums of 200


def test_a_filter_without_a_sum_becomes_a_mean():
    layer = get_card("bayar_stamm").changed(args={"variant": "mislnet", "side": 256}).build()
    with torch.no_grad():
        layer.body.constrained.weight.zero_()
    layer.constrain()
    assert on_its_constraint(layer.body.constrained.weight)
    assert layer.body.constrained.weight[0, 0, 0, 0].item() == pytest.approx(1 / 24)


def test_an_unknown_variant_is_refused():
    with pytest.raises(UsageError, match="Cannot build bayar_stamm as 'new': expected one of"):
        get_card("bayar_stamm").changed(args={"variant": "new"}).build()


@pytest.mark.slow
def test_the_constraint_holds_after_every_step_of_a_training(
    real_and_forged: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Adam leaves it at once; the trainer, which the card tells, puts it back."""
    left: list[bool] = []
    kind = type(get_card("bayar_stamm").build())
    constrain = kind.constrain

    def watched(net):
        left.append(not on_its_constraint(net.body.constrained.weight))
        constrain(net)
        assert on_its_constraint(net.body.constrained.weight)

    monkeypatch.setattr(kind, "constrain", watched)
    settings = ["variant=mislnet", "side=256", "input.size=(256, 256)", "learning_rate=0.01"]
    settings += ["batch_size=4", "steps_per_epoch=3", "epochs=1", "validation_pairs=2"]
    path = train(
        *("bayar_stamm", real_and_forged, tmp_path / "run"),
        validation=real_and_forged,
        settings=settings,
        workers=0,
        progress=False,
    )
    assert left == [True] * 3
    net = load_detector("bayar_stamm", path)
    assert net.card.args["variant"] == "mislnet"
    assert on_its_constraint(net.network.body.constrained.weight)


def test_a_gradient_step_alone_leaves_the_constraint():
    """So the trainer's hook is needed: this test fails if the layer ever kept it by itself."""
    card = get_card("bayar_stamm").changed(args={"variant": "mislnet", "side": 256})
    net = card.build()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    target = Target(label=torch.tensor([0.0, 1.0]))
    card.training_loss(net, faces(2, 256, 255), target).backward()
    optimizer.step()
    assert not on_its_constraint(net.body.constrained.weight)
    net.constrain()
    assert on_its_constraint(net.body.constrained.weight)
