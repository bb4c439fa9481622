r"""Proof that a detector learns: a run in reduced size, from scratch, on pseudo-forgeries.

    python -m benchmarks learn two_branch --data ../shared/media/train/real \
        --validation ../shared/media/val/real

The settings of ``runs.json`` reduce pictures, clips and steps to what two cores manage in half
an hour; some raise the learning rate, because the papers start from trained weights and this
starts at random. Training and validation see forgeries of one generator (``coarse_blend``: easy),
made of different people: the figure says that the network, its loss and its recipe work
together, not how well it finds deepfakes. The result is written beside this file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from sklearn.metrics import roc_auc_score

from benchmarks import _result
from unmask.clips import normalize
from unmask.detectors import Card, build, get_card
from unmask.train import Source, apply_settings, train
from unmask.train.data import read_faces
from unmask.train.samples import Samples

HERE = Path(__file__).parent
RESAMPLINGS = 1000


def measure(card: Card, weights: Path, data: Path, pairs: int) -> dict[str, Any]:
    """AUC over new pairs of the validation people; the interval resamples the videos."""
    net = build(card).eval()
    net.load_state_dict(load_file(weights))
    source = Source(path=data)
    faces = read_faces(card, source, source).by_split["val"]
    recipe = card.recipe.changed({"sampling": "balanced"})
    samples = Samples(faces, card.input, recipe, pairs, 4242)
    logits, groups = [], []
    with torch.inference_mode():
        for number in range(pairs):
            item = samples[number]
            logits.append(net(normalize(item.pixels, card.input)).logit.tolist())
            groups.append(samples.group_of(number))
    both, group = np.array(logits), np.array(groups)
    rng = np.random.default_rng(0)
    known = np.unique(group)
    drawn = [
        both[np.concatenate([np.flatnonzero(group == g) for g in rng.choice(known, len(known))])]
        for _ in range(RESAMPLINGS)
    ]
    low, high = np.percentile([_auc(one) for one in drawn], [2.5, 97.5])
    better = both[:, 1] - both[:, 0]
    return {
        "pairs": pairs,
        "videos": len(known),
        "auc": round(_auc(both), 3),
        "auc_interval": [round(float(low), 3), round(float(high), 3)],
        "pair_accuracy": round(float((better > 0).mean() + (better == 0).mean() / 2), 3),
    }


def _auc(both: np.ndarray) -> float:
    return float(roc_auc_score(np.tile([0, 1], (len(both), 1)).ravel(), both.ravel()))


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    runs = json.loads((HERE / "runs.json").read_text())
    parser = argparse.ArgumentParser(prog="python -m benchmarks learn")
    parser.add_argument("detector", choices=sorted(runs))
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--validation", required=True, type=Path)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("-o", "--out", type=Path, help="keeps the run; else it is thrown away")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    card = apply_settings(get_card(given.detector), runs[given.detector])
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder) / "run"
        weights = train(
            given.detector,
            given.data,
            out,
            validation=given.validation,
            settings=runs[given.detector],
            device=given.device,
            workers=given.workers,
            report=lambda line: print(line, flush=True),
            progress=False,
        )
        record = json.loads((out / "run.json").read_text())
        found = measure(card, weights, given.validation, given.pairs)
    print(found)
    path = _result.write(
        given.detector,
        "python -m benchmarks learn " + " ".join(arguments),
        {
            "settings": runs[given.detector],
            "data": record["data"],
            "hours": record["hours"],
            "validation": found,
            "curve": record["curve"],
        },
        HERE,
    )
    print(path)
    return 0
