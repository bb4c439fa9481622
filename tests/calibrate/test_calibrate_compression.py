from __future__ import annotations

from pathlib import Path

from unmask.calibrate.compression import Compression, measure_compression
from unmask.types import LabelledVideo


def test_compression_is_measured_once(tmp_path: Path, portrait_video: Path):
    row = LabelledVideo(path=portrait_video, label=0, dataset="set", split="val")
    lines: list[str] = []
    for _ in range(2):
        found = measure_compression(
            [row], portrait_video.parent, ["", "half_size"], tmp_path / "c.json", lines.append
        )
    assert len(lines) == 2
    assert found[portrait_video.name, ""].codec == "h264"
    assert (found[portrait_video.name, "half_size"].bits or 0) > 0


def test_a_file_that_is_no_video_has_no_known_compression(tmp_path: Path):
    path = tmp_path / "x.mp4"
    path.write_bytes(b"no video")
    row = LabelledVideo(path=path, label=0, dataset="set", split="val")
    found = measure_compression([row], tmp_path, [""], tmp_path / "c.json")
    assert found == {("x.mp4", ""): Compression(None, "")}
