"""Two-branch network: its parts, its center, what it starts from, and the paper's variants."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from unmask.checkpoints import save_weights
from unmask.detectors import Target, build, get_card
from unmask.errors import DataError, UsageError, WeightsError
from unmask.losses import binary_loss
from unmask.weights import import_weights, load_detector

NAME = "two_branch"
CARD = get_card(NAME)


def variant(**args: object) -> nn.Module:
    """The network with arguments other than the card's, the same every time."""
    torch.manual_seed(0)
    return build(dataclasses.replace(CARD, args={**CARD.args, **args}))


def clips(batch: int, seed: int = 1, frames: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 3, frames, 64, 64, generator=generator)


TARGET = Target(label=torch.tensor([0.0, 1.0]))


@pytest.fixture(scope="module")
def imagenet() -> nn.Module:
    """Torchvision's network with running statistics unlike a fresh network's."""
    torch.manual_seed(3)
    net = torchvision.models.densenet121(weights=None)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.8, 1.2)
    return net.eval()


def test_both_branches_give_the_papers_maps_at_the_cards_size():
    net = variant().eval()
    pictures = torch.randn(1, 3, *CARD.input.size)
    with torch.no_grad():
        assert net.rgb(pictures).shape == net.log(pictures).shape == (1, 128, 28, 28)
    assert net.fuse.conv.weight.shape == (128, 128, 1, 1)
    assert net.fuse.conv.groups == 2
    assert net.log.laplacian.reduce.weight.shape == (64, 192, 1, 1)


def test_a_picture_of_one_color_says_nothing_to_the_laplacian():
    """But for its border, where the first convolution meets zeros."""
    net = variant().eval()
    with torch.no_grad():
        colors = net.log.conv0(torch.ones(1, 3, 160, 160))[..., 32:-32, 32:-32]
        edges = net.log.laplacian(net.log.conv0(torch.ones(1, 3, 160, 160)))
    assert colors.abs().max() > 0.1
    assert edges[..., 32:-32, 32:-32].abs().max() < 1e-5
    assert edges.abs().max() > 0.1


def test_branches_share_no_weights():
    net = variant()
    own = {id(parameter) for parameter in net.rgb.parameters()}
    assert not own & {id(parameter) for parameter in net.log.parameters()}
    assert not torch.equal(net.rgb.conv0.weight, net.log.conv0.weight)


def test_the_embedding_is_the_last_forward_and_the_first_backward_state():
    net = variant().eval()
    features = net.frame_features(clips(2))
    outputs, _ = net.lstm(features)
    expected = torch.cat([outputs[:, -1, :128], outputs[:, 0, 128:]], dim=1)
    torch.testing.assert_close(net.classify(features).embedding, expected)
    summed = variant(directions="sum").eval()
    summed.load_state_dict({**net.state_dict(), "center": summed.center})
    torch.testing.assert_close(
        summed.classify(features).embedding, expected[:, :128] + expected[:, 128:]
    )


def test_the_score_is_0_between_the_radii_and_grows_with_the_distance():
    net = variant(hidden=0).eval()
    features = torch.zeros(3, 2, 1024)
    features[:, :, 0] = torch.tensor([2.5, 50.0, 97.5])[:, None]
    with torch.no_grad():
        assert net.classify(features).logit.tolist() == pytest.approx([-47.5, 0.0, 47.5])
        net.center[0] = 2.5
        assert net.classify(features).logit.tolist() == pytest.approx([-50.0, -2.5, 45.0])


@pytest.mark.parametrize(
    ("args", "inner", "outer"), [({}, 0.042, 1.638), ({"hidden": 0}, 2.5, 97.5)]
)
def test_the_loss_takes_the_radii_of_the_embeddings_length(
    args: dict[str, object], inner: float, outer: float
):
    net = variant(**args)
    output = net(clips(2))
    real, fake = torch.linalg.vector_norm(output.embedding - net.center, dim=1)
    expected = (real - inner).relu() + (outer - fake).relu()
    torch.testing.assert_close(CARD.recipe.loss(output, TARGET), expected)


