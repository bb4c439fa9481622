"""What the networks that LipForensics is compared with share: whole faces, and its own recipe."""

from __future__ import annotations

from unmask.detectors.shared import lip_reading

RECIPE = lip_reading.RECIPE.changed({"augment": "flip"})

TRAINING_DIFFERENCES = (
    "Training: the whole network, by LipForensics' recipe (Adam 2e-4, batches of 32, balanced, a "
    "flip, stopped after 10 epochs without a lower validation loss, or after 100). Its text gives "
    "no other for its baselines; their details are in a supplement that was not available.",
    "Video: the mean logit of all its clips; LipForensics averages predictions.",
)

UNDECIDED = "none: the head is replaced by zeros, so every logit is 0 until trained"
"""The polarity of weights that are a start only."""
