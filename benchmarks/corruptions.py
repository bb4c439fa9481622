"""How fast each corruption is, on a clip in memory and from file to file, and its memory.

    python -m benchmarks corruptions --video ../shared/media/val/real/ghost__videos-obama_short.mp4
    python -m benchmarks corruptions --part memory --video …

The video (720p30) is looped to 10 s. Times of clips count ``corrupt`` alone, fed with a second of
frames at a time; times of files count decoding, corrupting and encoding. Seconds of video are
given per second on the clock (above 1: faster than real time) and per second of processor time on
all cores, which other processes on the machine change less. Memory is the peak of a process that
corrupts a file of 10 s and of 60 s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _result
from benchmarks.speed import loop

SECONDS = 10
LONG_SECONDS = 60


def time_clips(video: Path, kind: str, severity: int) -> dict[str, Any]:
    """Times real time, without decoding."""
    from unmask.corruptions import corrupt
    from unmask.media import open_video

    spent = worked = length = 0.0
    with open_video(video) as opened:
        frames = opened.frames()
        chunk = round(opened.info.fps)
        while second := [frame.pixels for frame in islice(frames, chunk)]:
            clip = np.stack(second)
            start, start_worked = time.perf_counter(), time.process_time()
            corrupt(clip, kind, severity)
            spent += time.perf_counter() - start
            worked += time.process_time() - start_worked
            length += float(len(second) / opened.info.fps)
    return {
        "clip_times_real_time": round(length / spent, 2),
        "clip_s_per_processor_s": round(length / worked, 2),
    }


def time_file(video: Path, out: Path, kind: str, severity: int) -> dict[str, Any]:
    """Times real time from file to file, and the size of the copy."""
    from unmask.evaluate import corrupt_video
    from unmask.media import probe

    start, start_worked = time.perf_counter(), time.process_time()
    corrupt_video(video, out, kind, severity, overwrite=True)
    spent, worked = time.perf_counter() - start, time.process_time() - start_worked
    info = probe(out)
    return {
        "file_times_real_time": round(info.duration_s / spent, 2),
        "file_s_per_processor_s": round(info.duration_s / worked, 2),
        "file_megabit_per_s": round(info.size_bytes * 8e-6 / info.duration_s, 2),
    }


def peak_memory_mb(video: Path, out: Path, kind: str) -> int:
    """Of a process of its own."""
    command = [sys.executable, "-m", "benchmarks", "corruptions", "--measure", kind]
    done = subprocess.run(
        [*command, "--video", video, "--out", out], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def measure(video: Path, out: Path, kind: str) -> int:
    """Corrupts one file in this process; the peak of its memory in MB."""
    from unmask.evaluate import corrupt_video

    corrupt_video(video, out, kind, 3, overwrite=True)
    # Not ru_maxrss: a child starts with that of its parent.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def measure_speed(given: Path, folder: Path) -> dict[str, Any]:
    """All kinds and severities on one video."""
    from unmask.corruptions import CORRUPTIONS, SEVERITIES

    video, out = folder / "10s.mp4", folder / "out.mp4"
    loop(given, video, SECONDS)
    rows = []
    for kind in CORRUPTIONS:
        for severity in SEVERITIES:
            row: dict[str, Any] = {"kind": kind, "severity": severity}
            row |= time_clips(video, kind, severity)
            rows.append(row | time_file(video, out, kind, severity))
            print(rows[-1], flush=True)
    return {"video": given.name, "rows": rows}


def measure_memory(given: Path, folder: Path) -> dict[str, Any]:
    """One kind that changes pixels and the one that encodes, on a short and a long file."""
    found: dict[str, dict[str, int]] = {}
    for seconds in (SECONDS, LONG_SECONDS):
        video = folder / f"{seconds}s.mp4"
        loop(given, video, seconds)
        for kind in ("blur", "compression"):
            peak = peak_memory_mb(video, folder / "out.mp4", kind)
            found.setdefault(kind, {})[video.stem] = peak
            print(kind, video.stem, peak, "MB", flush=True)
    return {"video": given.name, "peak_memory_mb": found}


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks corruptions")
    parser.add_argument("--video", required=True, type=Path)
    parser.add_argument("--part", choices=("speed", "memory"), default="speed")
    parser.add_argument("--note", default="", help="what the reader should know of this run")
    parser.add_argument("--measure", metavar="KIND", help="(used by the benchmark itself)")
    parser.add_argument("--out", type=Path, help="(used by the benchmark itself)")
    given = parser.parse_args(arguments)
    if given.measure:
        print(measure(given.video, given.out, given.measure))
        return 0
    is_memory = given.part == "memory"
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        content = (measure_memory if is_memory else measure_speed)(given.video, Path(folder))
    content |= {"note": given.note, "load_before": round(load, 1)}
    content["load_after"] = round(os.getloadavg()[0], 1)
    command = f"python -m benchmarks corruptions --part {given.part} --video {given.video}"
    print(_result.write("corruptions_memory" if is_memory else "corruptions", command, content))
    return 0
