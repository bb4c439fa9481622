"""Head poses: is the middle of the face turned as the whole face is?

Exposing Deep Fakes Using Inconsistent Head Poses (Yang, Li and Lyu, ICASSP 2019): a swapped face
was made for another head, so the pose from its middle differs from the pose with the jaw. A
support vector machine looks at the difference. What differs is listed in the card.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.forensic import margin_loss
from unmask.detectors.shared.points import FIVE, SIXTY_EIGHT, load_points
from unmask.errors import import_optional
from unmask.losses.hinge import hinge_loss
from unmask.nn.face_points import FacePoints
from unmask.nn.head_poses import (
    CENTRAL_OF_68,
    HEAD_OF_5,
    HEAD_OF_68,
    WHOLE_OF_68,
    solve_poses,
)
from unmask.nn.standardize import Standardize
from unmask.types import InputSpec

_MARGIN = 1.6
_FOCAL = 2.5
_FEATURES = 12


CARD = Card(
    name="head_pose",
    summary="Pose of the inner face against that of the whole one, and a support vector machine.",
    paper=Paper(
        title="Exposing Deep Fakes Using Inconsistent Head Poses",
        authors="Xin Yang, Yuezun Li, Siwei Lyu",
        venue="ICASSP",
        year=2019,
        url="https://arxiv.org/abs/1811.00661",
        code="https://github.com/danmohaha/headpose_forensic",
        differences=(
            f"{FIVE}: then all five are compared with the four without the nose tip, which is NOT "
            "the paper's cue, because all five lie in the inner face. For the paper's method set "
            "points=68: brows, nose and mouth corners against the same and the jaw, the "
            "points that the authors' code names.",
            SIXTY_EIGHT,
            "Code: point numbers, features (rotation matrix and translation, 12 differences), "
            "scaling and the kind of machine were read from copies of the authors' code; not "
            "verified against the authors' code. Their trained file is a pickle and is not read.",
            "Head: MediaPipe's canonical face model (Apache-2.0) in place of the average face that "
            "comes with the authors' code; lengths are in units of 10 cm.",
            "Camera: looks at the middle of the face cut, focal length 2.5 sides of it; the "
            "authors take the whole frame and its width.",
            "Five landmarks: OpenCV's SQPNP, since the iterative solver, which 68 landmarks get as "
            "in the paper, needs six.",
            "Machine: scikit-learn's SVC with RBF kernel, C = 1 and gamma 1/12 on standardized "
            "features, as in the copies. It is fitted once an epoch, on at most 2,000 clips (more "
            "are drawn from), so that what it keeps has a fixed size.",
            "Frames: three a second; the video's logit is the mean distance. Embedding: the 12 "
            "differences.",
        ),
    ),
    compared_in=("Two-branch",),
    verified="not verified against the authors' code",
    input=InputSpec(
        region="face",
        margin=_MARGIN,
        size=(320, 320),
        mean=(0.0, 0.0, 0.0),
        std=(1 / 255, 1 / 255, 1 / 255),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=margin_loss,
        optimizer=Optimizer(kind="sgd", learning_rate=1e-2),
        schedule=Schedule(epochs=1),
        sampling=Sampling(batch_size=32),
    ),
    outputs=("embedding",),
    cam_layer="picture",
    args={"points": 5, "penalty": 1.0, "most": 2000},
)


@detector(CARD)
class HeadPose(nn.Module):
    """Points, two poses, their difference, and the distance from a surface in its space.

    Args:
        points: 5 or 68.
        penalty: C of the support vector machine.
        most: clips that it is fitted on, and so support vectors that it can keep.
    """

    def __init__(self, points: int = 5, penalty: float = 1.0, most: int = 2000) -> None:
        super().__init__()
        self.picture = nn.Identity()
        self.points = FacePoints(points, _MARGIN)
        if points == 68:
            whole, head = list(WHOLE_OF_68), HEAD_OF_68
            central = [whole.index(number) for number in CENTRAL_OF_68]
        else:
            whole, head = list(range(5)), HEAD_OF_5
            central = [0, 1, 3, 4]
        self._whole, self._central = whole, central
        self.head: Tensor
        self.register_buffer("head", torch.from_numpy(head).float(), persistent=False)
        self.standardize = Standardize(_FEATURES)
        self.support: Tensor
        self.register_buffer("support", torch.randn(most, _FEATURES))
        self.weight = nn.Parameter(torch.zeros(most))
        self.bias = nn.Parameter(torch.zeros(()))
        self._penalty = penalty

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        """Reads FAN's weights where 68 landmarks are to be found; the clips are not looked at."""
        load_points(self.points)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in 0..255; the embedding (B, 12) is the poses' difference."""
        images = self.picture(clips[:, :, 0])
        features = self._difference(self.points(images), list(images.shape[2:]))
        # No gradient reaches the picture: the empty term says 0 where there would be an error.
        features = features + 0 * images.mean(dim=(1, 2, 3))[:, None]
        return Output(logit=self._distance(self.standardize(features)), embedding=features)

    def _difference(self, points: Tensor, side_px: list[int]) -> Tensor:
        """Pose of the inner face minus pose of the whole one, (B, 12)."""
        focal, seen = _FOCAL * side_px[1], points[:, self._whole]
        central = seen[:, self._central], self.head[self._central]
        inner: Tensor = solve_poses(*central, focal, side_px)
        whole: Tensor = solve_poses(seen, self.head, focal, side_px)
        return inner - whole

    def _distance(self, features: Tensor) -> Tensor:
        """Of standardized features (N, 12) from the surface, (N,)."""
        squares = features.square().sum(dim=1)[:, None] + self.support.square().sum(dim=1)
        apart = (squares - 2 * features @ self.support.T).clamp(min=0)
        return (-apart / _FEATURES).exp() @ self.weight + self.bias

    def fit_last_part(self, features: Tensor, label: Tensor) -> Tensor:
        """Sets scaling and surface.

        Args:
            features: (N, 12) embeddings.
            label: (N,), 1 = fake.

        Returns:
            The mean hinge loss of the features that it was fitted on.

        Raises:
            MissingDependencyError: scikit-learn is not installed.
        """
        svm = import_optional("sklearn.svm", "train")
        scaled = self.standardize.fit(features).cpu()
        count = min(len(scaled), len(self.support))
        drawn = np.random.default_rng(0).choice(len(scaled), count, replace=False)
        scaled, label = scaled[drawn], label[drawn]
        machine = svm.SVC(C=self._penalty, kernel="rbf", gamma=1 / _FEATURES)
        machine.fit(scaled.double().numpy(), label.numpy())
        kept = len(machine.support_)
        self.support.zero_()
        self.weight.zero_()
        self.support[:kept] = torch.from_numpy(machine.support_vectors_).to(self.support)
        self.weight[:kept] = torch.from_numpy(machine.dual_coef_[0]).to(self.weight)
        self.bias.fill_(float(machine.intercept_[0]))
        return hinge_loss(self._distance(scaled.to(self.support)).cpu(), label)
