"""How well a detector tells self-blended pseudo-forgeries from the real faces they are made of.

    python -m benchmarks pseudo --data ../shared/media/val/real [-d screener]

Sets differ in what happens after the blend (nothing, H.264 at three rates, JPEG, half size) and
in the region forged. Figures: AUC over single pictures, share of pairs in which the forgery
scores higher, and the mask's IoU and accuracy (PBCA) at 0.5. The generator also trained the
shipped weights, which flatters: these figures compare versions, they do not promise anything.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from benchmarks import _result
from unmask.clips import normalize
from unmask.datasets import read_folder
from unmask.detectors import Card, Detector, Recipe
from unmask.forgeries import Augmentation
from unmask.prepare import prepare
from unmask.train.data import cached, prepare_spec_for
from unmask.train.samples import Samples
from unmask.weights import load_detector

_OFF: dict[str, Any] = {"light": 0, "resize": 0, "blur": 0, "noise": 0}
_NOTHING = Augmentation(**_OFF, codec_shares=(1, 0, 0))


def _h264(crf: int) -> Augmentation:
    return Augmentation(**_OFF, codec_shares=(0, 0, 1), h264_crf=(crf, crf + 1))


SETS: dict[str, tuple[Augmentation, str | None]] = {
    "raw": (_NOTHING, None),
    "H.264 CRF 23": (_h264(23), None),
    "H.264 CRF 32": (_h264(32), None),
    "H.264 CRF 40": (_h264(40), None),
    "JPEG 70": (Augmentation(**_OFF, codec_shares=(0, 1, 0), jpeg_quality=(70, 71)), None),
    "half size": (
        Augmentation(**_OFF | {"resize": 1}, resize_share=(0.5, 0.5), codec_shares=(1, 0, 0)),
        None,
    ),
    "as in training": (Augmentation(), None),
    "raw, whole face": (_NOTHING, "whole"),
    "raw, mouth": (_NOTHING, "mouth"),
    "raw, eyes": (_NOTHING, "eyes"),
}


def plain_recipe(card: Card) -> Recipe:
    """The card's recipe, making self-blends alone, without codecs or twins of its own."""
    return card.recipe.changed(
        {"synthesize": "self_blend", "sampling": "pairs", "twins": None, "mix": {}, "codecs": {}}
    )


class Answers(NamedTuple):
    """Of P pairs: ``logit`` (P, 2), real and forged; of the forged ones the mask at 0.5 and the
    true one, both (P, T, h, w) in the network's own grid, or None.
    """

    logit: np.ndarray
    mask: torch.Tensor | None
    truth: torch.Tensor | None


def answer(net: Detector, pairs: Samples) -> Answers:
    """What the network says about every pair."""
    card = net.card
    device = next(net.network.parameters()).device
    logits, masks, truths = [], [], []
    with torch.inference_mode():
        for first in range(0, len(pairs), 16):
            batch = [pairs[i] for i in range(first, min(first + 16, len(pairs)))]
            pixels = torch.cat([b[0] for b in batch]).to(device)
            output = net(normalize(pixels, card.input))
            logits.append(output.logit.float().view(-1, 2).cpu())
            if output.mask is not None:
                truth = torch.cat([b[2] for b in batch])
                small = torch.nn.functional.adaptive_avg_pool2d(truth, output.mask.shape[-2:])
                masks.append(output.mask.cpu().sigmoid()[1::2] > 0.5)
                truths.append(small[1::2] > 0.5)
    both = torch.cat(logits).double().numpy()
    if not masks:
        return Answers(both, None, None)
    return Answers(both, torch.cat(masks), torch.cat(truths))


def mask_iou(answers: Answers) -> torch.Tensor | None:
    """(P,), the overlap of each forged clip's mask with the true one; None without masks."""
    if answers.mask is None or answers.truth is None:
        return None
    overlap = (answers.mask & answers.truth).sum(dim=(1, 2, 3)).double()
    return overlap / (answers.mask | answers.truth).sum(dim=(1, 2, 3)).double().clamp(min=1)


def measure(net: Detector, pairs: Samples) -> dict[str, Any]:
    """The figures of one set; AUC with a 95 % interval over the pairs."""
    answers = answer(net, pairs)
    both, iou = answers.logit, mask_iou(answers)
    rng = np.random.default_rng(0)
    chosen = [both[rng.integers(len(both), size=len(both))] for _ in range(500)]
    low, high = np.percentile([_auc(c) for c in chosen], [2.5, 97.5])
    difference = both[:, 1] - both[:, 0]
    result = {
        "pairs": len(both),
        "auc": round(_auc(both), 3),
        "auc_interval": [round(float(low), 3), round(float(high), 3)],
        "pair_accuracy": round(float((difference > 0).mean() + (difference == 0).mean() / 2), 3),
    }
    if iou is not None:
        result["mask_iou"] = round(float(iou.mean()), 3)
        right = (answers.mask == answers.truth).double()
        result["mask_accuracy"] = round(float(right.mean()), 3)
    return result


def _auc(both: np.ndarray) -> float:
    label = np.tile([0, 1], (len(both), 1))
    return float(roc_auc_score(label.ravel(), both.ravel()))


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks pseudo")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("-d", "--detector", default="screener")
    parser.add_argument("-w", "--weights")
    parser.add_argument("--pairs", type=int, default=800)
    parser.add_argument("--name")
    given = parser.parse_args(arguments)
    net = load_detector(given.detector, given.weights)
    card = net.card  # With the input that its weights were trained with.
    recipe = plain_recipe(card)
    rows = read_folder(given.data, split="val")
    faces = prepare(rows, cached(rows, prepare_spec_for(card)), prepare_spec_for(card)).sequences
    sets = {}
    for name, (settings, region) in SETS.items():
        pairs = Samples(
            faces, card.input, recipe, given.pairs, 777, augment=settings, region=region
        )
        sets[name] = measure(net, pairs)
        print(name, sets[name], flush=True)
    path = _result.write(
        given.name or f"pseudo_{given.detector}",
        "python -m benchmarks pseudo " + " ".join(arguments),
        {
            "detector": given.detector,
            "weights": given.weights,
            "weights_sha256": net.weights.sha256,
            "videos": len({s.group for s in faces}),
            "faces": len(faces),
            "sets": sets,
        },
    )
    print(path)
    return 0
