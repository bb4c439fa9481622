"""What every detector promises; a new file in src/unmask/detectors is tested by being there.

A detector is built once and goes forward once for all tests that only look. What costs most
(gradients, a descent, saved files, torch.export, the full size of large clips) runs by default for
one detector of each family; for the others it is marked ``slow``.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import unmask.detectors
from detector_families import LIKE, by_family
from unmask.checkpoints import save_weights
from unmask.detectors import Card, Output, Target, get_card, list_detectors
from unmask.detectors.behaviors import BEHAVIORS, HasAdversary, HasHeatMaps, SharesFrames
from unmask.train.optimize import rate_of
from unmask.weights import load_detector

EVERY = pytest.mark.parametrize("name", list_detectors(), scope="module")
ONE_OF_EACH_FAMILY = pytest.mark.parametrize("name", by_family(), scope="module")
# Some are trained by default in tests/train/test_train_every_detector.py, the others by --all.
LIGHT_ONES_OF_THE_FAMILIES = pytest.mark.parametrize(
    "name",
    by_family(
        *("anti_compression", "bayar_stamm", "efficientnet_b3_lstm", "lipforensics"),
        *("r3d18", "two_branch"),
    ),
    scope="module",
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def card(name: str) -> Card:
    return get_card(name)


@pytest.fixture(scope="module")
def net(card: Card) -> nn.Module:
    """The network in eval mode, built without network, for tests that leave it as it is."""

    def refuse(*_: object) -> None:
        raise AssertionError("a detector must build without network")

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        built = card.build()
    assert built.training
    return built.eval()


@pytest.fixture
def trained(net: nn.Module) -> nn.Module:
    """A copy of the network in training mode, for tests that change it."""
    return copy.deepcopy(net).train()


@dataclass(frozen=True, slots=True)
class Forward:
    """One pass in eval mode: two clips, what came out, and what the card's CAM layer gave."""

    clips: Tensor
    output: Output
    maps: Tensor


@pytest.fixture(scope="module")
def forward(card: Card, net: nn.Module, size: Size) -> Forward:
    seen: list[Tensor] = []
    assert card.cam_layer
    layer = net.get_submodule(card.cam_layer)
    hook = layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    inputs = clips(card, 2, size)
    with torch.no_grad():
        output = net(inputs)
    hook.remove()
    return Forward(inputs, output, seen[0])


FIXTURES = Path(__file__).parents[1] / "fixtures"
PAPERS = {"LipForensics", "Two-branch", "EMD", "Anti-Compression", "Spatio-Temporal"}
LARGE_CLIP_PX = 40_000
LARGE_PICTURE_PX = 26_000

Size = tuple[int, int]


def smaller(card: Card) -> Size:
    """H and W of the card, halved until a clip has at most so many pixels."""
    height, width = card.input.size
    limit = LARGE_CLIP_PX if card.input.frames > 1 else LARGE_PICTURE_PX
    while card.input.frames * height * width > limit:
        height, width = height // 2, width // 2
    return height, width


@pytest.fixture(scope="module")
def size(card: Card, net: nn.Module) -> Size:
    """H and W of clips here: smaller than the card's where the network takes that, to save time.

    test_takes_the_size_of_its_card looks at the full size, once.
    """
    try:
        with torch.inference_mode():
            net(clips(card, 1, smaller(card)))
    except RuntimeError:
        return card.input.size
    return smaller(card)


def clips(card: Card, batch: int, size: Size) -> Tensor:
    """(B, C, T, H, W) as the detector gets it: pixels in 0..1, normalized by its spec."""
    spec = card.input
    channels = 3 if spec.color == "rgb" else 1
    shape = (batch, channels, spec.frames, *size)
    pixels = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    per_channel = (1, channels, 1, 1, 1)
    mean, std = torch.tensor(spec.mean), torch.tensor(spec.std)
    return (pixels - mean.view(per_channel)) / std.view(per_channel)