def test_at_the_center_itself_gradients_stay_finite():
    net = variant(hidden=0)
    features = torch.zeros(2, 2, 1024, requires_grad=True)
    CARD.recipe.loss(net.classify(features), TARGET).backward()
    assert features.grad.isfinite().all()


def test_the_center_is_the_mean_embedding_of_the_real_clips(tmp_path: Path):
    net = variant()
    net.rgb.denseblock1.eval()
    batches = [clips(2, seed=1), clips(1, seed=2)]
    before = {key: value.clone() for key, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    assert not before["center"].any()

    net.start_from_clips(iter(batches))

    assert [module.training for module in net.modules()] == modes
    after = net.state_dict()
    assert [k for k in after if not torch.equal(after[k], before[k])] == ["center"]
    alone = [clips(2, seed=1)[:1], clips(2, seed=1)[1:], clips(1, seed=2)]
    with torch.no_grad():
        by_hand = sum(net.eval()(one).embedding[0] for one in alone) / 3
    torch.testing.assert_close(net.center, by_hand)
    assert not net.center.requires_grad

    path = tmp_path / "x.safetensors"
    save_weights(after, path, detector=NAME, tag="t", license="MIT", trained_on="nothing")
    loaded = load_detector(NAME, path).network
    assert torch.equal(loaded.center, net.center)
    assert torch.equal(loaded(clips(1)).logit, net(clips(1)).logit)


def test_training_never_moves_the_center():
    net = variant()
    net.start_from_clips([clips(2)])
    center = net.center.clone()
    optimizer = torch.optim.Adam(net.parameters(), lr=CARD.recipe.optimizer.learning_rate)
    CARD.training_loss(net, clips(2), TARGET).backward()
    optimizer.step()
    assert torch.equal(net.center, center)


def test_without_real_clips_there_is_no_center():
    told = r"Cannot compute the center of two_branch: expected real training clips, got none\. Add"
    with pytest.raises(DataError, match=told):
        variant().start_from_clips([])


def rate(key: str) -> float:
    """The learning rate of a parameter: that of the longest prefix which names it."""
    recipe = CARD.recipe
    fitting = [part for part in recipe.optimizer.learning_rates if key.startswith(f"{part}.")]
    longest = max(fitting, key=len, default=None)
    return recipe.optimizer.learning_rates[longest] if longest else recipe.optimizer.learning_rate


def test_every_dense_block_learns_half_as_fast_as_the_next():
    rates = {key: rate(key) for key, _ in variant().named_parameters()}
    expected = {
        "rgb.": 1e-3 / 8,
        "log.": 1e-3,
        "fuse.": 1e-3,
        "trunk.denseblock2.": 1e-3 / 4,
        "trunk.transition2.": 1e-3 / 4,
        "trunk.denseblock3.": 1e-3 / 2,
        "trunk.transition3.": 1e-3 / 2,
        "trunk.denseblock4.": 1e-3,
        "trunk.norm5.": 1e-3,
        "lstm.": 1e-3,
    }
    for part, wanted in expected.items():
        found = {rates.pop(key) for key in list(rates) if key.startswith(part)}
        assert found == {wanted}, part
    assert not rates


VARIANTS = [
    {"has_log": False},
    {"fusion": "sum"},
    {"groups": 1},
    {"hidden": 256},
    {"hidden": 0},
    {"directions": "sum"},
    {"dropout": 0.0},
    {"sigmas": (1.0, 2.0)},
    {"objective": "cross_entropy"},
    {"objective": "cross_entropy", "hidden": 0, "has_log": False, "dropout": 0.0},
]


@pytest.mark.parametrize("args", VARIANTS, ids=str)
def test_the_papers_variants_build_and_learn(args: dict[str, object]):
    net = variant(**args)
    net.start_from_clips([clips(1)])
    output = net(clips(2))
    assert output.logit.shape == (2,)
    CARD.recipe.loss(output, TARGET).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    parts = dict(net.named_children())
    assert ("log" in parts) == args.get("has_log", True)
    assert ("fuse" in parts) == ("log" in parts and args.get("fusion") != "sum")
    assert ("lstm" in parts) == (args.get("hidden") != 0)
    assert ("head" in parts) == (args.get("objective") == "cross_entropy")


@pytest.mark.parametrize(
    ("args", "length"),
    [({}, 256), ({"hidden": 256}, 512), ({"directions": "sum"}, 128), ({"hidden": 0}, 1024)],
    ids=str,
)
def test_embedding_and_center_have_the_length_of_the_variant(args: dict[str, object], length: int):
    net = variant(**args).eval()
    with torch.no_grad():
        assert net(clips(1)).embedding.shape == (1, length)
    assert net.center.shape == (length,)


def test_cross_entropy_has_neither_center_nor_embedding():
    net = variant(objective="cross_entropy")
    net.start_from_clips([])
    output = net(clips(2))
    assert output.embedding is None
    assert "center" not in net.state_dict()
    assert torch.equal(CARD.recipe.loss(output, TARGET), binary_loss(output.logit, TARGET.label))


def test_dropout_works_in_training_alone():
    net = variant()
    pictures = clips(1)
    with torch.no_grad():
        assert not torch.equal(net.frame_features(pictures), net.frame_features(pictures))
        net.eval()
        assert torch.equal(net.frame_features(pictures), net.frame_features(pictures))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"fusion": "product"}, r"with fusion='product': expected cat or sum\."),
        ({"directions": "max"}, r"with directions='max': expected cat or sum\."),
        ({"objective": "svdd"}, r"with objective='svdd': expected radial or cross_entropy\."),
        ({"groups": 3}, r"with groups=3: expected a divisor of the 128 maps, such as 1 or 2\."),
        ({"groups": 0}, r"with groups=0: expected a divisor"),
    ],
)
def test_other_variants_are_refused(args: dict[str, object], told: str):
    with pytest.raises(UsageError, match=f"Cannot build two_branch {told}"):
        variant(**args)


