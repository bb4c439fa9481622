"""Which weights are loaded, what is refused, and how our files are written."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch
from tiny_detector import (
    STATE,
    files_in,
    published_entry,
    register,
    save,
)

from unmask.checkpoints.safetensors_file import file_sha256, read_metadata, write_atomically
from unmask.detectors import Weights
from unmask.errors import OutputError, UnknownNameError, UsageError, WeightsError
from unmask.types import DetectorUse
from unmask.weights import load_detector, store

pytestmark = pytest.mark.usefixtures("own_names")


def test_detector_without_weights_stays_untrained():
    register()
    net = load_detector("tiny")
    assert not net.network.training
    assert net.card.name == "tiny"
    assert net.weights == DetectorUse(
        name="tiny", weights="untrained", sha256="", license="", trained_on=""
    )


def test_file_is_loaded_and_reported(tmp_path: Path):
    register()
    path = save(tmp_path / "x.safetensors")
    for given in (path, str(path)):
        net = load_detector("tiny", given)
        assert torch.equal(net.network.layer.weight, STATE["layer.weight"])
        assert net.weights == DetectorUse(
            name="tiny",
            weights=str(path),
            sha256=file_sha256(path),
            license="MIT",
            trained_on="my data",
        )


def test_shipped_file_is_the_default_and_has_a_tag(tmp_path: Path, monkeypatch):
    path = save(tmp_path / "weights" / "files" / "tiny-1.safetensors")
    monkeypatch.setattr(store.resources, "files", lambda _package: tmp_path)
    entry = Weights(
        tag="one", file=path.name, sha256=file_sha256(path), license="MIT", trained_on="our data"
    )
    register(entry)
    for given in (None, "one"):
        net = load_detector("tiny", given)
        assert torch.equal(net.network.layer.bias, STATE["layer.bias"])
        assert net.weights == DetectorUse(
            name="tiny",
            weights="one",
            sha256=file_sha256(path),
            license="MIT",
            trained_on="our data",
        )
    path.unlink()
    with pytest.raises(WeightsError, match=r"are missing\. They ship with the package: install"):
        load_detector("tiny")


def test_shipped_file_with_another_hash_is_damaged(tmp_path: Path, monkeypatch):
    path = save(tmp_path / "weights" / "files" / "tiny-1.safetensors")
    monkeypatch.setattr(store.resources, "files", lambda _package: tmp_path)
    register(Weights(tag="one", file=path.name, sha256="41ab" * 16))
    with pytest.raises(WeightsError) as caught:
        load_detector("tiny")
    assert str(caught.value) == (
        f"Weights '{path}' are damaged: sha256 is {file_sha256(path)[:8]}…, expected 41ab41ab…. "
        "Delete the file and run again."
    )


def test_unknown_tag_suggests_the_closest():
    register(published_entry(None))
    with pytest.raises(UnknownNameError) as caught:
        load_detector("tiny", "papers")
    assert str(caught.value) == (
        "Unknown weights of tiny 'papers'. Did you mean 'paper'? Known: paper. "
        "A path to a safetensors file works too."
    )


def test_missing_file_is_said_to_be_missing(tmp_path: Path):
    register()
    for given in (tmp_path / "x", "no/such", "no.safetensors"):
        with pytest.raises(WeightsError, match=r"Cannot find weights file .* Give an existing"):
            load_detector("tiny", given)


def test_tag_that_can_only_be_imported_says_how():
    register(published_entry(None))
    assert load_detector("tiny").weights.weights == "untrained"
    with pytest.raises(WeightsError, match=r"cannot be downloaded.*weights import tiny FILE"):
        load_detector("tiny", "paper")


def test_unusable_device_is_a_usage_error():
    register()
    with pytest.raises(UsageError, match=r"Cannot use device 'abacus': .* such as 'cpu'"):
        load_detector("tiny", device="abacus")


# --- files that must not be loaded ---------------------------------------------------------


def test_keys_that_do_not_fit_are_shown(tmp_path: Path):
    register()
    state = {"layer.weight": torch.zeros(1, 4), "layer.scale": torch.zeros(1)}
    path = save(tmp_path / "x.safetensors", state)
    with pytest.raises(WeightsError) as caught:
        load_detector("tiny", path)
    assert str(caught.value) == (
        f"Weights '{path}' do not fit tiny: of 2 tensors 1 missing (layer.bias); "
        "1 unexpected (layer.scale); 1 of wrong shape (layer.weight is (1, 4), expected (1, 3)). "
        "Nothing was loaded; give weights made for tiny."
    )


def test_long_differences_are_cut_short(tmp_path: Path):
    register()
    path = save(tmp_path / "x.safetensors", {f"k{i}": torch.zeros(1) for i in range(9)})
    with pytest.raises(WeightsError, match=r"9 unexpected \(k0, k1, k2, k3, …\)"):
        load_detector("tiny", path)


def test_file_of_another_detector_is_refused(tmp_path: Path):
    register()
    path = save(tmp_path / "x.safetensors", detector="huge")
    with pytest.raises(WeightsError, match="are for detector 'huge', expected 'tiny'"):
        load_detector("tiny", path)


def test_values_that_are_not_finite_are_refused(tmp_path: Path):
    register()
    bad = {**STATE, "layer.bias": torch.tensor([float("nan")])}
    with pytest.raises(WeightsError, match=r"not finite, in 1 of 2 tensors \(layer.bias\)"):
        save(tmp_path / "x.safetensors", bad)
    path = tmp_path / "y.safetensors"
    safetensors.torch.save_file(bad, path)
    with pytest.raises(WeightsError, match=r"not finite, in 1 of 2 tensors \(layer.bias\)"):
        load_detector("tiny", path)


def test_changed_values_are_damage(tmp_path: Path):
    register()
    path = save(tmp_path / "x.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"are damaged: sha256 is .*Delete the file and run"):
        load_detector("tiny", path)


@pytest.mark.parametrize(
    "data", [b"", b"12345678", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]", b"\x04\0\0\0\0\0\0\0{}"]
)
def test_what_is_not_safetensors_is_refused(tmp_path: Path, data: bytes):
    register()
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_detector("tiny", path)


def test_truncated_file_is_refused(tmp_path: Path):
    register()
    path = save(tmp_path / "x.safetensors")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        load_detector("tiny", path)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".h5", ".ckpt"])
def test_published_formats_are_not_loaded_directly(tmp_path: Path, suffix: str):
    register()
    path = tmp_path / f"x{suffix}"
    torch.save(STATE, path)
    with pytest.raises(WeightsError) as caught:
        load_detector("tiny", path)
    assert str(caught.value) == (
        f"Cannot load '{path}' directly: it is a published file ({suffix}), expected safetensors. "
        f"Run: unmask weights import tiny {path}"
    )


# --- our files ------------------------------------------------------------------------------


def test_saved_file_says_what_it_is(tmp_path: Path):
    metadata = read_metadata(save(tmp_path / "x.safetensors"))
    assert metadata["detector"] == "tiny"
    assert metadata["trained_on"] == "my data"
    assert {"created", "unmask_version", "tensors_sha256", "source_sha256"} <= set(metadata)


def test_existing_file_is_kept_when_equal_and_never_overwritten(tmp_path: Path):
    path = save(tmp_path / "x.safetensors")
    before = path.read_bytes()
    assert save(path) == path
    assert path.read_bytes() == before
    with pytest.raises(OutputError, match="it exists with other contents"):
        save(path, {**STATE, "layer.bias": torch.tensor([9.0])})
    path.write_bytes(b"somebody's letter")
    with pytest.raises(OutputError, match="it exists with other contents"):
        save(path)
    assert path.read_bytes() == b"somebody's letter"


def test_folder_that_cannot_be_made_is_one_error(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"Cannot write .* Choose another place"):
        save(tmp_path / "file" / "x.safetensors")


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch):
    def fail(self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(tmp_path / "x", b"data")
    assert files_in(tmp_path) == []
