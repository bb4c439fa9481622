from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from benchmarks import join as tool
from scripted_faces import row
from unmask.checkpoints import save_weights
from unmask.detectors import build, get_card
from unmask.errors import DataError, OutputError, UsageError
from unmask.prepare import prepare
from unmask.weights import load_detector


def write(path: Path, seed: int, **args: object) -> str:
    """Weights of an untrained screener, with its arguments."""
    card = get_card("screener").changed(args=args)
    torch.manual_seed(seed)
    state = build(card).state_dict()
    save_weights(
        state,
        path,
        detector="screener",
        tag="toy",
        license="MIT",
        trained_on=f"noise {seed}",
        args=card.args,
        input=card.input,
    )
    return str(path)


def test_the_joined_file_votes_as_its_members(tmp_path: Path):
    members = [write(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2, 3)]
    joined = load_detector("screener", tool.join("screener", members, tmp_path / "all.safetensors"))
    faces = 255 * torch.rand(2, 3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        alone = [load_detector("screener", file)(faces).logit for file in members]
        together = joined(faces).logit
    assert joined.card.args["members"] == 3
    torch.testing.assert_close(together, torch.stack(alone).mean(dim=0))
    assert joined.weights.trained_on == "noise 1; noise 2; noise 3"
    assert joined.weights.license == "MIT"


def test_members_must_be_of_one_network(tmp_path: Path):
    members = [
        write(tmp_path / "a.safetensors", 1),
        write(tmp_path / "b.safetensors", 2, residual=False),
    ]
    with pytest.raises(UsageError, match=r"than '.*a\.safetensors': residual=False"):
        tool.join("screener", members, tmp_path / "all.safetensors")
    assert not (tmp_path / "all.safetensors").exists()


def test_the_same_weights_do_not_vote_twice(tmp_path: Path):
    file = write(tmp_path / "a.safetensors", 1)
    with pytest.raises(UsageError, match="given twice"):
        tool.join("screener", [file, file], tmp_path / "all.safetensors")


def test_one_file_is_not_joined(tmp_path: Path):
    file = write(tmp_path / "a.safetensors", 1)
    with pytest.raises(UsageError, match="at least two"):
        tool.join("screener", [file], tmp_path / "all.safetensors")


def test_joined_weights_are_not_joined_again(tmp_path: Path):
    members = [write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2)]
    both = tool.join("screener", members, tmp_path / "both.safetensors")
    with pytest.raises(UsageError, match="has several members already"):
        tool.join("screener", [members[0], str(both)], tmp_path / "all.safetensors")


def test_a_detector_without_members_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="its networks have no members"):
        tool.join("meso4", ["a", "b"], tmp_path / "all.safetensors")


def test_another_file_is_not_overwritten(tmp_path: Path):
    members = [write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2)]
    out = tmp_path / "all.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists with other contents"):
        tool.join("screener", members, out)
    assert out.read_bytes() == b"mine"


def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    members = [write(tmp_path / "a.safetensors", 1), write(tmp_path / "b.safetensors", 2)]
    out = tmp_path / "all.safetensors"
    assert tool.main(["screener", "-w", members[0], "-w", members[1], "-o", str(out)]) == 0
    assert f"{out}: 2 members" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        tool.main(["screener", "-w", members[0], "-o", str(tmp_path / "other.safetensors")])
    assert stop.value.code == 2
    assert "at least two" in capsys.readouterr().err


@pytest.fixture(scope="module")
def real_faces(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Photographs of one face, each cropped otherwise."""
    folder = tmp_path_factory.mktemp("photographs")
    portrait = np.ascontiguousarray(astronaut()[..., :3])[18:218, 122:322]
    files = [folder / f"{number}.png" for number in range(3)]
    for number, file in enumerate(files):
        Image.fromarray(np.roll(portrait, 4 * number, axis=0)).save(file)
    return files


def prepared(files: list[Path], split: str, out: Path) -> Path:
    rows = [dataclasses.replace(row(file, 0), split=split) for file in files]
    return prepare(rows, out).path


def test_as_much_is_marked_as_was_forged(tmp_path: Path, real_faces: list[Path]):
    members = [write(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    faces = prepared(real_faces, "train", tmp_path / "faces")
    plain = tool.join("screener", members, tmp_path / "plain.safetensors")
    moved = tool.join("screener", members, tmp_path / "moved.safetensors", faces=faces, pairs=6)
    before, after = (load_detector("screener", file).network for file in (plain, moved))
    by = after.mask_head.bias - before.mask_head.bias
    assert by.abs() > 1e-3
    torch.testing.assert_close(after.others[0].mask_head.bias - before.others[0].mask_head.bias, by)
    # The very forgeries that it was set by: nothing is left to move.
    left = tool.mask_offset(
        after.state_dict(), get_card("screener").changed(args={"members": 2}), faces, 6
    )
    assert abs(left) < 1e-3 * by.abs().item()
    pictures = 255 * torch.rand(1, 3, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(after(pictures).logit, before(pictures).logit)


def test_faces_of_validation_set_no_mask(tmp_path: Path, real_faces: list[Path]):
    members = [write(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2)]
    faces = prepared(real_faces, "val", tmp_path / "faces")
    with pytest.raises(DataError, match="holds faces of val: give those of train alone"):
        tool.join("screener", members, tmp_path / "all.safetensors", faces=faces)
    assert not (tmp_path / "all.safetensors").exists()
