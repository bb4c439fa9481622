"""What every family of pseudo-forgeries, and the codecs, bring: short trainings with and without.

    python -m benchmarks mixes --data FACES --validation FACES2 [-d screener] [--steps 300]

FACES holds real training faces and FACES2 the validation split, real and forged, both made by
``unmask prepare``. One arm trains with everything, one with plain self-blends, and each other arm
leaves one family (or the codecs) out; the number of steps, the seed and the start are the same.
Every arm is judged on pairs of each family made of real validation faces, so an arm meets a
family that it never saw, and on the real tools' forgeries of the validation split.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import _result
from benchmarks._shares import auc, within_sources
from benchmarks.pseudo import Answers, answer
from unmask.clips import normalize
from unmask.detectors import Detector, get_card
from unmask.prepare import FaceSequence, read_prepared
from unmask.train import apply_settings, train
from unmask.train.augment import change_of
from unmask.train.clip import cut_clip, read_clip
from unmask.train.samples import Samples
from unmask.verdict.aggregate import LEAST_CLIPS
from unmask.weights import load_detector

FAMILIES: Mapping[str, Mapping[str, float]] = {
    "self_blend": {"self_blend": 0.22, "warped_face": 0.05},
    "other people": {"cross_blend": 0.18},
    "lower face": {"lower_face": 0.12},
    "traces on the face": {
        "resampling_grid": 0.04,
        "re_rendered": 0.04,
        "decoded": 0.08,
        "smooth_skin": 0.02,
        "super_resolution": 0.02,
    },
    "everywhere": {
        "decoded_everywhere": 0.11,
        "re_rendered_everywhere": 0.03,
        "resampling_grid_everywhere": 0.05,
        "smooth_skin_everywhere": 0.02,
        "super_resolution_everywhere": 0.02,
    },
}
CODECS = {
    "none": 0.2,
    "jpeg": 0.15,
    "h264": 0.33,
    "uploaded": 0.14,
    "vp9": 0.06,
    "h265": 0.06,
    "h264_twice": 0.06,
}


def arms() -> dict[str, tuple[Mapping[str, float], Mapping[str, float]]]:
    """By arm: its mix and its codecs (none: those of the augmentation)."""
    everything = {kind: share for mix in FAMILIES.values() for kind, share in mix.items()}
    left_out = {
        f"without {name}": {k: v for k, v in everything.items() if k not in family}
        for name, family in FAMILIES.items()
    }
    return {
        "everything": (everything, CODECS),
        "self-blends alone": ({"self_blend": 1.0}, CODECS),
        **{name: (mix, CODECS) for name, mix in left_out.items()},
        "without codecs": (everything, {"none": 1.0}),
    }


def judge(file: Path, name: str, validation: Sequence[FaceSequence], pairs: int) -> dict[str, Any]:
    """AUC and pairs in order for each family, and the figures on real tools' forgeries."""
    net = load_detector(name, str(file))
    real = [sequence for sequence in validation if not sequence.label]
    tested: dict[str, Any] = {}
    for family, mix in FAMILIES.items():
        recipe = net.card.recipe.changed(
            {"synthesize": "self_blend", "sampling": "pairs", "mix": mix, "codecs": CODECS}
        )
        answers = answer(net, Samples(real, net.card.input, recipe, pairs, 777, augment=None))
        tested[family] = _figures(answers)
    return {"families": tested, "tools": tools(net, validation)}


def _figures(answers: Answers) -> dict[str, float]:
    label = np.tile([0, 1], (len(answers.logit), 1)).ravel()
    difference = answers.logit[:, 1] - answers.logit[:, 0]
    return {
        "auc": round(auc(label, answers.logit.ravel()), 3),
        "pair_accuracy": round(float((difference > 0).mean()), 3),
    }


def tools(net: Detector, validation: Sequence[FaceSequence]) -> dict[str, Any]:
    """Figures on whole videos: the mean logit of a face's kept moments, the highest face counts.

    The moments are those that ``prepare`` kept, so the figures differ a little from a scan's.
    """
    card = net.card
    cuts, rng, plain = [], np.random.default_rng(0), change_of(None)
    for sequence in validation:
        clip = read_clip(sequence, card.input.frames, rng)
        cuts.append(cut_clip(clip, card.input, plain, rng, is_flipped=False).pixels)
    logits: list[float] = []
    with torch.inference_mode():
        for first in range(0, len(cuts), 16):
            pixels = torch.from_numpy(np.stack(cuts[first : first + 16]))
            logits += net(normalize(pixels, card.input)).logit.tolist()
    faces: dict[tuple[int, int], list[float]] = {}
    for sequence, logit in zip(validation, logits, strict=True):
        faces.setdefault((sequence.group, sequence.track), []).append(logit)
    videos: dict[int, float] = {}
    for (video, _), of_face in faces.items():
        if len(of_face) >= LEAST_CLIPS:
            videos[video] = max(videos.get(video, -np.inf), float(np.mean(of_face)))
    rows = {sequence.group: sequence.video for sequence in validation}
    label = np.array([rows[video].label for video in videos])
    source = np.array([rows[video].source_id for video in videos])
    logit_of = np.array(list(videos.values()))
    return within_sources(label, logit_of, source) | {
        "pooled_auc": round(auc(label, logit_of), 3),
        "videos": len(videos),
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks mixes")
    parser.add_argument("--data", required=True, type=Path, help="of unmask prepare")
    parser.add_argument("--validation", required=True, type=Path, help="of unmask prepare")
    parser.add_argument("-d", "--detector", default="screener")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=200, help="of every family")
    parser.add_argument("--set", action="append", default=[], help="of every training")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    validation = read_prepared(given.validation).sequences
    settings = ["augment=strong", "epochs=1", f"steps_per_epoch={given.steps}"]
    settings += ["validation_pairs=16", *given.set]
    apply_settings(get_card(given.detector), settings)
    done: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (mix, codecs) in arms().items():
            start = time.process_time()
            file = train(
                given.detector,
                given.data,
                Path(folder) / name.replace(" ", "_"),
                validation=given.validation,
                settings=[*settings, f"mix={dict(mix)}", f"codecs={dict(codecs)}"],
                workers=0,
                threads=1,
                progress=False,
            )
            cpu_s = round(time.process_time() - start)
            done[name] = {"cpu_s": cpu_s, **judge(file, given.detector, validation, given.pairs)}
            print(name, json.dumps(done[name]), flush=True)
    command = "python -m benchmarks mixes " + " ".join(arguments)
    content = {"steps": given.steps, "pairs": given.pairs, "settings": settings, "arms": done}
    print(_result.write("mixes", command, content))
    return 0
