"""Files of DeepfakeBench: what fits which detector, and what is another network.

DeepfakeBench (Yan et al., NeurIPS 2023; https://github.com/SCLBD/DeepfakeBench, release v1.0.1)
publishes ``*_best.pth``: bare state dicts whose network lies under ``backbone.``. Crop of all of
them: a square of 256 pixels, turned upright by five of dlib's points, 1.3 times a tight one; mean
and spread 0.5; trained on c23 of FaceForensics++; two logits, real and fake.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from torch import Tensor

from unmask.checkpoints.pickle_file import read_tensors
from unmask.errors import WrongVariantError

LICENSE = "CC BY-NC 4.0 (non-commercial)"
TRAINED_ON = (
    "FaceForensics++ c23 by DeepfakeBench ({file}); 256 pixels, upright by dlib's points, 1.3 "
    "times a tight crop, mean and spread 0.5"
)
LICENSOR = "the authors of SCLBD/DeepfakeBench"
POLARITY = "two logits, real and fake; the logit here is their difference"
_BACKBONE = "backbone."
_UNUSED = "adjust_channel."


def without_backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names without ``backbone.``, and without the layer that no network there uses."""
    ours = {key.removeprefix(_BACKBONE): value for key, value in state.items()}
    return {key: value for key, value in ours.items() if not key.startswith(_UNUSED)}


def is_benchs(path: Path) -> bool:
    """Whether a file is laid out as those of DeepfakeBench."""
    return all(key.startswith(_BACKBONE) for key in read_tensors(path))


def refuse(path: Path, *, found: str, expected: str, give: str) -> NoReturn:
    """Refuses a file of another network that bears the same name.

    Raises:
        WrongVariantError: always.
    """
    raise WrongVariantError(
        f"Weights '{path}' are of another network: {found}. Expected {expected}. Give {give}."
    )
