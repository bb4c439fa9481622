"""Which detector stands for others of its architecture in the tests that cost most."""

from __future__ import annotations

from typing import Any

import pytest

from unmask.detectors import list_detectors

LIKE = {
    "capsule": "xception",
    "cnn_aug": "xception",
    "cnn_gru": "efficientnet_b3_lstm",
    "dsp_fwa": "xception",
    "efficientnet_b3": "efficientnet_b3_lstm",
    "efficientnet_b3_bigru": "efficientnet_b3_lstm",
    "emd": "anti_compression",
    "face_xray": "patch_based",
    "forensic_transfer": "lae",
    "i3d": "r3d18",
    "ip_csn_152": "r3d18",
    "mesoinception4": "meso4",
    "multi_task": "lae",
    "multi_task_fer": "lae",
    "r2plus1d18": "r3d18",
    "rahmouni": "cozzolino",
    "resnet18_lipreading": "lipforensics",
    "resnet3d_lipreading": "lipforensics",
    "se_resnet50": "xception",
    "self_blended": "xception",
    "steg_svm": "head_pose",
    "two_stream": "xception",
    "visual_artifacts": "head_pose",
}
"""Detectors by the one of their family that stands for them where a test is dear."""


def by_family(*dear: str) -> list[Any]:
    """Every detector as a parameter; those that another one stands for are marked ``slow``.

    A new detector is in no family, and so in every run.

    Args:
        dear: more detectors that are marked.
    """
    return [
        pytest.param(name, marks=pytest.mark.slow if name in {*LIKE, *dear} else ())
        for name in list_detectors()
    ]
