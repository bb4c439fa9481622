"""Short trainings of ``efficientnet_lite`` compared with each other, logged one by one.

    python -m benchmarks compare_recipes faces --media ../shared/media --work WORK
    python -m benchmarks compare_recipes mesh --work WORK --model face_landmark.tflite
    python -m benchmarks compare_recipes train --work WORK [--plan PLAN] [--only NAME …] [--watch]
    python -m benchmarks compare_recipes shipped --work WORK
    python -m benchmarks compare_recipes table
    python -m benchmarks compare_recipes export --work WORK --only NAME [--folder FOLDER]

``faces`` and ``mesh`` (see ``_mesh.py``) are done once. ``train`` does the runs of the plan that
have no record yet, one after the other: it draws the material, trains, scores, and writes a record
to ``benchmarks/runs``. It may be stopped at any time and goes on from its checkpoint; with
``--watch`` it reads the plan again when it has done all. ``shipped`` scores the screener on the
same pictures. ``table`` makes ``benchmarks/results/compare_recipes.json`` and ``.md`` of the
records alone. ``export`` writes networks of runs as weights files, into ``benchmarks/checkpoints``
where later runs find them as their ``start``. Everything is counted in CPU seconds of this process,
not in time passed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks import _result
from benchmarks.compare_recipes import _show
from benchmarks.compare_recipes._draws import MARGIN
from benchmarks.compare_recipes._judged import judged
from benchmarks.compare_recipes._mesh import write_mesh
from benchmarks.compare_recipes._plan import Run, read_plan
from benchmarks.compare_recipes._records import read_records, record_path, write_record
from benchmarks.compare_recipes._score import scores_of
from benchmarks.compare_recipes._soup import soup_of
from benchmarks.compare_recipes._train import CHECKPOINTS, Training, card_of, net_path, read_net
from benchmarks.field import write_list
from unmask.checkpoints.safetensors_file import save_weights
from unmask.datasets import read_dataset, read_folder
from unmask.prepare import PrepareSpec, prepare
from unmask.weights import load_detector

RUNS: Final = Path(__file__).parents[1] / "runs"
PLAN: Final = Path(__file__).parents[1] / "compare_recipes.jsonl"
_FACE_PX: Final = 260.0
_SCREENER_PX: Final = 160
_WAIT_S: Final = 30.0
ACTIONS: Final = ("faces", "mesh", "train", "shipped", "table", "export")
SUMS: Final = (
    ("base-0", "base-1"),
    ("base-0", "published-0"),
    ("base-0", "mesh-0", "published-0", "borrowed-0"),
    ("shipped", "base-0", "base-1", "mesh-0", "published-0", "borrowed-0"),
    ("shipped", "soup4-0"),
    ("shipped", "published50-0"),
    ("shipped", "soup4-0", "published50-0"),
    ("shipped", "mixed-0"),
    ("soup4-0", "published50-0"),
    ("soup4-0", "mixed-0"),
)
"""Runs whose mean score is judged too."""


def find_faces(media: Path, work: Path) -> None:
    """Finds the faces of ``train`` (real media alone) and of ``val``, and keeps them."""
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "val.csv"
        write_list(media / "manifest.csv", listed)
        val = read_dataset("csv", listed)
    train = [row for row in read_folder(media / "train") if not row.label]
    stills = PrepareSpec(sequences=16, frames=1, largest_face_px=_FACE_PX)
    clips = PrepareSpec(sequences=4, frames=6, largest_face_px=_FACE_PX)
    prepare(train, work / "faces_train", stills)
    prepare(val, work / "faces_val", clips)


def train_one(run: Run, work: Path, out: Path, runs: Mapping[str, Run]) -> None:
    """Draws, trains (or averages), scores and writes the record."""
    folder = net_path(work, run.name).parent
    folder.mkdir(parents=True, exist_ok=True)
    if run.soup:
        start = time.process_time()
        net, card = soup_of(run, work, runs)
        cpu_s = {"average": time.process_time() - start}
        log, images = [], 0
    else:
        training = Training(run, work, folder)
        training.learn(_say)
        net, card, log = training.net, training.card, training.log
        cpu_s = {"draw": training.draw_cpu_s, "train": training.cpu_s}
        images = 2 * run.steps * run.pairs
    torch.save(net.state_dict(), net_path(work, run.name))
    given = judged(work, run.size, _say)
    start = time.process_time()
    scores = scores_of(net, card.input, given, flip=run.flip)
    cpu_s["score"] = time.process_time() - start
    record = {
        "run": run.plain(),
        "images": images,
        "parameters": sum(p.numel() for p in net.parameters()),
        "cpu_s": {key: round(value, 1) for key, value in cpu_s.items()},
        "log": log,
    }
    _keep(out, run.name, {**record, "code": _revision(), "scores": scores})


def score_shipped(work: Path, out: Path) -> None:
    """The shipped screener's record, on the same pictures, cut as for the runs."""
    net = load_detector("screener")
    given = judged(work, _SCREENER_PX, _say)
    start = time.process_time()
    scores = scores_of(net.network, net.card.input, given)
    record = {
        "run": {"name": "shipped", "base": "", "note": "screener, the weights that ship"},
        "cpu_s": {"score": round(time.process_time() - start, 1)},
        "log": [],
    }
    _keep(out, "shipped", {**record, "code": _revision(), "scores": scores})