@pytest.mark.slow
def test_an_imagenet_file_fills_both_branches_and_the_trunk(imagenet: nn.Module, tmp_path: Path):
    torch.save(imagenet.state_dict(), tmp_path / "densenet121.pth")
    out = import_weights(NAME, tmp_path / "densenet121.pth", tmp_path / "x.safetensors")
    net = load_detector(NAME, out).network
    assert torch.equal(net.log.conv0.weight, net.rgb.conv0.weight)
    # Without the other branch (fused: the mean of the two) it is ImageNet's network.
    alone = variant(has_log=False).eval()
    state = {k: v for k, v in net.state_dict().items() if not k.startswith(("log.", "fuse."))}
    alone.load_state_dict(state)
    pictures = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = imagenet.features(pictures).relu().mean(dim=(2, 3))
        found = alone.frame_features(pictures[:, :, None])[:, 0]
        torch.testing.assert_close(found, expected)
        assert net(pictures[:, :, None]).logit.isfinite().all()
    again = import_weights(NAME, tmp_path / "densenet121.pth", tmp_path / "y.safetensors")
    assert torch.equal(load_detector(NAME, again).network.lstm.weight_hh_l0, net.lstm.weight_hh_l0)


def test_a_file_that_lacks_a_layer_is_refused(imagenet: nn.Module, tmp_path: Path):
    state = imagenet.state_dict()
    del state["features.denseblock1.denselayer1.conv1.weight"]
    torch.save(state, tmp_path / "damaged.pth")
    told = r"2 missing \(rgb\.denseblock1\.denselayer1\.conv1\.weight, log\.denseblock1"
    with pytest.raises(WeightsError, match=told):
        import_weights(NAME, tmp_path / "damaged.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()
