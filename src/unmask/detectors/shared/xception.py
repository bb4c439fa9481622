"""What detectors built on Xception share: its input, and the published files to start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from unmask.checkpoints.pickle_file import read_tensors, rows_of
from unmask.detectors.card import Weights
from unmask.nn.xception import IMAGENET_CLASSES
from unmask.types import InputSpec

IMAGENET_FILE = "xception-b5690688.pth"

FACEFORENSICS_FILES = "faceforensics++_models.zip"
"""The archive of FaceForensics++'s authors; one of its models is meant, which are pickled whole."""

FACEFORENSICS_LICENSE = "not stated; data: research only"

FACEFORENSICS_LICENSOR = "the authors of FaceForensics++ (its terms of use)"

INPUT = InputSpec(
    region="face",
    margin=1.3,
    size=(299, 299),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    frames=1,
    fps=3.0,
)

Importer = Callable[[Path], Mapping[str, Tensor]]


def is_forensic(path: Path) -> bool:
    """Whether a file is laid out as an Xception that tells real faces from forged ones."""
    is_xception = any(key.endswith("block1.skip.weight") for key in read_tensors(path))
    return is_xception and IMAGENET_CLASSES not in rows_of(path, "last_linear", "fc")


def undecided(zeroed: str) -> str:
    """The polarity of weights that are a start only; ``zeroed``: the layers that are 0 in them."""
    return f"none: {zeroed} replaced by zeros, so every logit is 0 until trained"


def imagenet_start(importer: Importer, *, zeroed: str, used: str = "") -> Weights:
    """ImageNet's Xception as a start for training.

    Args:
        importer: as in ``Weights``.
        zeroed: which layers are 0, with a verb, as in "the head is".
        used: where the file goes and what else is read, continuing a sentence.
    """
    return Weights(
        tag="imagenet",
        license="not stated",
        trained_on=f"ImageNet ({IMAGENET_FILE}){used}: a start for training, not a detector",
        polarity=undecided(zeroed),
        importer=importer,
    )


def faceforensics_start(importer: Importer, *, zeroed: str, used: str = "") -> Weights:
    """An Xception of FaceForensics++'s authors as a start for training of another detector.

    Args:
        importer: as in ``Weights``.
        zeroed: which layers are 0, with a verb, as in "the heads are".
        used: where the file goes and what else is read, continuing a sentence.
    """
    return Weights(
        tag="ffpp",
        license=FACEFORENSICS_LICENSE,
        trained_on=f"FaceForensics++ (a model in the authors' {FACEFORENSICS_FILES}){used}: a "
        "start for training, not a detector",
        polarity=undecided(zeroed),
        importer=importer,
        is_non_commercial=True,
        licensor=FACEFORENSICS_LICENSOR,
        recognizes=is_forensic,
    )
