"""Published files become ours: verified, without running code, never overwriting."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tiny_detector import (
    PUBLISHED,
    PUBLISHED_SHA256,
    STATE,
    card,
    files_in,
    published_entry,
    register,
    save,
)
from torch import Tensor, nn

from unmask.checkpoints.safetensors_file import read_metadata
from unmask.detectors import Output, detector
from unmask.errors import OutputError, WeightsError
from unmask.types import DetectorUse
from unmask.weights import import_weights, load_detector

pytestmark = pytest.mark.usefixtures("own_names")


def test_known_published_file_keeps_license_and_origin(tmp_path: Path, cache: Path, caplog):
    register(published_entry("https://example.org/net.json"))
    source = tmp_path / "net.json"
    source.write_bytes(PUBLISHED)
    out = import_weights("tiny", source)
    assert out == cache / "tiny-net.safetensors"
    assert read_metadata(out)["license"] == "Apache-2.0"
    assert read_metadata(out)["source_sha256"] == PUBLISHED_SHA256
    assert not caplog.records
    net = load_detector("tiny", out)
    assert torch.equal(net.network.layer.weight, STATE["layer.weight"])
    assert net.weights.trained_on == "paper data"
    # From now on the tag needs no network; it speaks of the published file.
    assert load_detector("tiny").weights == DetectorUse(
        name="tiny",
        weights="paper",
        sha256=PUBLISHED_SHA256,
        license="Apache-2.0",
        trained_on="paper data",
    )


def test_unknown_file_that_fits_is_of_unknown_origin(tmp_path: Path, caplog):
    register(published_entry("https://example.org/net.json"))
    source = tmp_path / "mine.json"
    source.write_text(json.dumps({"weight": [[7.0, 7.0, 7.0]], "bias": [7.0]}))
    with caplog.at_level(logging.WARNING, "unmask"):
        out = import_weights("tiny", source, tmp_path / "out.safetensors")
    assert "origin, licence and training data are unknown" in caplog.text
    assert read_metadata(out)["license"] == read_metadata(out)["trained_on"] == "unknown"
    assert load_detector("tiny", out).weights.license == "unknown"


def test_import_never_overwrites(tmp_path: Path):
    register(published_entry("https://example.org/net.json"))
    source = tmp_path / "net.json"
    source.write_bytes(PUBLISHED)
    out = import_weights("tiny", source)
    before = out.read_bytes()
    assert import_weights("tiny", source) == out
    assert out.read_bytes() == before
    other = tmp_path / "other.safetensors"
    other.write_text("mine")
    with pytest.raises(OutputError, match="exists with other contents"):
        import_weights("tiny", source, other)
    assert other.read_text() == "mine"


def test_torch_state_dict_is_imported(tmp_path: Path):
    register()
    for number, wrapped in enumerate((STATE, {"state_dict": STATE, "epoch": 3})):
        source = tmp_path / f"x{number}.pt"
        torch.save(wrapped, source)
        out = import_weights("tiny", source)
        assert torch.equal(load_detector("tiny", out).network.layer.bias, STATE["layer.bias"])


class Wide(nn.Module):
    """Two layers, of which the second one has its width from an argument."""

    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, width)

    def forward(self, clips: Tensor) -> Output:
        return Output(logit=self.second(self.first(clips.mean((2, 3, 4)))).mean(1))


def test_another_variant_takes_from_a_file_what_fits(tmp_path: Path, caplog):
    detector(dataclasses.replace(card(), args={"width": 2}))(
        type("Wide", (Wide,), {"__module__": __name__})
    )
    state = Wide().state_dict()
    torch.save(state, tmp_path / "x.pt")
    out = import_weights("tiny", tmp_path / "x.pt", tmp_path / "wide", args={"width": 5})
    network = load_detector("tiny", out).network
    assert torch.equal(network.first.weight, state["first.weight"])
    assert network.second.weight.shape == (5, 4)
    assert "2 of 4 tensors of tiny come from" in caplog.text
    again = import_weights("tiny", tmp_path / "x.pt", tmp_path / "again", args={"width": 5})
    other = load_detector("tiny", again).network
    assert torch.equal(network.second.weight, other.second.weight)


def test_foreign_safetensors_is_imported_unless_of_another_detector(tmp_path: Path):
    register()
    source = tmp_path / "x.safetensors"
    safetensors.torch.save_file(STATE, source)
    out = import_weights("tiny", source)
    assert torch.equal(load_detector("tiny", out).network.layer.bias, STATE["layer.bias"])
    with pytest.raises(WeightsError, match="are for detector 'huge'"):
        import_weights("tiny", save(tmp_path / "y.safetensors", detector="huge"))


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_pickled_code_is_never_run(tmp_path: Path):
    register()
    for number, write in enumerate((torch.save, lambda x, p: p.write_bytes(pickle.dumps(x)))):
        source, crater = tmp_path / f"x{number}.pt", tmp_path / f"crater{number}"
        write({"layer.weight": Bomb(crater)}, source)
        with pytest.raises(WeightsError, match=r"Cannot read .* as a torch file of plain tensors"):
            import_weights("tiny", source)
        assert not crater.exists()


def test_torch_file_without_a_state_dict_is_refused(tmp_path: Path):
    register()
    torch.save([1, 2], tmp_path / "x.pt")
    with pytest.raises(WeightsError, match="Cannot find a state dict in"):
        import_weights("tiny", tmp_path / "x.pt")
    torch.save({"layer.weight": 3}, tmp_path / "y.pt")
    with pytest.raises(WeightsError, match=r"1 of its 1 entries are no tensors \(layer.weight"):
        import_weights("tiny", tmp_path / "y.pt")


def test_file_that_does_not_fit_leaves_nothing(tmp_path: Path, cache: Path):
    register(published_entry("https://example.org/net.json"))
    source = tmp_path / "net.json"
    source.write_text(json.dumps({"weight": [[7.0]], "bias": [7.0]}))
    with pytest.raises(WeightsError, match=r"layer.weight is \(1, 1\), expected \(1, 3\)"):
        import_weights("tiny", source)
    assert files_in(cache) == []


def test_import_of_a_missing_file(tmp_path: Path):
    register()
    with pytest.raises(WeightsError, match=r"Cannot find .* Give the published weights file of"):
        import_weights("tiny", tmp_path / "no.h5")
