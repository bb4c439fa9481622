"""Sanity checks after Adebayo et al. (NeurIPS 2018): without what was learned, another map."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor, nn

from unmask.clips import normalize
from unmask.detectors import Detector, default_detectors
from unmask.explain import frame_saliency, grad_cam, occlusion, peak
from unmask.weights import load_detector

Explain = Callable[[nn.Module, Tensor], Tensor]


PLACES = {"mouth": (96, 136, 64, 116), "eyes": (48, 82, 44, 132)}
"""Rows and columns of the cut face, 176 x 176 px."""


def forged_face(
    face_image: NDArray[np.uint8], place: str, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The astronaut's face, a part of it tinted and blurred."""
    face = face_image[30:206, 134:310].copy()
    y0, y1, x0, x1 = PLACES[place]
    part = face[y0:y1, x0:x1].astype(np.float32)
    face[y0:y1, x0:x1] = np.clip(cv2.GaussianBlur(part, (0, 0), 2.0) + 25, 0, 255)
    return np.asarray(cv2.resize(face, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def net() -> Detector:
    return load_detector(default_detectors()[0])


@pytest.fixture(scope="module")
def clips(face_image: NDArray[np.uint8], net: Detector) -> dict[str, Tensor]:
    spec = net.card.input
    pictures = {place: forged_face(face_image, place, spec.size) for place in PLACES}
    return {
        place: normalize(torch.from_numpy(pixels)[None, None], spec)
        for place, pixels in pictures.items()
    }


def randomized(net: Detector, seed: int) -> Detector:
    """The same network as if never trained."""
    other = copy.deepcopy(net.network)
    torch.manual_seed(seed)
    for module in other.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return dataclasses.replace(net, network=other.eval())


@pytest.mark.parametrize("method", [grad_cam, partial(occlusion, size_px=40)])
def test_with_random_weights_the_map_is_another_one(
    net: Detector, clips: dict[str, Tensor], method: Explain
):
    trained = method(net, clips["mouth"]).flatten().numpy()
    again = (
        method(dataclasses.replace(net, network=copy.deepcopy(net.network)), clips["mouth"])
        .flatten()
        .numpy()
    )
    assert spearmanr(trained, again).statistic > 0.999
    alike = []
    for seed in range(5):
        random = method(randomized(net, seed), clips["mouth"]).flatten().numpy()
        assert np.ptp(random) > 0
        alike.append(spearmanr(trained, random).statistic)
    assert np.mean(alike) < 0.4


@pytest.mark.parametrize("method", [grad_cam, occlusion])
@pytest.mark.parametrize("place", PLACES)
def test_the_planted_forgery_is_hit(
    net: Detector, clips: dict[str, Tensor], method: Explain, place: str
):
    heat = method(net, clips[place])[0, 0].numpy()
    y, x = peak(heat)
    scale = 176 / heat.shape[0]
    y0, y1, x0, x1 = PLACES[place]
    assert y0 <= y * scale < y1
    assert x0 <= x * scale < x1


def test_with_random_weights_other_frames_count():
    torch.manual_seed(0)

    def small() -> Detector:
        from explain_toys import BrightSpots, card_of, ready

        one = BrightSpots()
        nn.init.normal_(one.maps.weight)
        return ready(one, card_of(frames=8))

    clips = torch.randn(1, 3, 8, 32, 32)
    first, second = small(), small()
    shares = [frame_saliency(net, clips)[0].numpy() for net in (first, first, second)]
    assert spearmanr(shares[0], shares[1]).statistic > 0.999
    assert np.abs(shares[0] - shares[2]).max() > 1e-3
