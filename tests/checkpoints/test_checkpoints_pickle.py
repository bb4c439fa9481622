"""Torch files are read without running them: whole modules, old formats, hostile ones."""

from __future__ import annotations

import importlib
import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from unmask.checkpoints.pickle_file import read_tensors
from unmask.errors import WeightsError
from unmask.weights import import_weights, load_detector

OLD_AND_NEW = pytest.mark.parametrize("new_format", [True, False], ids=["zip", "before 1.6"])


LOST_SOURCE = """
from torch import nn


class Wrapper(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.about = {"note": [1, "two"], "bag": {3}}
"""


@OLD_AND_NEW
def test_module_of_a_class_that_no_longer_exists(
    new_format: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "lost_network.py").write_text(LOST_SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    half = nn.Linear(3, 2, bias=False).half()
    inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), half)
    net = importlib.import_module("lost_network").Wrapper(inner)
    path = tmp_path / "whole.p"
    # Before 1.6 the file holds the class's source too, since it can be found.
    torch.save(net, path, _use_new_zipfile_serialization=new_format)
    del sys.modules["lost_network"]
    (tmp_path / "lost_network.py").unlink()
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError):
        torch.load(path, weights_only=False)
    state = read_tensors(path)
    expected = net.state_dict()
    assert list(state) == list(expected)
    for key, value in expected.items():
        assert state[key].dtype == value.dtype
        assert torch.equal(state[key], value)
    assert "lost_network" not in sys.modules


@OLD_AND_NEW
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model", "net"])
def test_state_dicts_are_read_as_torch_reads_them(
    wrapper: str | None, new_format: bool, tmp_path: Path
):
    numbers = torch.arange(24.0).reshape(2, 3, 4)
    state: dict[str, Tensor] = OrderedDict(
        {
            "module.turned": numbers.transpose(0, 2),
            "module.part": numbers[1, 1:],
            "module.count": torch.tensor(7),
            "module.none": torch.zeros(0, 3),
            "module.flags": torch.tensor([True, False]),
            "module.brain": torch.ones(2, dtype=torch.bfloat16),
            "module.parameter": nn.Parameter(numbers),
        }
    )
    whole = state if wrapper is None else {wrapper: state, "epoch": 3, "best": None}
    path = tmp_path / "x.pth"
    torch.save(whole, path, _use_new_zipfile_serialization=new_format)
    read = read_tensors(path)
    assert list(read) == [key.removeprefix("module.") for key in state]
    for key, value in state.items():
        got = read[key.removeprefix("module.")]
        assert got.dtype == value.dtype
        assert torch.equal(got, value)


class Bomb:
    """Makes a folder when it is unpickled by anything that runs code."""

    def __init__(self, crater: Path, how: str) -> None:
        self.crater, self.how = str(crater), how

    def __reduce__(self) -> tuple[object, ...]:
        if self.how == "call":
            return os.mkdir, (self.crater,)
        if self.how == "eval":
            return eval, (f"__import__('os').mkdir({self.crater!r})",)
        return getattr, (Bomb, "explode"), {"_modules": {}, "_parameters": {}}, iter([self.crater])


@OLD_AND_NEW
@pytest.mark.parametrize("how", ["call", "eval", "state"])
def test_code_in_a_file_is_never_run(how: str, new_format: bool, tmp_path: Path):
    crater = tmp_path / "crater"
    weight = torch.ones(2)
    path = tmp_path / "x.pth"
    for content in ({"weight": weight, "extra": Bomb(crater, how)}, Bomb(crater, how)):
        torch.save(content, path, _use_new_zipfile_serialization=new_format)
        try:
            state = read_tensors(path)
        except WeightsError:
            state = {}
        assert not crater.exists()
        assert all(isinstance(value, Tensor) for value in state.values())
    torch.save({"weight": weight, "extra": Bomb(crater, how)}, path)
    assert torch.equal(read_tensors(path)["weight"], weight)
    assert not crater.exists()


def test_the_bomb_would_go_off(tmp_path: Path):
    crater = tmp_path / "crater"
    torch.save(Bomb(crater, "call"), tmp_path / "x.pth")
    torch.load(tmp_path / "x.pth", weights_only=False)
    assert crater.is_dir()


def test_import_runs_no_code_either(tmp_path: Path):
    crater = tmp_path / "crater"
    source = tmp_path / "x.p"
    torch.save({"conv1.weight": torch.zeros(1), "x": Bomb(crater, "call")}, source)
    with pytest.raises(WeightsError, match="do not fit xception"):
        import_weights("xception", source, tmp_path / "out.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.p"]


@pytest.mark.slow
def test_a_whole_pickled_xception_is_imported(tmp_path: Path):
    net = load_detector("xception").network
    published = nn.Module()
    published.model = net.net
    published.model.last_linear = net.head
    torch.save(published, tmp_path / "all_c23.p", _use_new_zipfile_serialization=False)
    del net.net.last_linear
    out = import_weights(
        "xception", tmp_path / "all_c23.p", tmp_path / "x.safetensors", accept_license=True
    )
    got = load_detector("xception", out).network.state_dict()
    assert all(torch.equal(got[key], value) for key, value in net.state_dict().items())


def zipped(pickled: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data/0", bytes(64))
    return buffer.getvalue()


class Huge:
    """A tensor that claims more numbers than there are, by a stride of 0."""

    def __reduce__(self) -> tuple[object, ...]:
        return torch._utils._rebuild_tensor_v2, (Huge.Storage(), 0, (1 << 40,), (0,), False, None)

    class Storage:
        pass


def pickled_with_storage(thing: object) -> bytes:
    class Pickler(pickle.Pickler):
        def persistent_id(self, found: object) -> object:
            if isinstance(found, Huge.Storage):
                return ("storage", torch.FloatStorage, "0", "cpu", 16)
            return None

    buffer = io.BytesIO()
    Pickler(buffer, 2).dump(thing)
    return buffer.getvalue()


DAMAGED = {
    "empty": (b"", "Cannot read"),
    "text": (b"no weights here", "Cannot read"),
    "other pickle": (pickle.dumps([1, 2]), "not written by torch"),
    "cut": (zipped(pickle.dumps({"a": 1}))[:-30], "Cannot read"),
    "compressed": (zipped(pickle.dumps({"a": 1}), zipfile.ZIP_DEFLATED), "compressed archive"),
    "huge": (zipped(pickled_with_storage({"a": Huge()})), "larger than its numbers"),
    "without tensors": (zipped(pickle.dumps({"a": 1})), "Cannot find tensors with names"),
    "list": (zipped(pickle.dumps([1])), "expected a state dict or a pickled module"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_damaged_files_are_refused(what: str, tmp_path: Path):
    content, told = DAMAGED[what]
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=told) as raised:
        read_tensors(path)
    assert "Give the published file" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_truncated_old_file_is_refused(tmp_path: Path):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.ones(100)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(WeightsError, match=r"as a torch file \(truncated\)"):
        read_tensors(path)


def test_a_module_that_contains_itself_is_refused(tmp_path: Path):
    outer = nn.Module()
    outer._modules["inner"] = outer
    torch.save(outer, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="nested too deeply"):
        read_tensors(tmp_path / "x.pth")
