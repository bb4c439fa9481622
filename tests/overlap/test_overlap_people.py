"""Persons by name: lists, a file of one's own, file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmask.errors import DataError
from unmask.overlap.people import compare_people, read_people
from unmask.types import LabelledVideo


def row(path: str, split: str, **more) -> LabelledVideo:
    return LabelledVideo(path=Path(path), label=0, dataset="d", split=split, **more)


def test_identities_and_subjects_on_two_sides_are_named_with_their_files():
    rows = [
        row("a.mp4", "train", identities=("ann", "ben")),
        row("b.mp4", "val", subject="ann"),
        row("c.mp4", "val", identities=("cem",)),
        row("d.mp4", "train"),
    ]
    found = compare_people(rows)
    (ann,) = found.shared
    assert (ann.name, ann.sides, ann.files) == (
        "ann",
        ("train", "val"),
        (Path("a.mp4"), Path("b.mp4")),
    )
    assert (found.named, found.unnamed) == (3, 1)


def test_a_source_holds_videos_together_where_nobody_is_named():
    rows = [row("a.mp4", "train", source_id="7"), row("b.mp4", "val", source_id="7")]
    found = compare_people(rows)
    assert [person.name for person in found.shared] == ["source d:7"]
    assert found.named == 0


def test_a_source_holds_together_a_file_that_names_people_and_one_that_does_not():
    rows = [
        row("a.mp4", "train", source_id="7"),
        row("a_fake.mp4", "val", source_id="7"),
        row("b.mp4", "train", source_id="8", identities=("ben",)),
        row("b_fake.mp4", "val", source_id="8", identities=("ben",)),
    ]
    found = compare_people(rows, {Path("a.mp4"): ("Ann",)})
    assert [person.name for person in found.shared] == ["ben", "source d:7"]


def test_words_of_file_names_are_hints_unless_many_files_bear_them():
    rows = [row(f"clip_{i}_Obama.mp4", "train") for i in range(2)]
    rows += [row("uncrop_Obama.mp4", "val")]
    rows += [row(f"studio{i}.mp4", ("train", "val")[i % 2]) for i in range(20)]
    found = compare_people(rows)
    assert [word.name for word in found.words] == ["obama"]
    assert found.shared == ()


def test_a_list_of_people_is_joined_by_the_end_of_the_path(tmp_path):
    rows = [row("/data/train/ann.mp4", "train"), row("/data/val/x.mp4", "val")]
    people = tmp_path / "people.csv"
    people.write_text("path,person\ntrain/ann.mp4,Ann\nx.mp4,Ann\nx.mp4,Ben\n")
    known = read_people(people, rows)
    assert known == {Path("/data/train/ann.mp4"): ("Ann",), Path("/data/val/x.mp4"): ("Ann", "Ben")}
    assert [person.name for person in compare_people(rows, known).shared] == ["Ann"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,person\ny.mp4,Ann\n", "line 2: 'y.mp4': no file that is compared ends so"),
        ("path,person\nx.mp4,Ann\n", "line 2: 'x.mp4': 2 files end so"),
        ("path,person\na/x.mp4,\n", "line 2: expected a path and a person, got path='a/x.mp4'"),
        ("file,who\nx.mp4,Ann\n", "line 2: expected a path and a person, got path=''"),
    ],
)
def test_a_list_of_people_that_does_not_fit_is_refused(tmp_path, text, message):
    people = tmp_path / "people.csv"
    people.write_text(text)
    with pytest.raises(DataError) as caught:
        read_people(people, [row("a/x.mp4", "train"), row("b/x.mp4", "val")])
    assert message in str(caught.value)


def test_a_list_of_people_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read '.*none\.csv'.*columns path and person"):
        read_people(tmp_path / "none.csv", [])
