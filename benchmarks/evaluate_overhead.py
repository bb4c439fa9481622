"""What ``evaluate`` costs beside the scans that it is made of, and beside the networks alone.

    python -m benchmarks evaluate_overhead [--data ../shared/media/val/real] [--videos 6]

The same videos by the same detectors, in turn: ``scan_with`` with networks that are loaded
already, and ``evaluate`` into a new folder. Inside ``evaluate`` the time in ``scan_with`` and, by
hooks, in the networks' forward is taken too: both parts of one run meet the same disturbances.
Loading the networks is told apart, because it happens once however many videos there are.

Two readings of "overhead", each in wall-clock and in processor seconds:

- beside the scans: rows, aggregation and Parquet; what ``evaluate`` itself adds;
- beside the networks: that, and reading, decoding, finding and following faces, and cutting, of
  which no evaluation of videos can be without.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch

from benchmarks import _result
from unmask.datasets import read_folder
from unmask.detectors import Detector, default_detectors
from unmask.evaluate import evaluate
from unmask.pipeline.scan import scan_with
from unmask.types import LabelledVideo, Verdict
from unmask.weights import load_detector

WARNING = (
    "The machine was shared with other work: wall-clock figures move with it. Shares of one run, "
    "and processor seconds, move less."
)


class Clock:
    """Wall-clock and processor seconds spent between ``start`` and ``stop``, summed."""

    def __init__(self) -> None:
        self.wall_s = self.processor_s = 0.0
        self._since = (0.0, 0.0)

    def start(self, *_: object) -> None:
        """From now on; also a hook before a forward."""
        self._since = (time.perf_counter(), time.process_time())

    def stop(self, *_: object) -> None:
        """Until now; also a hook after a forward."""
        self.wall_s += time.perf_counter() - self._since[0]
        self.processor_s += time.process_time() - self._since[1]


def watch(loaded: Sequence[Detector], clock: Clock) -> list[Any]:
    """Hooks that add the time in the networks' forward to the clock; ``remove`` each."""
    return [
        handle
        for detector in loaded
        for handle in (
            detector.network.register_forward_pre_hook(clock.start),
            detector.network.register_forward_hook(clock.stop),
        )
    ]


def scans(rows: Sequence[LabelledVideo], loaded: Sequence[Detector]) -> tuple[Clock, Clock]:
    """Time of ``scan_with`` over the videos, and in the networks."""
    whole, networks = Clock(), Clock()
    handles = watch(loaded, networks)
    whole.start()
    for row in rows:
        scan_with(row.path, loaded, calibrations=[])
    whole.stop()
    for handle in handles:
        handle.remove()
    return whole, networks


def evaluation(
    rows: Sequence[LabelledVideo], detectors: Sequence[str]
) -> tuple[Clock, Clock, Clock, Clock]:
    """Time of ``evaluate``, and in it of loading, of ``scan_with``, and in the networks."""
    whole, loading, inside, networks = Clock(), Clock(), Clock(), Clock()

    def timed_load(*args: Any, **named: Any) -> Detector:
        loading.start()
        detector = load_detector(*args, **named)
        loading.stop()
        watch([detector], networks)
        return detector

    def timed_scan(*args: Any, **named: Any) -> Verdict:
        inside.start()
        verdict = scan_with(*args, **named)
        inside.stop()
        return verdict

    with tempfile.TemporaryDirectory() as folder, ExitStack() as patches:
        for name, timed in (("load_detector", timed_load), ("scan_with", timed_scan)):
            for module in users_of(name):
                patches.enter_context(patch.object(module, name, timed))
        whole.start()
        evaluate(rows, detectors, Path(folder) / "scores")
        whole.stop()
    if not inside.wall_s or not loading.wall_s:
        raise RuntimeError(
            "evaluate did not call scan_with and load_detector where they were timed"
        )
    return whole, loading, inside, networks


def users_of(name: str) -> list[ModuleType]:
    """The modules of ``unmask.evaluate`` that call a function of another room by this name."""
    return [
        module
        for key, module in sys.modules.items()
        if key.startswith("unmask.evaluate.") and hasattr(module, name)
    ]


def once(
    rows: Sequence[LabelledVideo], detectors: Sequence[str], loaded: Sequence[Detector]
) -> dict[str, Any]:
    """One turn of both, in both kinds of seconds."""
    alone, alone_networks = scans(rows, loaded)
    whole, loading, inside, networks = evaluation(rows, detectors)
    turn = {}
    for kind in ("wall_s", "processor_s"):
        total, load, scan, net, apart, apart_net = (
            getattr(clock, kind)
            for clock in (whole, loading, inside, networks, alone, alone_networks)
        )
        turn[kind] = {
            "scan_with": round(apart, 3),
            "networks_in_scan_with": round(apart_net, 3),
            "evaluate": round(total, 3),
            "loading_in_evaluate": round(load, 3),
            "scan_with_in_evaluate": round(scan, 3),
            "networks_in_evaluate": round(net, 3),
            "overhead_beside_scans_in_one_run": round((total - load - scan) / scan, 4),
            "overhead_beside_scans_in_turn": round((total - load - apart) / apart, 4),
            "overhead_beside_networks": round((total - load - net) / net, 4),
        }
    return turn


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks evaluate_overhead")
    parser.add_argument("--data", type=Path, default=Path("../shared/media/val/real"))
    parser.add_argument("-d", "--detector", action="append", help="repeatable")
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args(arguments)
    detectors = given.detector or default_detectors()
    rows = read_folder(given.data, split="val")[: given.videos]
    loaded = [load_detector(name) for name in detectors]
    once(rows[:1], detectors, loaded)  # What is imported at first use is no overhead.
    turns = [once(rows, detectors, loaded) for _ in range(given.turns)]
    medians = {
        kind: {
            name: round(statistics.median(turn[kind][name] for turn in turns), 4)
            for name in turns[0][kind]
        }
        for kind in turns[0]
    }
    path = _result.write(
        "evaluate_overhead",
        " ".join(["python -m benchmarks evaluate_overhead", *arguments]),
        {
            "detectors": detectors,
            "videos": [row.path.name for row in rows],
            "threads": torch.get_num_threads(),
            "note": WARNING,
            "medians": medians,
            "turns": turns,
        },
    )
    for kind, figures in medians.items():
        print(kind, figures)
    print(path)
    return 0
