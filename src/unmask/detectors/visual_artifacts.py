"""Visual artifacts: texture of eyes and teeth, or of nose and face, and a small classifier.

Exploiting Visual Artifacts to Expose Deepfakes and Face Manipulations (Matern, Riess and
Stamminger, WACV Workshops 2019). Swapped faces lack reflections in the eyes and lines between the
teeth; Laws' texture energies measure that. What differs is listed in the card.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from unmask.detectors.card import Card, Output, Paper
from unmask.detectors.recipe import Optimizer, Recipe, Sampling, Schedule
from unmask.detectors.registry import detector
from unmask.detectors.shared.forensic import label_loss
from unmask.detectors.shared.points import FIVE, SIXTY_EIGHT, load_points
from unmask.errors import UsageError, import_optional
from unmask.losses import binary_loss
from unmask.nn.co_occurrence import luma
from unmask.nn.face_parts import brighter_half, eyes, face, mouth, nose
from unmask.nn.face_points import FacePoints
from unmask.nn.laws import ENERGIES, TextureEnergies, means_in
from unmask.nn.standardize import Standardize
from unmask.types import InputSpec

_MARGIN = 1.3
_HIDDEN = 64

CARD = Card(
    name="visual_artifacts",
    summary="Texture of eyes and teeth, and a multilayer perceptron or a logistic regression.",
    paper=Paper(
        title="Exploiting Visual Artifacts to Expose Deepfakes and Face Manipulations",
        authors="Falko Matern, Christian Riess, Marc Stamminger",
        venue="IEEE Winter Applications of Computer Vision Workshops (WACVW)",
        year=2019,
        url="https://doi.org/10.1109/WACVW.2019.00020",
        code="https://github.com/FalkoMatern/Exploiting-Visual-Artifacts",
        differences=(
            f"{FIVE}: eyes, mouth, nose and face are then ellipses around them, whose sizes are "
            "ours, so closed eyes and lips count, too.",
            SIXTY_EIGHT + " The parts are then the authors' outlines.",
            "Code: features, filters and classifiers as in the authors' code; no outputs of it "
            "were at hand, so not verified against the authors' code. Their trained files are "
            "pickles and are not read.",
            "Variants: the perceptron (three layers of 64) on eyes and teeth, which the authors "
            "made for Deepfakes; --set classifier=logistic for logistic regression, --set "
            "regions=nose_and_face for Face2Face. Their third one, for whole generated faces (the "
            "color of both eyes), is left out.",
            "Every face is scored; the authors leave out those whose eyes or mouth are closed.",
            "Energies: differences from the local mean are signed; the code we have takes them in "
            "8 bits, where they wrap. Features are standardized, theirs are not.",
            "Size: the face box is about 246 pixels wide; the authors scale it to 256.",
            "Classifier: scikit-learn's, with the numbers of the authors' code (alpha 0.1, rate "
            "0.001, 300 rounds); fitted once on one epoch's clips. Every further epoch fits again.",
            "Frames: three a second; the video's logit is the mean. Embedding: the 18 features.",
        ),
    ),
    compared_in=("Two-branch",),
    verified="not verified against the authors' code",
    input=InputSpec(
        region="face",
        margin=_MARGIN,
        size=(320, 320),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        frames=1,
        fps=3.0,
    ),
    recipe=Recipe(
        loss=label_loss,
        optimizer=Optimizer(kind="sgd", learning_rate=1e-3),
        schedule=Schedule(epochs=1),
        sampling=Sampling(batch_size=32),
    ),
    outputs=("embedding",),
    cam_layer="energies",
    args={"classifier": "mlp", "regions": "eyes_and_teeth", "points": 5},
)

_CLASSIFIERS = {"mlp": (_HIDDEN, _HIDDEN, _HIDDEN), "logistic": ()}
_REGIONS = ("eyes_and_teeth", "nose_and_face")


@detector(CARD)
class VisualArtifacts(nn.Module):
    """Points, two regions, nine energies of each, and a classifier.

    Args:
        classifier: ``mlp`` or ``logistic``.
        regions: ``eyes_and_teeth`` or ``nose_and_face``.
        points: 5 or 68.

    Raises:
        UsageError: there is no such classifier, or there are no such regions.
    """

    def __init__(
        self, classifier: str = "mlp", regions: str = "eyes_and_teeth", points: int = 5
    ) -> None:
        super().__init__()
        for key, value, known in (
            ("classifier", classifier, tuple(_CLASSIFIERS)),
            ("regions", regions, _REGIONS),
        ):
            if value not in known:
                raise UsageError(
                    f"Cannot build {CARD.name} with {key}={value!r}: expected {' or '.join(known)}."
                    f" Give one: --set {key}={known[0]}."
                )
        self.points = FacePoints(points, _MARGIN)
        self.energies = TextureEnergies()
        self.standardize = Standardize(2 * ENERGIES)
        widths = (2 * ENERGIES, *_CLASSIFIERS[classifier], 1)
        self.layers = nn.ModuleList(itertools.starmap(nn.Linear, itertools.pairwise(widths)))
        self._regions = regions

    def start_from_clips(self, batches: Iterable[Tensor]) -> None:
        """Reads FAN's weights where 68 landmarks are to be found; the clips are not looked at."""
        load_points(self.points)

    def forward(self, clips: Tensor) -> Output:
        """Scores (B, 3, 1, H, W) in 0..1; the embedding (B, 18) is the regions' energies."""
        images = clips[:, :, 0]
        gray = luma(images)
        energies = self.energies(gray)
        masks = self._masks(gray.detach(), self.points(255 * images))
        features = torch.cat([means_in(energies, mask) for mask in masks], dim=1)
        return Output(logit=self._logit(self.standardize(features)), embedding=features)

    def _masks(self, gray: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        size = (gray.shape[2], gray.shape[3])
        if self._regions == "eyes_and_teeth":
            return eyes(points, size), brighter_half(gray, mouth(points, size))
        return nose(points, size), face(points, size)

    def _logit(self, features: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            features = layer(features).relu()
        logit: Tensor = self.layers[-1](features)[:, 0]
        return logit

    def fit_last_part(self, features: Tensor, label: Tensor) -> Tensor:
        """Sets scaling and classifier.

        Args:
            features: (N, 18) embeddings.
            label: (N,), 1 = fake.

        Returns:
            The mean cross entropy of the same features.

        Raises:
            MissingDependencyError: scikit-learn is not installed.
        """
        scaled = self.standardize.fit(features)
        weights = self._fitted(scaled.double().cpu(), label)
        for layer, (weight, bias) in zip(self.layers, weights, strict=True):
            assert isinstance(layer, nn.Linear)
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        return binary_loss(self._logit(scaled).cpu(), label)

    def _fitted(self, features: Tensor, label: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Weight and bias of every layer, by scikit-learn."""
        hidden = [layer.out_features for layer in self.layers[:-1]]
        if not hidden:
            line = import_optional("sklearn.linear_model", "train").LogisticRegression(
                max_iter=1000
            )
            line.fit(features.numpy(), label.numpy())
            return [(torch.from_numpy(line.coef_), torch.from_numpy(line.intercept_))]
        net = import_optional("sklearn.neural_network", "train").MLPClassifier(
            tuple(hidden), alpha=0.1, learning_rate_init=0.001, max_iter=300, random_state=0
        )
        with warnings.catch_warnings():
            # The authors end after 300 rounds, too, settled or not.
            warnings.simplefilter(
                "ignore", import_optional("sklearn.exceptions", "train").ConvergenceWarning
            )
            net.fit(features.numpy(), label.numpy())
        pairs = zip(net.coefs_, net.intercepts_, strict=True)
        return [(torch.from_numpy(w.T), torch.from_numpy(b)) for w, b in pairs]
