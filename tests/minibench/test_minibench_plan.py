"""Who comes into which split: people, never videos, are dealt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from unmask.errors import DataError
from unmask.minibench import plan as planning
from unmask.minibench.plan import Plan, choose, plan_from_json, plan_to_json, read_people
from unmask.minibench.settings import Settings
from unmask.minibench.survey import Stretch
from unmask.workers import Workers


@pytest.fixture(autouse=True)
def _every_video_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """But those whose name begins with "no"."""

    def look(path: Path, seconds: float, longest_px: int) -> Stretch:
        if path.name.startswith("no"):
            raise DataError("no face was found")
        return Stretch(
            sha256=path.name,
            first_frame=0,
            frames=round(25 * seconds),
            fps="25",
            crop_px=(0, 0, longest_px, longest_px),
            face_px=80.0,
        )

    monkeypatch.setattr(planning, "find_stretch", look)


def chosen(names: Sequence[str], people: dict[str, str] | None = None, **given: int) -> Plan:
    who = {name: (people or {}).get(name, name) for name in names}
    return choose(Path("real"), who, Settings(**given), Workers(), lambda done: None)


def sizes(plan: Plan) -> dict[tuple[str, str], int]:
    places = [(source.part, source.split) for source in plan.sources]
    return {place: places.count(place) for place in sorted(set(places))}


NAMES = [f"{number}.mp4" for number in range(40)]


def test_the_small_setting():
    plan = chosen(NAMES)
    assert sizes(plan) == {
        ("main", "train"): 6,
        ("main", "val"): 3,
        ("main", "test"): 3,
        ("other", "test"): 4,
    }
    assert [source.name for source in plan.sources] == [f"{n:03d}" for n in range(16)]
    assert len({source.seed for source in plan.sources}) == 16


@pytest.mark.parametrize("count", range(4, 17))
def test_with_fewer_videos_every_place_still_has_somebody(count: int):
    plan = chosen(NAMES[:count])
    assert len(plan.sources) == count
    assert len(sizes(plan)) == 4


def test_without_a_second_tree():
    plan = chosen(NAMES[:3], other=0)
    assert set(sizes(plan)) == {("main", "train"), ("main", "val"), ("main", "test")}


def test_too_few_people():
    with pytest.raises(
        DataError, match=r"at least 4 people .* found 3\. Not usable: 'no\.mp4': no"
    ):
        chosen([*NAMES[:3], "no.mp4"])
    with pytest.raises(
        DataError, match=r"\(one for each split\) with a face for 3 s, found 2\. Add"
    ):
        chosen(NAMES[:2], other=0)
    with pytest.raises(DataError, match="found 1"):
        chosen(NAMES, dict.fromkeys(NAMES, "ann"))


def test_people_of_many_videos_leave_room_for_others():
    people = {name: f"person {number // 20}" for number, name in enumerate(NAMES)}
    people |= {"x.mp4": "cem", "y.mp4": "dora"}
    plan = chosen([*NAMES, "x.mp4", "y.mp4"], people)
    assert len(plan.sources) == 16
    assert {source.person for source in plan.sources} == set(people.values())
    assert len(sizes(plan)) == 4


def test_a_person_is_never_parted():
    people = {name: f"person {number // 3}" for number, name in enumerate(NAMES)}
    plan = chosen(NAMES, people, videos=24, other=6)
    places: dict[str, set[tuple[str, str]]] = {}
    for source in plan.sources:
        places.setdefault(source.person, set()).add((source.part, source.split))
    assert all(len(where) == 1 for where in places.values())
    assert len(sizes(plan)) == 4


def test_videos_that_do_not_serve_are_replaced_by_others():
    plan = chosen(["no1.mp4", "no2.mp4", *NAMES[:16]])
    assert len(plan.sources) == 16
    assert all(reason == "no face was found" for reason in plan.skipped.values())


def test_a_seed_draws_the_same_people_and_another_seed_others():
    def files(seed: int) -> list[str]:
        return [source.file for source in chosen(NAMES, seed=seed).sources]

    assert files(1) == files(1)
    assert set(files(1)) != set(files(2))


def test_a_plan_is_read_as_it_was_written():
    plan = chosen([*NAMES[:6], "no.mp4"])
    assert plan_from_json(plan_to_json(plan)) == plan


def test_people_from_a_list(tmp_path: Path):
    file = tmp_path / "people.csv"
    file.write_text("path,person\na.mp4,ann\nsub/b.mp4,ann\n")
    assert read_people(file, ["a.mp4", "sub/b.mp4", "c.mp4"]) == {
        "a.mp4": "ann",
        "sub/b.mp4": "ann",
        "c.mp4": "c.mp4",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,who\na.mp4,ann\n", "line 2 lacks a path or a person. Expected a first line 'path,"),
        ("path,person\na.mp4,\n", "line 2 lacks a path or a person"),
        ("path,person\na.mp4,ann\na.mp4,ben\n", "'a.mp4' in line 3 stands in two lines. Give"),
        ("path,person\nz.mp4,ann\n", "'z.mp4' in line 2 is no video of the folder. Give each"),
    ],
)
def test_a_list_of_people_that_is_wrong(tmp_path: Path, text: str, message: str):
    file = tmp_path / "people.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_people(file, ["a.mp4"])


def test_a_list_of_people_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError, match=r"Cannot read '.*people.csv': .*Give a CSV with path,per"):
        read_people(tmp_path / "people.csv", [])
