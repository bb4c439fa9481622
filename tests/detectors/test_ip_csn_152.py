"""ip-CSN-152: the published sizes and names, what its convolutions see, what it starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

NAME = "ip_csn_152"


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    """A file as VMZ writes it, for 400 actions."""
    torch.manual_seed(2)
    net = get_card(NAME).build().get_submodule("net")
    head = nn.Linear(2048, 400)
    named = {f"fc.{key}": value for key, value in head.state_dict().items()}
    return {**net.state_dict(), **named}


def test_it_has_the_parameters_that_both_papers_count(published: dict[str, Tensor]):
    net = get_card(NAME).build()
    # Table 6 of LipForensics: 32.2 M. MMAction2 counts 33.02 M, with 400 classes.
    assert sum(p.numel() for p in net.parameters()) == 32_199_041
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert sum(v.numel() for k, v in published.items() if not k.endswith(buffers)) == 33_016_592


def test_names_are_those_of_the_authors_code(published: dict[str, Tensor]):
    first = {k for k in published if k.startswith("layer2.0.") and k.endswith("weight")}
    assert first == {
        *(f"layer2.0.conv{c}.{part}.weight" for c in (1, 3) for part in (0, 1)),
        *(f"layer2.0.conv2.0.{part}.weight" for part in (0, 1, 2)),
        "layer2.0.conv2.1.weight",
        *(f"layer2.0.downsample.{part}.weight" for part in (0, 1)),
    }
    assert published["layer2.0.conv2.0.0.weight"].shape == (128, 128, 1, 1, 1)
    assert published["layer2.0.conv2.0.2.weight"].shape == (128, 1, 3, 3, 3)
    assert published["layer2.0.downsample.0.weight"].shape == (512, 256, 1, 1, 1)
    assert published["stem.0.weight"].shape == (64, 3, 3, 7, 7)
    counts = [
        1 + max(int(k.split(".")[1]) for k in published if k.startswith(f"layer{n}."))
        for n in range(1, 5)
    ]
    assert counts == [3, 8, 36, 3]


def test_places_and_times_shrink_as_published():
    net = get_card(NAME).build().eval()
    seen: dict[str, tuple[int, ...]] = {}
    for part in ("stem", "layer1", "layer2", "layer4"):
        net.get_submodule(f"net.{part}").register_forward_hook(
            lambda _module, _inputs, output, part=part: seen.update({part: output.shape[1:]})
        )
    with torch.no_grad():
        net(torch.rand(1, 3, 8, 64, 64))
    assert seen == {
        "stem": (64, 8, 16, 16),
        "layer1": (256, 8, 16, 16),
        "layer2": (512, 4, 8, 8),
        "layer4": (2048, 1, 2, 2),
    }


def test_channels_are_mixed_at_one_place_alone_and_without_an_activation():
    torch.manual_seed(0)
    layer = get_card(NAME).build().eval().get_submodule("net.layer2.1.conv2.0")
    maps = torch.randn(1, 128, 3, 4, 4)
    norm = layer[1]
    with torch.no_grad():
        mixed = torch.einsum("oi,bithw->bothw", layer[0].weight[:, :, 0, 0, 0], maps)
        scaled = mixed / (1 + 1e-3) ** 0.5
        expected = nn.functional.conv3d(scaled, layer[2].weight, padding=1, groups=128)
        torch.testing.assert_close(layer(maps), expected, rtol=1e-4, atol=1e-4)
    assert norm.eps == 1e-3


@pytest.mark.slow
def test_a_file_of_actions_is_a_start_that_says_nothing(
    published: dict[str, Tensor], tmp_path: Path
):
    torch.save(published, tmp_path / "x.pth")
    net = load_detector(
        NAME, import_weights(NAME, tmp_path / "x.pth", tmp_path / "x.safetensors")
    ).network
    key = "layer3.35.conv2.0.2.weight"
    assert torch.equal(net.state_dict()[f"net.{key}"], published[key])
    assert net.head.weight.count_nonzero() == 0
    with torch.no_grad():
        assert net(torch.rand(2, 3, 4, 32, 32)).logit.tolist() == [0, 0]


def test_other_layouts_are_refused(published: dict[str, Tensor], tmp_path: Path):
    without_norm = {k: v for k, v in published.items() if ".conv2.0.1." not in k}
    torch.save(without_norm, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit ip_csn_152: of 1232 tensors 250 missing"):
        import_weights(NAME, tmp_path / "x.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_the_rows_of_table_6_are_connected():
    rows = {a.row: a.starts_from for a in get_card(NAME).ablations}
    assert rows == {"scratch": "", "ig65m": "ig65m", "full": None}
    assert get_card(NAME).starts_from == "kinetics"
