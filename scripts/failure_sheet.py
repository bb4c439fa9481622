"""Makes docs/failures.png: what the shipped weights make of one face, untouched and changed.

    python scripts/failure_sheet.py [-o FILE]

Every score in it is computed when the script runs; the draws were fixed before the scores were
seen (seed 0 of every kind). One picture of one face shows how the detector fails, not how often:
the tables of MODEL_CARD.md say that. The face is ``skimage.data.astronaut()``, a NASA portrait in
the public domain, which is in no training data of ours.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from skimage.data import astronaut

from unmask.clips import normalize
from unmask.forgeries import FaceClip, Material, forge
from unmask.imaging.codecs import h264_round_trip
from unmask.report.pictures import with_heat
from unmask.train.augment import Change
from unmask.train.clip import cut_clip, read_clip, scaled
from unmask.train.sheet import largest_person
from unmask.types import Floats, Pixels
from unmask.weights import load_detector

OUT = Path(__file__).resolve().parent.parent / "docs" / "failures.png"
DETECTOR = "screener"
SEED = 0
_TILE, _GAP, _CAPTION, _COLUMNS = 200, 8, 40, 3


class Case(NamedTuple):
    """A face and what was done to it."""

    caption: str
    is_manipulated: bool
    clip: FaceClip


class Answer(NamedTuple):
    """A case as the network got it (h, w, 3), its logit and its mask (h, w) in 0..1."""

    case: Case
    pixels: Pixels
    logit: float
    mask: Floats


def cases() -> list[Case]:
    """One face: untouched, manipulated in several ways, and changed without manipulation."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "portrait.png"
        Image.fromarray(astronaut()[..., :3]).save(file)
        (face,) = largest_person(file, 1, Path(folder) / "faces")
        clip = read_clip(face, 1, np.random.default_rng(SEED))

    def forged(kind: str, region: str | None = None) -> FaceClip:
        return forge(kind, clip, np.random.default_rng(SEED), Material(region=region)).fake

    whole = forged("self_blend", "whole")
    return [
        Case("untouched", False, clip),
        Case("face blended over itself", True, whole),
        Case("the same, H.264 CRF 40", True, _coded(whole, 40)),
        Case("the same, a third of the size", True, scaled(whole, 1 / 3)),
        Case("mouth blended", True, forged("self_blend", "mouth")),
        Case("lower face replaced", True, forged("lower_face")),
        Case("whole picture by an autoencoder", True, forged("decoded_everywhere")),
        Case("untouched, caption over the chin", False, _with_caption(clip)),
        Case("untouched, skin filter", False, _filtered(clip)),
    ]


def _coded(clip: FaceClip, crf: int) -> FaceClip:
    return dataclasses.replace(clip, frames=h264_round_trip(clip.frames, crf))


def _with_caption(clip: FaceClip) -> FaceClip:
    frame, box = clip.frames[0].copy(), clip.box_px[0]
    top, bottom = (round(float(box[1] + share * (box[3] - box[1]))) for share in (0.82, 1.0))
    frame[top:bottom] = (245, 200, 20)
    scale = (bottom - top) / 40
    cv2.putText(frame, "BREAKING NEWS", (4, bottom - 6), cv2.FONT_HERSHEY_DUPLEX, scale, (0, 0, 0))
    return dataclasses.replace(clip, frames=[frame])


def _filtered(clip: FaceClip) -> FaceClip:
    smooth = np.asarray(cv2.bilateralFilter(clip.frames[0], 9, 60, 9), np.uint8)
    return dataclasses.replace(clip, frames=[smooth])


def answers() -> list[Answer]:
    """Logit and mask of every case by the shipped weights."""
    net = load_detector(DETECTOR)
    spec, found = net.card.input, []
    for case in cases():
        plain = Change(flip=0.0)
        cut = cut_clip(case.clip, spec, plain, np.random.default_rng(SEED), is_flipped=False)
        pixels = torch.from_numpy(cut.pixels[None])
        with torch.inference_mode():
            output = net(normalize(pixels, spec))
        mask = output.mask[0, 0].float().sigmoid().numpy()
        found.append(Answer(case, cut.pixels[0], float(output.logit[0]), mask))
    return found


def sheet(found: list[Answer]) -> Image.Image:
    """The picture: three cases a row, each plain and with heat."""
    rows = -(-len(found) // _COLUMNS)
    width = _COLUMNS * (2 * _TILE + 3 * _GAP)
    page = Image.new("RGB", (width, rows * (_TILE + _CAPTION + _GAP)), "white")
    font = ImageFont.load_default(size=15)
    for number, answer in enumerate(found):
        row, column = divmod(number, _COLUMNS)
        left = column * (2 * _TILE + 3 * _GAP) + _GAP
        top = row * (_TILE + _CAPTION + _GAP)
        label = "manipulated" if answer.case.is_manipulated else "real"
        text = f"{answer.case.caption}\n{label}, score {answer.logit:+.1f}"
        ImageDraw.Draw(page).text((left, top + 2), text, fill="black", font=font)
        plain = Image.fromarray(answer.pixels).resize((_TILE, _TILE))
        heat = np.clip(cv2.resize(answer.mask, plain.size, interpolation=cv2.INTER_CUBIC), 0, 1)
        for place, picture in enumerate((plain, with_heat(plain, heat))):
            page.paste(picture, (left + place * (_TILE + _GAP), top + _CAPTION))
    return page


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Make docs/failures.png.")
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    found = answers()
    sheet(found).save(given.out, optimize=True)
    for answer in found:
        print(f"{answer.logit:+.2f}  {answer.case.caption}")
    print(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
