"""DeepfakeBench's files: what is refused by name because it is another network."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

from unmask.detectors import get_card
from unmask.detectors.shared.deepfakebench import without_backbone
from unmask.errors import WeightsError, WrongVariantError
from unmask.weights import import_weights

PORTS = {"meso4": "meso4_port", "mesoinception4": "mesoinception4_port"}


@pytest.mark.parametrize("prefix", ["", "backbone."])
@pytest.mark.parametrize("name", PORTS)
def test_the_port_of_mesonet_is_refused_with_the_reason(
    name: str, prefix: str, formula: ModuleType, shared_folder: Path, tmp_path: Path
):
    fixture = formula.load(shared_folder / "fixtures" / f"{PORTS[name]}.json")
    state = {f"{prefix}{k}": v for k, v in formula.build_state_dict(fixture).items()}
    torch.save(state, tmp_path / "meso_best.pth")
    told = r"PyTorch port of MesoNet .*shares batch norms.*Give their \.h5 file"
    with pytest.raises(WrongVariantError, match=told):
        import_weights(name, tmp_path / "meso_best.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_any_other_torch_file_is_refused_as_before(tmp_path: Path):
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "x.pth")
    with pytest.raises(WeightsError):
        import_weights("meso4", tmp_path / "x.pth", tmp_path / "out.safetensors")


def test_the_backbones_prefix_and_its_unused_layer_go():
    state = {
        "backbone.conv1.weight": torch.zeros(1),
        "backbone.adjust_channel.0.bias": torch.ones(1),
    }
    assert list(without_backbone(state)) == ["conv1.weight"]


@pytest.mark.parametrize("name", ["xception", "face_xray"])
def test_what_fits_is_named_with_its_licence(name: str):
    (entry,) = [e for e in get_card(name).weights if e.tag == "deepfakebench"]
    assert "non-commercial" in entry.license
    assert "_best.pth" in entry.trained_on
    assert entry.importer is not None
