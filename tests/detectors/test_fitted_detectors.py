"""Detectors that scikit-learn fits: their features, and that the tensors say what it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from torch import Tensor, nn

import unmask
from unmask.detectors import get_card
from unmask.errors import UsageError, WeightsError
from unmask.nn.face_parts import brighter_half, eyes, face, mouth, nose
from unmask.nn.face_points import FacePoints, five_points
from unmask.nn.head_poses import CENTRAL_OF_68, HEAD_OF_68, WHOLE_OF_68
from unmask.nn.laws import TextureEnergies
from unmask.train import train
from unmask.types import Pixels

FITTED = ("steg_svm", "head_pose", "visual_artifacts")


def built(name: str, **args: object) -> nn.Module:
    torch.manual_seed(0)
    return get_card(name).changed(args=args).build().eval()


def gray_noise(seed: int = 0, side: int = 24) -> Tensor:
    """(1, 3, 1, side, side) of whole gray levels, soft enough for residuals of every size."""
    rng = np.random.default_rng(seed)
    levels = np.cumsum(rng.integers(-2, 3, (side, side)), axis=1) + 128
    return torch.from_numpy(levels).float().expand(1, 3, 1, side, side).clone()


def counted(gray: np.ndarray) -> np.ndarray:
    """The 162 features, place by place."""
    height, width = gray.shape
    rows, columns = np.full(gray.shape, np.nan), np.full(gray.shape, np.nan)
    for y in range(2, height - 2):
        for x in range(2, width - 2):
            across, down = gray[y, x - 1 : x + 3], gray[y - 1 : y + 3, x]
            for into, line in ((rows, across), (columns, down)):
                into[y, x] = line[0] - 3 * line[1] + 3 * line[2] - line[3]
    rows, columns = (
        np.clip(np.round(r[2:-2, 2:-2] / 3), -1, 1).astype(int) + 1 for r in (rows, columns)
    )
    histogram = np.zeros((2, 81))
    powers = 3 ** np.arange(4)
    for y in range(2, height - 6):
        for x in range(2, width - 6):
            for residual, along in ((rows, 0), (columns, 1)):
                histogram[along, powers @ residual[y, x - 2 : x + 2]] += 1
                histogram[1 - along, powers @ residual[y - 2 : y + 2, x]] += 1
    return histogram.ravel() / (2 * (height - 8) * (width - 8))


def test_co_occurrences_are_those_counted_place_by_place():
    clips = gray_noise()
    with torch.no_grad():
        found = built("steg_svm")(clips).embedding[0].numpy()
    expected = counted(clips[0, 0, 0].numpy().astype(float))
    assert (expected > 0).sum() > 40
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[:81].sum() == pytest.approx(1, abs=1e-5)


def test_a_turned_picture_has_the_same_co_occurrences():
    net, clips = built("steg_svm"), gray_noise()
    with torch.no_grad():
        turned = net(clips.transpose(3, 4)).embedding
        torch.testing.assert_close(turned, net(clips).embedding)


def test_the_network_of_residuals_begins_as_the_histogram():
    """With a softmax that is as good as hard."""
    clips = gray_noise()
    with torch.no_grad():
        soft = built("cozzolino", sharpness=1e4)(clips).embedding
        torch.testing.assert_close(soft, built("steg_svm")(clips).embedding, atol=1e-5, rtol=0)
        blurred = built("cozzolino")(clips).embedding
    assert (blurred - soft).abs().max() > 1e-3


def test_all_parts_of_the_network_of_residuals_learn():
    net = built("cozzolino").train()
    output = net(torch.cat([gray_noise(seed) for seed in range(4)]))
    output.logit.square().sum().backward()
    trained = {key: float(p.grad.abs().sum()) for key, p in net.named_parameters()}
    assert trained.keys() == {
        *("residuals.weight", "words.words", "words.offset", "head.weight", "head.bias")
    }
    assert min(trained.values()) > 0


def two_clouds(width: int, count: int = 120) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(1)
    label = np.arange(count) % 2
    features = rng.normal(size=(count, width)) * 3 + 5
    features[:, 0] += 7 * label
    features[:, 1] = 7  # never changes
    return torch.from_numpy(features).float(), torch.from_numpy(label).float()


@pytest.mark.parametrize(
    ("name", "args", "machine"),
    [
        ("steg_svm", {}, LinearSVC(C=1.0, max_iter=100_000, random_state=0)),
        ("head_pose", {}, SVC(kernel="rbf", gamma=1 / 12)),
        ("visual_artifacts", {"classifier": "logistic"}, LogisticRegression(max_iter=1000)),
        (
            "visual_artifacts",
            {},
            MLPClassifier((64, 64, 64), alpha=0.1, max_iter=300, random_state=0),
        ),
    ],
    ids=["linear", "rbf", "logistic", "perceptron"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_is_fitted_says_what_scikit_learn_says(name, args, machine):
    net = built(name, **args)
    features, label = two_clouds(net.standardize.mean.numel())
    with torch.no_grad():
        loss = net.fit_last_part(features, label)
        scaled = net.standardize(features)
        if name == "steg_svm":
            found = net.head(scaled)[:, 0]
        else:
            found = net._distance(scaled) if name == "head_pose" else net._logit(scaled)
    given = features.double().numpy()
    pipeline = make_pipeline(StandardScaler(), machine).fit(given, label.numpy())
    if isinstance(machine, MLPClassifier):
        probability = pipeline.predict_proba(given)[:, 1]
        np.testing.assert_allclose(found.sigmoid().numpy(), probability, atol=1e-3)
    else:
        expected = pipeline.decision_function(given)
        np.testing.assert_allclose(found.numpy(), expected, atol=2e-3)
    assert ((found > 0) == (label > 0)).float().mean() > 0.8
    assert 0 <= float(loss) < 0.7
    assert net.standardize.scale[1] == 1


def test_more_clips_than_places_for_support_vectors_are_drawn_from():
    net = built("head_pose", most=40)
    features, label = two_clouds(12, 200)
    with torch.no_grad():
        net.fit_last_part(features, label)
        found = net._distance(net.standardize(features))
    assert net.support.shape == (40, 12)
    assert ((found > 0) == (label > 0)).float().mean() > 0.6


class _Given(nn.Module):
    """Points that are known, whatever the picture."""

    def __init__(self, points: np.ndarray) -> None:
        super().__init__()
        self.points = torch.from_numpy(points).float()[None]

    def forward(self, images: Tensor) -> Tensor:
        return self.points.expand(len(images), -1, -1)


def seen_head(turn: tuple[float, float, float], side: int = 320) -> np.ndarray:
    """(68, 2): where the points of the average head are seen, turned by so many radians."""
    camera = np.array([[2.5 * side, 0, side / 2], [0, 2.5 * side, side / 2], [0, 0, 1]])
    shift = np.array([0.1, -0.1, 7.0])
    seen = cv2.projectPoints(HEAD_OF_68, np.array(turn), shift, camera, None)[0][:, 0]
    points = np.zeros((68, 2))
    points[list(WHOLE_OF_68)] = seen
    return points


def pose_difference(points: np.ndarray) -> Tensor:
    net = built("head_pose")
    # As built for 68 points, but with points that need no FAN.
    net._whole = list(WHOLE_OF_68)
    net._central = [net._whole.index(number) for number in CENTRAL_OF_68]
    net.head = torch.from_numpy(HEAD_OF_68).float()
    net.points = _Given(points)
    with torch.no_grad():
        return net(torch.zeros(1, 3, 1, 320, 320)).embedding[0]


def test_a_whole_head_is_turned_as_its_middle_is():
    difference = pose_difference(seen_head((0.2, -0.3, 0.05)))
    assert difference.abs().max() < 1e-3


def test_the_face_of_another_head_shows_in_the_difference():
    points, other = seen_head((0.2, -0.3, 0.05)), seen_head((0.2, 0.0, 0.05))
    points[list(CENTRAL_OF_68)] = other[list(CENTRAL_OF_68)]
    difference = pose_difference(points)
    assert difference[:9].abs().max() > 0.05


def test_68_points_lie_symmetrically_on_the_head():
    jaw = HEAD_OF_68[:17]
    np.testing.assert_allclose(jaw[:, 0], -jaw[::-1, 0])
    np.testing.assert_allclose(jaw[:, 1:], jaw[::-1, 1:])
    # In a camera's axes y points down and z away: the chin is low, the nose tip nearest.
    assert jaw[8, 1] == HEAD_OF_68[:, 1].max()
    assert HEAD_OF_68[:, 2].argmin() == 30


def test_five_points_of_a_portrait_lie_on_the_face(faces: Callable[..., list[Pixels]]):
    picture = torch.from_numpy(faces(1, 256)[0]).permute(2, 0, 1).float()[None]
    points = five_points(picture.repeat(2, 1, 1, 1))
    assert torch.equal(points[0], points[1])
    left, right, tip, *corners = points[0]
    assert left[0] < tip[0] < right[0]
    assert max(left[1], right[1]) < tip[1] < min(corner[1] for corner in corners)
    assert 20 < float((right - left).norm()) < 60
    # conftest's face is in the middle of the picture.
    assert (points[0].mean(dim=0) - 128).abs().max() < 25


class _Peaks(nn.Module):
    """In place of FAN: every map peaks at one cell, x = 40 and y = 20."""

    def forward(self, crops: Tensor) -> list[Tensor]:
        heat = torch.zeros(len(crops), 68, 64, 64)
        heat[:, :, 20, 40] = 1
        return [heat]


def test_places_in_fans_crop_are_places_in_the_picture():
    finder = FacePoints(5, margin=1.6)
    finder.fan = _Peaks()
    points = finder(torch.zeros(1, 3, 320, 320))
    # A crop of 400/165 sides of the box (200 px), 0.12 of a side above its middle.
    side = 200 * 400 / 165
    expected = [160 + (40.5 / 64 - 0.5) * side, 160 - 0.12 * 200 + (20.5 / 64 - 0.5) * side]
    np.testing.assert_allclose(points[0, 0].numpy(), expected, rtol=1e-4)


def test_68_points_take_fans_layers_and_its_weights_from_the_cache(cache: Path):
    pytest.importorskip("face_alignment")
    net = built("head_pose", points=68)
    assert not any(p.requires_grad for p in net.points.parameters())
    assert not net.train().points.fan.training
    with pytest.raises(WeightsError, match=r"No weights for 68 points at .*landmarks-2DFAN4"):
        net.start_from_clips(iter(()))
    path = cache / "landmarks-2DFAN4-11f355bf06.pth.tar"
    path.parent.mkdir(parents=True)
    torch.save({"other": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="do not fit: expected the tensors of FAN"):
        net.start_from_clips(iter(()))
    torch.save(built("visual_artifacts", points=68).points.fan.state_dict(), path)
    net.start_from_clips(iter(()))
    with torch.no_grad():
        assert net(torch.rand(1, 3, 1, 320, 320) * 255).embedding.isfinite().all()


@pytest.mark.parametrize("name", ["head_pose", "visual_artifacts"])
def test_another_number_of_points_is_refused(name: str):
    with pytest.raises(UsageError, match="Cannot find 6 points of a face: expected 5 or 68"):
        built(name, points=6)


@pytest.mark.parametrize(("key", "known"), [("classifier", "mlp"), ("regions", "eyes_and_teeth")])
def test_an_unknown_variant_is_refused(key: str, known: str):
    with pytest.raises(UsageError, match=f"{key}='none': expected {known} or"):
        built("visual_artifacts", **{key: "none"})


def test_parts_by_five_points_lie_where_they_should():
    points = torch.tensor([[[40.0, 40], [80, 40], [60, 60], [45, 80], [75, 80]]])
    size = (120, 120)
    found = {part.__name__: part(points, size)[0, 0] for part in (eyes, mouth, nose, face)}
    assert found["eyes"][40, 40] == found["eyes"][40, 80] == found["mouth"][80, 60] == 1
    assert found["eyes"][40, 60] == found["nose"][40, 40] == 0
    assert found["face"].sum() > 10 * found["eyes"].sum()
    assert all(bool((found["face"] >= part).all()) for part in found.values())


def test_parts_by_68_points_are_their_outlines():
    points = torch.zeros(1, 68, 2)
    points[0, 36:42] = torch.tensor([[10.0, 20], [14, 16], [18, 16], [22, 20], [18, 24], [14, 24]])
    points[0, 42:48] = points[0, 36:42] + torch.tensor([30.0, 0])
    found = eyes(points, (40, 64))[0, 0]
    assert found.sum() == 2 * 64  # the area of each hexagon
    rows, columns = (index + 0.5 for index in found.nonzero(as_tuple=True))
    assert float(rows.mean()) == 20
    # Middles of pixels on the left outline are inside, those on the right one are not.
    assert columns[columns < 32].unique().tolist() == [10.5 + i for i in range(11)]
    assert columns[columns > 32].unique().tolist() == [40.5 + i for i in range(11)]


def test_teeth_are_the_brighter_pixels_of_a_mouth():
    gray = torch.full((1, 1, 10, 10), 0.2)
    gray[0, 0, 4:6, 2:8] = 0.8
    gray[0, 0, 0] = 1  # outside of the mouth
    mask = torch.zeros(1, 1, 10, 10)
    mask[0, 0, 3:7, 1:9] = 1
    teeth = brighter_half(gray, mask)
    assert teeth.sum() == 12
    assert torch.equal(teeth[0, 0, 4:6, 2:8], torch.ones(2, 6))


def test_texture_energies_tell_flat_from_rough_and_ignore_brightness():
    energies = TextureEnergies()
    rough = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert energies(torch.full((1, 1, 40, 40), 0.7)).abs().max() < 1e-4
        torch.testing.assert_close(energies(rough + 0.3), energies(rough), atol=1e-4, rtol=1e-3)
        assert (energies(rough).mean(dim=(2, 3)) > 0.05).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", FITTED)
def test_fitted_by_the_trainer_saved_and_scanned_with(
    name: str, real_and_forged: Path, portrait_video: Path, cache: Path, tmp_path: Path
):
    path = train(
        *(name, real_and_forged, tmp_path / "run"),
        validation=real_and_forged,
        settings=["batch_size=8", "steps_per_epoch=4", "validation_pairs=8"],
        workers=0,
        progress=False,
    )
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert [row["epoch"] for row in record["curve"]] == [0]
    # A median filter takes away what two of three look at; it turns no head.
    assert record["best"]["auc"] >= (0.9 if name != "head_pose" else 0)
    assert path.suffix == ".safetensors"
    verdict = unmask.scan(portrait_video, [name], weights={name: path})
    assert len(verdict.clip_scores) > 0
    assert all(np.isfinite(score.logit) for score in verdict.clip_scores)
    assert len({score.logit for score in verdict.clip_scores}) > 1
