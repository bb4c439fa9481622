"""The networks against the authors' Keras code, through a file in the published layout."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import torch

from unmask.checkpoints.safetensors_file import read_metadata
from unmask.detectors import get_card
from unmask.errors import MissingDependencyError, WeightsError
from unmask.nn.keras import flatten_hwc, read_layers
from unmask.weights import import_weights, load_detector

FIXTURES = Path(__file__).parents[1] / "fixtures"
TOLERANCE = 1e-5

# The published files number layers within a Keras session: Meso4 came second, from 5 (or 3) on.
MESO4_NAMES = {
    **{f"conv{i}": f"conv2d_{i + 4}" for i in range(1, 5)},
    **{f"bn{i}": f"batch_normalization_{i + 4}" for i in range(1, 5)},
    "dense1": "dense_3",
    "dense2": "dense_4",
}
BRANCHES = ["1_1x1", "2_1x1", "2_3x3", "3_1x1", "3_3x3", "4_1x1", "4_3x3"]
INCEPTION_NAMES = {
    **{f"inception1.branch{b}": f"conv2d_{i}" for i, b in enumerate(BRANCHES, 1)},
    **{f"inception2.branch{b}": f"conv2d_{i}" for i, b in enumerate(BRANCHES, 8)},
    "conv1": "conv2d_15",
    "conv2": "conv2d_16",
    "dense1": "dense_1",
    "dense2": "dense_2",
    **{f"bn{i}": f"batch_normalization_{i}" for i in range(1, 5)},
}
KERAS_PARTS = {"running_mean": "moving_mean", "running_var": "moving_variance"}
CASES = [
    pytest.param("meso4", MESO4_NAMES, id="meso4"),
    pytest.param("mesoinception4", INCEPTION_NAMES, id="mesoinception4"),
]


def write_keras(path: Path, arrays: dict[str, np.ndarray], names: dict[str, str]) -> Path:
    """Writes a state dict as Keras 2.1.5 does: LAYER/LAYER/PART:0, kernels (kh, kw, in, out)."""
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            module, _, part = key.rpartition(".")
            layer = names[module]
            if part == "weight":
                part = "gamma" if array.ndim == 1 else "kernel"
            elif part == "bias" and module.startswith("bn"):
                part = "beta"
            stored = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
            file[f"{layer}/{layer}/{KERAS_PARTS.get(part, part)}:0"] = stored
        file.create_group("flatten_1")  # Layers without weights are listed too.
    return path


@pytest.mark.parametrize(("name", "layer_names"), CASES)
def test_agrees_with_the_authors_code(
    name: str, layer_names: dict[str, str], formula: ModuleType, tmp_path: Path
):
    fixture = formula.load(FIXTURES / f"{name}_keras.json")
    arrays = formula.build_state_dict(fixture, as_torch=False)
    source = write_keras(tmp_path / "published.h5", arrays, layer_names)
    out = import_weights(name, source, tmp_path / "ours.safetensors")
    net = load_detector(name, out).network

    flat: list[torch.Tensor] = []
    net.dense1.register_forward_pre_hook(lambda _module, inputs: flat.append(inputs[0]))
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    with torch.no_grad():
        output = net(pictures[:, :, None])

    expected, inner = case["outputs"], case["intermediates"]
    assert formula.compare(flat[0], inner["flatten_hwc"]) < TOLERANCE
    assert formula.compare(output.embedding, inner["dense1"]) < TOLERANCE
    # The published number is P(real); ours is turned round.
    published = -output.logit[:, None]
    assert formula.compare(published, expected["logit"]) < TOLERANCE
    assert formula.compare(published.sigmoid(), expected["probability"]) < TOLERANCE


def test_parity_needs_the_leaky_relu(formula: ModuleType):
    """Guards the default of ``leaky`` and shows that the comparison can fail."""
    fixture = formula.load(FIXTURES / "meso4_keras.json")
    case = fixture["cases"][0]
    (pictures,) = formula.build_inputs(case)
    state = formula.build_state_dict(fixture)
    deviation = {}
    for leaky in (True, False):
        net = type(get_card("meso4").build())(leaky=leaky).eval()
        net.load_state_dict(state)
        with torch.no_grad():
            logit = -net(pictures[:, :, None]).logit[:, None]
        deviation[leaky] = formula.compare(logit, case["outputs"]["logit"])
    assert deviation[True] < TOLERANCE
    assert deviation[False] > 0.01
    assert get_card("meso4").args == {"leaky": True}


@pytest.mark.parametrize(("name", "layer_names"), CASES)
def test_other_network_is_refused(
    name: str, layer_names: dict[str, str], formula: ModuleType, tmp_path: Path
):
    fixture = formula.load(FIXTURES / f"{name}_keras.json")
    arrays = formula.build_state_dict(fixture, as_torch=False)
    source = write_keras(tmp_path / "published.h5", arrays, layer_names)
    (other,) = {"meso4", "mesoinception4"} - {name}
    with pytest.raises(WeightsError, match=r"have other layers: expected 4 batch_normalization, "):
        import_weights(other, source, tmp_path / "ours.safetensors")
    assert not (tmp_path / "ours.safetensors").exists()


@pytest.mark.parametrize("name", ["meso4", "mesoinception4"])
@pytest.mark.parametrize("tag", ["df", "f2f"])
def test_published_files_are_recognized(name: str, tag: str, shared_folder: Path, tmp_path: Path):
    (entry,) = [weights for weights in get_card(name).weights if weights.tag == tag]
    assert entry.url is not None
    source = shared_folder / "checkpoints" / "mesonet" / entry.url.rpartition("/")[2]
    if not source.is_file():
        pytest.skip(f"needs the published file {source}")
    assert source.stat().st_size == entry.size_bytes
    out = import_weights(name, source, tmp_path / "ours.safetensors")
    assert read_metadata(out)["tag"] == tag
    assert read_metadata(out)["source_sha256"] == entry.sha256
    net = load_detector(name, out)
    assert net.weights.license == "Apache-2.0"
    with torch.no_grad():
        assert net(torch.full((1, 3, 1, 256, 256), 0.5)).logit.isfinite().all()


def test_more_than_one_frame_is_refused():
    net = get_card("meso4").build().eval()
    with pytest.raises(RuntimeError):
        net(torch.zeros(1, 3, 2, 256, 256))


def test_flatten_is_height_width_channel():
    maps = torch.arange(2 * 3 * 4).reshape(1, 2, 3, 4)
    assert flatten_hwc(maps)[0, :4].tolist() == [0, 12, 1, 13]


def test_layers_are_ordered_by_number_not_by_name(tmp_path: Path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for number in (10, 9, 11):
            file[f"dense_{number}/dense_{number}/bias:0"] = np.full(1, number, np.float32)
        file["dense/dense/bias:0"] = np.zeros(1, np.float32)
    assert [float(layer["bias"][0]) for layer in read_layers(path)["dense"]] == [0, 9, 10, 11]


def test_links_to_other_files_are_not_followed(tmp_path: Path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["dense_1/bias:0"] = np.ones(3, np.float32)
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["dense_1"] = h5py.ExternalLink("secret.h5", "/dense_1")
    with pytest.raises(WeightsError, match=r"'dense_1' is a link\. Give the published file"):
        read_layers(path)


def test_absurd_sizes_are_refused_before_reading(tmp_path: Path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("dense_1/kernel:0", shape=(1 << 20, 1 << 20), dtype="f4", chunks=True)
    with pytest.raises(WeightsError, match="claims 4,398,046,511,104 bytes"):
        read_layers(path)


def test_not_hdf5_and_no_layers_are_refused(tmp_path: Path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"not hdf5")
    with pytest.raises(WeightsError, match=r"Cannot read .* as a Keras weights file"):
        read_layers(path)
    h5py.File(path, "w").close()
    with pytest.raises(WeightsError, match="Cannot find any layer with weights"):
        read_layers(path)


def test_missing_h5py_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError) as caught:
        read_layers(tmp_path / "x.h5")
    expected = "h5py is not installed. Install it with: pip install 'unmask[import]'"
    assert str(caught.value) == expected
