"""What all data sets share: names, choices, roots, people on one side, the report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dataset_trees import touch, touch_faceforensics
from unmask import datasets
from unmask.datasets import (
    check_dataset,
    check_splits,
    get_adapter,
    list_datasets,
    read_dataset,
    read_folder,
    require_masks,
)
from unmask.errors import DataError, UnknownNameError
from unmask.types import LabelledVideo

OWN = ("csv", "folder", "minibench", "minibench_other")
PUBLISHED = [name for name in list_datasets() if name not in OWN]


def row(name: str = "a", split: str = "train", **more: object) -> LabelledVideo:
    given = {"label": 0, "dataset": "toy", "video_id": name, **more}
    return LabelledVideo(path=Path(f"{name}.mp4"), split=split, **given)


def test_every_module_registers_its_layouts():
    folder = Path(datasets.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    readers = {get_adapter(name).read for name in list_datasets()}
    homes = {reader.__module__.rpartition(".")[2] for reader in map(function_of, readers)}
    assert homes == modules
    assert list_datasets() == sorted(set(list_datasets()))
    assert set(OWN) < set(list_datasets())


def function_of(reader: Callable[..., object]) -> Callable[..., object]:
    return reader.func if isinstance(reader, partial) else reader


@pytest.mark.parametrize("name", list_datasets())
def test_every_layout_is_read_by_a_test_of_its_own(name: str):
    others = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    call = re.compile(rf'\b(read|check)\w*\(\s*"{name}"|\bread_{name}\(')
    assert any(call.search(path.read_text()) for path in others), f"no test reads {name}"


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_data_set_says_whose_it_is_and_how_to_get_it(name: str):
    adapter = get_adapter(name)
    assert adapter.name == name
    assert all([adapter.title, adapter.paper, adapter.license, adapter.layout])
    assert adapter.url.startswith("http")
    assert adapter.obtain.endswith(".")
    assert adapter.roots


def test_an_unknown_name():
    with pytest.raises(UnknownNameError, match=r"data set 'faceforensic'. Did you mean 'facefor"):
        read_dataset("faceforensic", ".")


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_empty_folder_and_none_at_all(name: str, tmp_path: Path):
    with pytest.raises(DataError, match=f"Cannot read {name} from .*: it is empty. Expected "):
        read_dataset(name, tmp_path)
    with pytest.raises(DataError, match=f"Cannot read {name} from .*: there is no such folder"):
        read_dataset(name, tmp_path / "nowhere")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_folder_of_something_else(name: str, tmp_path: Path):
    touch(tmp_path, "a/x.txt", "b.txt")
    with pytest.raises(DataError, match=r"expected .* in it, found a, b\.txt\. "):
        check_dataset(name, tmp_path)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"split": "valid"}, "Unknown split in this data set 'valid'. Did you mean 'val'?"),
        ({"methods": ["DeepFakes"]}, "Unknown method in this data set 'DeepFakes'. Did you mean"),
        ({"compressions": ["c41"]}, "level of compression in this data set 'c41'. .*Known: c23"),
    ],
)
def test_what_is_not_in_it_cannot_be_chosen(tmp_path: Path, chosen: dict, message: str):
    touch_faceforensics(tmp_path)
    with pytest.raises(DataError, match=message):
        read_dataset("faceforensics", tmp_path, **chosen)


def test_folder_reads_as_read_folder_does(tmp_path: Path):
    touch(tmp_path, "real/a.mp4", "fake/SadTalker/a.mp4", "real/b.png")
    assert read_dataset("folder", tmp_path) == read_folder(tmp_path)
    assert check_dataset("folder", tmp_path).is_complete


def test_nobody_may_stand_in_two_splits():
    check_splits([row("a", identities=("ann",)), row("b", "test", identities=("bob",))])
    many = [
        row(f"{name}{split}", split, identities=(f"p{name:02}",))
        for name in range(12)
        for split in ("val", "train")
    ]
    with pytest.raises(DataError) as error:
        check_splits(many)
    message = str(error.value)
    assert message.startswith(
        "12 identities on both sides: p00 (train and val), p01 (train and val),"
    )
    assert "p09 (train and val) and 2 more. Expected each person in one split only" in message
    assert message.endswith("Read only one split (split=…), or split the data by people.")


def test_a_person_is_the_same_one_in_another_data_set_but_a_source_is_not():
    with pytest.raises(DataError, match=r"1 identity on both sides: ff/000"):
        check_splits(
            [
                row(identities=("ff/000",)),
                row(split="test", dataset="other", identities=("ff/000", "x")),
            ]
        )
    check_splits([row(source_id="a"), row(split="test", dataset="other", source_id="a")])
    with pytest.raises(DataError, match="toy:a"):
        check_splits([row(source_id="a"), row(split="test", source_id="a")])


def test_masks_that_a_recipe_needs():
    masked = row("a", label=1, method="F2F", mask_path=Path("m.mp4"))
    require_masks([row(), masked])
    with pytest.raises(DataError) as error:
        require_masks([row(), masked, replace(masked, path=Path("b.mp4"), mask_path=None)])
    assert str(error.value) == (
        "1 of 2 fake files have no mask, but this recipe learns from masks: b.mp4 (of F2F). "
        "Fetch the masks, leave those methods out (--method names the others), or make "
        "pseudo-forgeries: --set synthesize=self_blend."
    )


def lines_with(lines: Iterable[str], word: str) -> list[str]:
    return [line for line in lines if word in line]


def test_the_report_names_ten_and_counts_the_rest(tmp_path: Path):
    ids = [(f"{number:03}", f"{number + 500:03}") for number in range(14)]
    touch_faceforensics(tmp_path, ids=ids, compressions=("c23",))
    for a, b in ids[:12]:
        (tmp_path / f"manipulated_sequences/Deepfakes/masks/videos/{a}_{b}.mp4").unlink()
    report = check_dataset("faceforensics", tmp_path)
    assert report.missing_masks.count == 12
    assert len(report.missing_masks.first) == 10
    (line,) = lines_with(report.lines(), "missing masks")
    assert line.startswith("missing masks: 12 (Deepfakes/000_500, ")
    assert line.endswith("and 2 more). Detectors that learn masks need them.")
    assert "splits: test 4, train 48, val 4" in report.lines()
    assert report.lines()[-1] == "NOT complete"