def target(card: Card, size: Size) -> Target:
    """Two pairs of a real and a forged sample; the lower half of the forged ones is forged."""
    label = torch.tensor([0.0, 1.0, 0.0, 1.0])
    height, width = size
    mask = torch.zeros(4, card.input.frames, height, width)
    mask[label == 1, :, height // 2 :] = 1
    twin = clips(card, 4, size) + 0.01 if card.recipe.sampling.twins else None
    return Target(label=label, mask=mask, pair=torch.tensor([0, 0, 1, 1]), twin=twin)


def is_trained(card: Card, key: str) -> bool:
    """Whether the recipe's loss trains this parameter."""
    others = (*card.recipe.freeze, *card.recipe.adversary.parts)
    return not any(key == part or key.startswith(f"{part}.") for part in others)


def test_who_stands_for_a_family_is_one_of_it():
    assert LIKE.keys() <= set(list_detectors())
    assert set(LIKE.values()) <= set(list_detectors()) - LIKE.keys()


@EVERY
def test_card_is_named_like_its_file(card: Card, name: str):
    assert card.name == name
    assert (Path(unmask.detectors.__file__).parent / f"{name}.py").is_file()


@EVERY
def test_card_says_where_it_comes_from(card: Card):
    paper = card.paper
    assert all((card.summary, paper.title, paper.authors, paper.venue, paper.url))
    assert 2000 < paper.year < 2100
    assert paper.differences
    assert all(len(difference.split()) > 3 for difference in paper.differences)


@EVERY
def test_weights_have_license_hash_and_origin(card: Card):
    tags = [weights.tag for weights in card.weights]
    assert len(tags) == len(set(tags))
    for weights in card.weights:
        assert weights.license
        assert weights.trained_on
        # What can only be imported may have no known hash: then its origin stays unknown.
        if weights.url or weights.file:
            assert weights.sha256 is not None
            assert len(weights.sha256) == 64
        else:
            assert weights.importer is not None


@EVERY
def test_weights_not_for_commercial_use_are_marked_as_such(card: Card):
    words = ("non-commercial", "research only")
    for weights in card.weights:
        assert weights.is_non_commercial == any(word in weights.license for word in words)
        assert bool(weights.licensor) == weights.is_non_commercial
        # What must be accepted never ships, and comes in through an import that records it.
        assert not weights.is_non_commercial or (weights.importer and not weights.file)


@EVERY
def test_card_says_who_compared_with_it_and_how_far_it_is_verified(card: Card):
    assert set(card.compared_in) <= PAPERS
    assert len(set(card.compared_in)) == len(card.compared_in)
    assert card.verified.startswith(("fixture", "parts", "layout only", "not verified", "ours"))
    # Only numbers of other code make a fixture.
    assert bool(card.fixtures) == card.verified.startswith(("fixture", "parts"))
    assert all((FIXTURES / name).is_file() for name in card.fixtures)
    if "not verified against the authors' code" in " ".join(card.paper.differences):
        assert not card.verified.startswith("fixture")


@EVERY
def test_input_is_hashable_and_consistent(card: Card):
    spec = card.input
    assert hash(spec) == hash(copy.copy(spec))
    channels = 3 if spec.color == "rgb" else 1
    assert len(spec.mean) == len(spec.std) == channels
    assert min(spec.std) > 0


@EVERY
def test_builds_without_network(net: nn.Module):
    assert list(net.children()) or list(net.parameters())


@EVERY
def test_outputs_are_as_declared(card: Card, forward: Forward):
    output = forward.output
    assert isinstance(output, Output)
    assert output.logit.shape == (2,)
    assert output.logit.isfinite().all()
    assert (output.mask is not None) == ("mask" in card.outputs)
    assert (output.embedding is not None) == ("embedding" in card.outputs)
    if output.mask is not None:
        assert output.mask.ndim == 4
        assert output.mask.shape[:2] == (2, card.input.frames)
        assert output.mask.isfinite().all()
    if output.embedding is not None:
        assert output.embedding.ndim == 2
        assert output.embedding.shape[0] == 2


@LIGHT_ONES_OF_THE_FAMILIES
def test_takes_the_size_of_its_card(card: Card, net: nn.Module, size: Size):
    if size == card.input.size:
        pytest.skip("every test here takes it")
    with torch.inference_mode():
        output = net(clips(card, 1, card.input.size))
    assert output.logit.shape == (1,)
    assert output.logit.isfinite().all()


@EVERY
def test_batch_of_two_equals_two_batches_of_one(card: Card, net: nn.Module, forward: Forward):
    with torch.no_grad():
        apart = [net(forward.clips[i : i + 1]) for i in range(2)]
    for field in ("logit", *card.outputs):
        expected = torch.cat([getattr(output, field) for output in apart])
        # What is added up to a small number has the noise of the large ones: untrained networks
        # without normalized activations return some of 1e7.
        noise = 1e-5 * max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(getattr(forward.output, field), expected, rtol=1e-4, atol=noise)


@ONE_OF_EACH_FAMILY
def test_every_trained_parameter_gets_a_gradient(card: Card, trained: nn.Module, size: Size):
    card.training_loss(trained, clips(card, 4, size), target(card, size)).backward()
    parameters = {key: p for key, p in trained.named_parameters() if is_trained(card, key)}
    assert parameters
    without = [key for key, p in parameters.items() if p.requires_grad and p.grad is None]
    assert not without
    gradients = [p.grad for p in parameters.values() if p.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0


@EVERY
def test_parts_that_the_recipe_names_exist(card: Card, net: nn.Module):
    modules = {key for key, _ in net.named_modules()} | {key for key, _ in net.named_parameters()}
    assert {
        *card.recipe.freeze,
        *card.recipe.schedule.warmup_parts,
        *card.recipe.adversary.parts,
    } <= modules
    prefixes = tuple(card.recipe.optimizer.learning_rates)
    assert all(any(key.startswith(prefix) for key in modules) for prefix in prefixes)
    assert bool(card.recipe.adversary.parts) == isinstance(net, HasAdversary)
    assert bool(card.heat_maps) == isinstance(net, HasHeatMaps)
    assert (card.frame_context is not None) == isinstance(net, SharesFrames)


@EVERY
def test_behaviors_have_the_signatures_that_they_are_called_by(net: nn.Module):
    for behavior in (one for one in BEHAVIORS if isinstance(net, one)):
        for name, method in inspect.getmembers(behavior, inspect.isfunction):
            if name.startswith("_"):
                continue
            wanted = inspect.signature(method).parameters.values()
            found = list(inspect.signature(getattr(type(net), name)).parameters.values())
            assert [(p.name, p.annotation) for p in found[: len(wanted)]] == [
                (p.name, p.annotation) for p in wanted
            ]
            assert all(p.default is not p.empty for p in found[len(wanted) :])


def texts_in(value: object) -> set[str]:
    if isinstance(value, Mapping):
        return set().union(*map(texts_in, value.items()))
    if isinstance(value, tuple):
        return set().union(*map(texts_in, value))
    return {value} if isinstance(value, str) else set()


@EVERY
def test_no_field_names_a_method(card: Card, net: nn.Module):
    fields = {field.name: getattr(card, field.name) for field in dataclasses.fields(card)}
    methods = {name for name in dir(type(net)) if not hasattr(nn.Module, name)}
    assert not texts_in(fields | card.recipe.values()) & methods


@EVERY
def test_features_of_single_frames_depend_on_the_frames_it_says(
    card: Card, net: nn.Module, forward: Forward
):
    if card.frame_context is None:
        pytest.skip("computes no features of single frames")
    inputs = forward.clips[:1]
    changed = inputs.clone()
    changed[:, :, 0] += 1
    with torch.no_grad():
        before, after = net.frame_features(inputs), net.frame_features(changed)
        assert torch.equal(net.classify(before).logit, net(inputs).logit)
    assert before.shape[:2] == (1, card.input.frames)
    differs = (before != after).any(dim=2)[0]
    assert differs[: card.frame_context + 1].all()
    assert not differs[card.frame_context + 1 :].any()


@LIGHT_ONES_OF_THE_FAMILIES
def test_a_few_steps_lower_the_loss(card: Card, trained: nn.Module, size: Size):
    inputs, wanted = clips(card, 4, size), target(card, size)
    recipe = card.recipe
    parts = [
        {
            "params": [p],
            "lr": rate_of(key, recipe.optimizer.learning_rates, recipe.optimizer.learning_rate),
        }
        for key, p in trained.named_parameters()
        if is_trained(card, key)
    ]
    # What Adam does at a rate that was chosen for plain steps says nothing.
    optimizer = (torch.optim.SGD if recipe.optimizer.kind == "sgd" else torch.optim.Adam)(parts)
    losses = []
    for _ in range(6):
        torch.manual_seed(0)  # The same dropout every time, so that only the weights differ.
        loss = card.training_loss(trained, inputs, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


@EVERY
def test_cam_layer_gives_maps(forward: Forward):
    assert forward.maps.ndim >= 4


@ONE_OF_EACH_FAMILY
def test_saved_weights_load_again(card: Card, net: nn.Module, forward: Forward, tmp_path: Path):
    path = save_weights(
        net.state_dict(),
        tmp_path / "x.safetensors",
        detector=card.name,
        tag="test",
        license="MIT",
        trained_on="nothing",
    )
    loaded = load_detector(card.name, path)
    assert not loaded.network.training
    assert loaded.card is card
    with torch.no_grad():
        assert torch.equal(loaded(forward.clips).logit, forward.output.logit)


@ONE_OF_EACH_FAMILY
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_exports_and_agrees(card: Card, net: nn.Module, forward: Forward):
    with torch.no_grad():
        exported = torch.export.export(net, (forward.clips,)).module()(forward.clips)
        for field in ("logit", *card.outputs):
            got, expected = getattr(exported, field), getattr(forward.output, field)
            torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)