def export(run: Run, work: Path, path: Path, *, half: bool = False) -> None:
    """Writes a run's network as a weights file of the detector, which a scan takes too.

    With ``half`` in half precision: half the size.
    """
    card, state = card_of(run), read_net(work, run.name)
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    save_weights(
        state,
        path,
        detector=card.name,
        tag=run.name,
        license="MIT",
        trained_on="pseudo-forgeries of the media pack's train, benchmarks compare_recipes "
        f"{run.name}; begun with ImageNet (Apache-2.0)",
        args=card.args,
        input=dataclasses.replace(card.input, margin=MARGIN),
    )
    _say(str(path))


def _keep(out: Path, name: str, record: dict[str, Any]) -> None:
    _say(f"{name}: {write_record(out, name, record)}")


def _revision() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short=8", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def _say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def train_plan(given: argparse.Namespace) -> None:
    """Does what the plan holds and has no record; with ``watch``, for ever."""
    while True:
        runs = {run.name: run for run in read_plan(given.plan)}
        left = [
            run
            for run in runs.values()
            if not record_path(given.out, run.name).is_file()
            and (not given.only or run.name in given.only)
        ]
        if left:
            train_one(left[0], given.work, given.out, runs)
        elif given.watch:
            time.sleep(_WAIT_S)
        else:
            return


def write_table(given: argparse.Namespace, command: str) -> None:
    """The table of all records."""
    records = read_records(given.out)
    result = _show.table(records, SUMS, given.resamples)
    path = _result.write("compare_recipes", command, result)
    text = _show.to_markdown(json.loads(path.read_text()), records)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare_recipes")
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--media", type=Path, default=Path("../shared/media"))
    parser.add_argument("--work", type=Path, default=Path("runs/compare_recipes"))
    parser.add_argument("--model", type=Path, help="face_landmark.tflite of mediapipe==0.10.21")
    parser.add_argument("--plan", type=Path, default=PLAN)
    parser.add_argument("--only", nargs="*", default=[], help="names of runs")
    parser.add_argument("--watch", action="store_true", help="read the plan again when all is done")
    parser.add_argument("--out", type=Path, default=RUNS, help="folder of records")
    parser.add_argument("--folder", type=Path, default=CHECKPOINTS, help="of exported networks")
    parser.add_argument("--half", action="store_true", help="export in half precision")
    parser.add_argument("--resamples", type=int, default=2000)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if given.action == "faces":
        find_faces(given.media.resolve(), given.work)
    elif given.action == "mesh":
        for split in ("train", "val"):
            mesh = given.work / f"mesh_{split}.npz"
            write_mesh(given.work / f"faces_{split}", given.model, mesh)
    elif given.action == "train":
        train_plan(given)
    elif given.action == "shipped":
        score_shipped(given.work, given.out)
    elif given.action == "export":
        given.folder.mkdir(parents=True, exist_ok=True)
        for run in read_plan(given.plan):
            if run.name in given.only:
                path = given.folder / f"recipe-{run.name}.safetensors"
                export(run, given.work, path, half=given.half)
    else:
        write_table(given, " ".join(["python -m benchmarks compare_recipes", *arguments]))
    return 0
