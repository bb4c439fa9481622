"""How fast a scan is, where the time goes, and how much memory it takes.

    python -m benchmarks speed --video ../shared/media/val/real/ghost__videos-obama_short.mp4

The video (720p30, one talking head) is looped to at least 10 s and 10 minutes, packet by packet;
each length is scanned in a process of its own. Times count everything after Python's start:
loading torch and the weights stands in a column of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av

from benchmarks import _result


def loop(source: Path, target: Path, seconds: float) -> None:
    """Repeats the first video stream of a file, packet by packet, to about ``seconds``."""
    with av.open(str(source)) as given, av.open(str(target), "w") as out:
        stream = given.streams.video[0]
        copy = out.add_stream_from_template(stream)
        packets = [p for p in given.demux(stream) if p.dts is not None and p.pts is not None]
        length = max(p.pts + (p.duration or 0) for p in packets) - min(p.pts for p in packets)
        times = [(p.pts, p.dts) for p in packets]
        turns = math.ceil(seconds / float(length * stream.time_base))
        base = stream.time_base
        for turn in range(turns):
            for packet, (pts, dts) in zip(packets, times, strict=True):
                packet.stream = copy
                packet.time_base = base
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                out.mux(packet)


class Clock:
    """Adds up the seconds spent in each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._add(stage, time.perf_counter() - start)

        return timed

    def watch(self, stage: str, items: Iterator[Any]) -> Iterator[Any]:
        """An iterator whose every step is timed."""
        while True:
            start = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self._add(stage, time.perf_counter() - start)
            yield item

    def _add(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


def measure(video: Path) -> dict[str, Any]:
    """Scans one video in this process, with a clock in every stage."""
    start = time.perf_counter()
    from unmask.detectors import default_detectors
    from unmask.faces.find import FaceFinder, _center_face
    from unmask.media import probe
    from unmask.media.video import Video
    from unmask.pipeline import scan as river
    from unmask.weights import load_detector

    for name in default_detectors():
        load_detector(name)
    _center_face()
    loading = time.perf_counter() - start
    clock = Clock()
    frames = Video.frames

    def timed_frames(self: Any, wanted: Any = None) -> Any:
        return clock.watch("decode, convert to RGB", iter(frames(self, wanted)))

    Video.frames = timed_frames  # type: ignore[method-assign,assignment]
    FaceFinder.__call__ = clock.wrap("find faces", FaceFinder.__call__)  # type: ignore[method-assign]
    ask = river._ask
    river._ask = clock.wrap("detector", lambda *given: list(ask(*given)))
    from unmask.clips import cut as cutting

    cutting.cut_face = clock.wrap("cut and resize", cutting.cut_face)
    clock.wrap("probe, hash", probe)(video)
    start = time.perf_counter()
    verdict = river.scan(video)
    total = time.perf_counter() - start
    named = sum(clock.seconds.values()) - clock.seconds["probe, hash"]
    stages = {k: round(v, 3) for k, v in clock.seconds.items()}
    stages["everything else"] = round(total - named - clock.seconds["probe, hash"], 3)
    return {
        "video_s": round(verdict.video.duration_s, 2),
        "frames": verdict.coverage.frames_decoded,
        "clips_scored": verdict.coverage.clips_scored,
        "scan_s": round(total, 3),
        "times_real_time": round(verdict.video.duration_s / total, 2),
        "loading_s": round(loading, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "stages_s": stages,
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks speed")
    parser.add_argument("--video", required=True, type=Path)
    parser.add_argument("--measure", action="store_true", help="(used by the benchmark itself)")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.measure:
        print(json.dumps(measure(given.video)))
        return 0
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for seconds, runs in ((10, given.runs), (600, 1)):
            looped = Path(folder) / f"{seconds}.mp4"
            loop(given.video, looped, seconds)
            for _ in range(runs):
                done = subprocess.run(
                    [sys.executable, "-m", "benchmarks", "speed", "--measure", "--video", looped],
                    check=True,
                    capture_output=True,
                    text=True,
                )
                results.append(json.loads(done.stdout))
                print(results[-1], flush=True)
    path = _result.write(
        "speed",
        "python -m benchmarks speed " + " ".join(arguments),
        {"video": given.video.name, "runs": results},
    )
    print(path)
    return 0
