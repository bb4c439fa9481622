"""SE-ResNet-50 of face recognition: the published sizes and names, its blocks, its channels."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from unmask.detectors import get_card
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

NAME = "se_resnet50"


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    torch.manual_seed(2)
    return get_card(NAME).build().get_submodule("net").state_dict()


def test_it_has_the_parameters_that_the_paper_counts():
    net = get_card(NAME).build()
    # Table 6 of LipForensics: 43.8 M.
    assert sum(p.numel() for p in net.net.parameters()) == 43_797_696
    # ImageNet's network of this name is another one.
    imagenet = timm.create_model("seresnet50", num_classes=1)
    assert round(sum(p.numel() for p in imagenet.parameters()) / 1e6, 1) == 26.0


def test_names_are_those_of_the_published_code(published: dict[str, Tensor]):
    assert published["input_layer.0.weight"].shape == (64, 3, 3, 3)
    assert published["body.3.res_layer.5.fc1.weight"].shape == (8, 128, 1, 1)
    assert published["body.3.shortcut_layer.0.weight"].shape == (128, 64, 1, 1)
    assert published["output_layer.3.weight"].shape == (512, 512 * 7 * 7)
    assert not [key for key in published if ".fc1.bias" in key or ".fc2.bias" in key]
    projected = sorted({int(k.split(".")[1]) for k in published if "shortcut_layer" in k})
    assert projected == [
        3,
        7,
        21,
    ]  # The first pretraining keeps its width: its shortcut has no weights.
    assert 1 + max(int(k.split(".")[1]) for k in published if k.startswith("body.")) == 24


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_block_is_what_the_published_code_computes(number: int):
    torch.manual_seed(0)
    block = get_card(NAME).build().eval().get_submodule(f"net.body.{number}")
    for module in block.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    state = block.state_dict()
    maps = torch.randn(1, state["res_layer.0.weight"].shape[0], 8, 8)
    stride = 1 if number == 1 else 2

    def norm(values: Tensor, key: str) -> Tensor:
        mean, var = state[f"{key}.running_mean"], state[f"{key}.running_var"]
        return functional.batch_norm(
            values, mean, var, state[f"{key}.weight"], state[f"{key}.bias"]
        )

    with torch.no_grad():
        inner = functional.conv2d(norm(maps, "res_layer.0"), state["res_layer.1.weight"], padding=1)
        inner = functional.prelu(inner, state["res_layer.2.weight"])
        inner = functional.conv2d(inner, state["res_layer.3.weight"], stride=stride, padding=1)
        inner = norm(inner, "res_layer.4")
        gate = functional.conv2d(inner.mean((2, 3), keepdim=True), state["res_layer.5.fc1.weight"])
        gate = functional.conv2d(gate.relu(), state["res_layer.5.fc2.weight"]).sigmoid()
        shortcut = maps[:, :, ::stride, ::stride]
        if number == 3:
            shortcut = functional.conv2d(maps, state["shortcut_layer.0.weight"], stride=stride)
            shortcut = norm(shortcut, "shortcut_layer.1")
        torch.testing.assert_close(block(maps), inner * gate + shortcut)


@pytest.mark.slow
def test_a_published_file_is_a_start_for_red_green_blue(
    published: dict[str, Tensor], tmp_path: Path
):
    torch.save(published, tmp_path / "model_ir_se50.pth")
    source = tmp_path / "model_ir_se50.pth"
    out = import_weights(NAME, source, tmp_path / "x.safetensors", accept_license=True)
    net = load_detector(NAME, out)
    theirs = get_card(NAME).build().get_submodule("net").eval()
    theirs.load_state_dict(published)
    red_first = torch.rand(1, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        output = net(red_first[:, :, None])
        torch.testing.assert_close(output.embedding, theirs(red_first.flip(1)))
    assert output.logit.tolist() == [0]


def test_another_network_is_refused(tmp_path: Path):
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"do not fit se_resnet50: .*1 unexpected \(net\.conv1"):
        import_weights(NAME, tmp_path / "x.pth", tmp_path / "x.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


def test_the_rows_of_table_6_are_connected():
    assert {a.row: a.starts_from for a in get_card(NAME).ablations} == {"scratch": "", "full": None}
