"""What the early forensic networks share: a small picture from the middle of the face."""

from __future__ import annotations

from torch import Tensor

from unmask.detectors.card import Output, Target
from unmask.losses import binary_loss
from unmask.losses.hinge import hinge_loss
from unmask.types import InputSpec

GREEN = 1
"""The channel that most of a camera's pixels measure, which these networks look at alone."""

CROP = (
    "Crop: the middle of the face box x 1.3, which was scaled to 256 x 256 before. "
    "FaceForensics++'s authors cut the middle 128 x 128 pixels of the face out of the frame "
    "without scaling; here every crop is resampled, which blurs the traces that count."
)

FRAMES = (
    "Frames: three a second; the video's logit is the mean of the frames'. Embedding: what stands "
    "before the last layer; the authors have none."
)


def middle_of_face(side_px: int, unit: float = 1.0) -> InputSpec:
    """The middle ``side_px`` pixels of a face of 256, its values in 0..1/unit."""
    return InputSpec(
        region="face",
        margin=1.3,
        size=(side_px, side_px),
        load_size=(256, 256),
        mean=(0.0, 0.0, 0.0),
        std=(unit, unit, unit),
        frames=1,
        fps=3.0,
    )


def label_loss(output: Output, target: Target) -> Tensor:
    """Binary cross entropy of the logit, which of two logits is their difference."""
    return binary_loss(output.logit, target.label)


def margin_loss(output: Output, target: Target) -> Tensor:
    """What a support vector machine lowers, but for its penalty."""
    return hinge_loss(output.logit, target.label)
