"""Several videos side by side: the table at the end, and the CSV file."""

import csv
import dataclasses

import pytest

from unmask.pipeline import scan as river
from unmask.report.table import COLUMNS
from unmask.types import Finding
from verdict_builders import scores, verdict


@pytest.fixture
def judged(monkeypatch):
    """Every scan finds the same, with numbers: what the table shows does not hang on weights."""
    real = river.scan
    numbers = {"probability": 0.9612, "llr": 3.21, "probability_interval": (0.912, 0.978)}
    (face,) = verdict(scores(3.21)).faces
    face = dataclasses.replace(face, judgement=dataclasses.replace(face.judgement, **numbers))

    def scan(path, *args, **kwargs):
        if path.name == "burst.mp4":
            raise RuntimeError("a pipe burst")
        found = real(path, *args, **kwargs)
        decided = {"faces": (face,), "decided_by": face.track_id}
        return dataclasses.replace(found, finding=Finding.MANIPULATED, **decided)

    monkeypatch.setattr(river, "scan", scan)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_table_closes_several_scans(scan_cli, no_face_video, text_mp4, judged):
    ran = scan_cli(no_face_video, text_mp4, "burst.mp4")
    assert ran.code == 1
    table = ran.out.partition("\n\n")[2].splitlines()
    assert table[0].split("  ")[0] == "video"
    row = "no_face.mp4 Signs of manipulation found 96 % 91 % to 98 % +3.21"
    assert table[1].split() == row.split()
    assert [line.split("  ")[0] for line in table[2:]] == ["text.mp4", "burst.mp4"]
    assert all(line.endswith("could not be scanned") for line in table[2:])


def test_one_video_gets_no_table(scan_cli, no_face_video, judged):
    assert "\n\n" not in scan_cli(no_face_video).out


def test_json_lines_get_no_table(scan_cli, no_face_video, one_frame_video, judged):
    ran = scan_cli(no_face_video, one_frame_video, "--json")
    assert len(ran.out.splitlines()) == 2


def test_the_csv_has_a_row_for_each_input_in_order(
    scan_cli, no_face_video, text_mp4, tmp_path, judged
):
    out = tmp_path / "new" / "found.csv"
    ran = scan_cli(no_face_video, text_mp4, "burst.mp4", "--csv", out)
    assert ran.code == 1
    first, second, third = rows_of(out)
    assert tuple(first) == COLUMNS
    assert (first["path"], first["finding"]) == (str(no_face_video), "manipulated")
    assert (first["probability"], first["probability_low"]) == ("0.9612", "0.912")
    assert first["llr"] == "3.21"
    assert (second["path"], second["finding"]) == (str(text_mp4), "")
    assert second["error"].startswith("Cannot read 'text.mp4'")
    assert third["error"].startswith("Something unexpected went wrong: RuntimeError: a pipe burst")


def test_the_csv_of_one_video_and_beside_json(scan_cli, no_face_video, tmp_path):
    out = tmp_path / "found.csv"
    ran = scan_cli(no_face_video, "--csv", out, "--json")
    assert ran.out.startswith("{")
    (row,) = rows_of(out)
    assert row["finding"] == "no_face"
    assert row["probability"] == ""


def test_an_old_table_is_not_replaced_unless_asked(scan_cli, no_face_video, tmp_path, monkeypatch):
    out = tmp_path / "found.csv"
    out.write_text("old")
    ran = scan_cli(no_face_video, "--csv", out)
    assert ran.code == 1
    assert ran.error == (
        f"Cannot write '{out}': it exists. Add --overwrite, or give another file with --csv."
    )
    assert out.read_text() == "old"
    assert scan_cli(no_face_video, "--csv", out, "--overwrite").code == 0
    assert len(rows_of(out)) == 1


def test_what_is_read_is_never_the_table(scan_cli, no_face_video):
    before = no_face_video.read_bytes()
    ran = scan_cli(no_face_video, "--csv", no_face_video, "--overwrite")
    assert ran.code == 1
    assert ran.error.endswith("it is what is to be read. Give another file with --csv.")
    assert no_face_video.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told_before_the_scan(
    scan_cli, no_face_video, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setattr(river, "scan", lambda *a, **k: pytest.fail("it scanned"))
    ran = scan_cli(no_face_video, "--csv", tmp_path / "file" / "found.csv")
    assert ran.code == 1
    assert ran.error.startswith(f"Cannot write to the folder '{tmp_path / 'file'}': ")
    assert ran.error.endswith("Give another file with --csv.")


def test_a_stopped_scan_leaves_the_rows_that_were_finished(
    scan_cli, no_face_video, tmp_path, monkeypatch
):
    real = river.scan
    seen = []

    def stopped(path, *args, **kwargs):
        if seen:
            raise KeyboardInterrupt
        seen.append(path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(river, "scan", stopped)
    out = tmp_path / "found.csv"
    assert scan_cli(no_face_video, "burst.mp4", "--csv", out).code == 130
    assert [row["path"] for row in rows_of(out)] == [str(no_face_video)]
    assert sorted(tmp_path.iterdir()) == [out]
