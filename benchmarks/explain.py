"""Do explanations point at a forgery whose place is known, and do they change with the weights?

    python -m benchmarks explain --data ../shared/media/val/real [-d screener] [--pictures 80]

Pointing game (after Zhang et al., ECCV 2016): a small region of a real face, mouth or eyes, is
self-blended; a map hits if its peak lies inside the region (mask above half of its highest value,
no tolerance). Chance is the region's mean share of the picture. A map that always points at
mouths would hit as well: so the map of the real picture is asked too, and that of the same network
with random weights. Randomisation (Adebayo et al., NeurIPS 2018): Spearman's rank correlation of
the map with that of random weights. The detector's mask, where it has one, stands beside.

The generator also made the training data of the shipped weights: how often a map hits tells of
maps, not of forgeries by other tools. Intervals: bootstrap over sources.
"""

from __future__ import annotations

import argparse
import copy
import csv
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor

from benchmarks import _result
from benchmarks.pseudo import SETS, plain_recipe
from unmask.clips import normalize
from unmask.datasets import read_folder
from unmask.detectors import Detector, get_card
from unmask.explain import grad_cam, occlusion, peak
from unmask.explain.ask import at_input_size
from unmask.explain.occlusion import cover_for
from unmask.metrics import bootstrap_intervals
from unmask.prepare import prepare
from unmask.train.data import cached, prepare_spec_for
from unmask.train.samples import Samples
from unmask.weights import load_detector

REGIONS = ("mouth", "eyes")
SEED = 4242

Map = Callable[[Detector, Tensor], Tensor]


def mask_map(net: Detector, clips: Tensor) -> Tensor:
    """The detector's own mask, stretched to the input."""
    with torch.no_grad():
        return at_input_size(net(clips).mask.sigmoid(), clips)


def randomized(net: Detector, seed: int) -> Detector:
    """The same network as if never trained."""
    other = copy.deepcopy(net.network)
    torch.manual_seed(seed)
    for module in other.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return dataclasses.replace(net, network=other.eval())


def sources_of(data: Path) -> dict[str, str]:
    """The manifest's source of each file (near-duplicates share one); without it, none."""
    manifest = data.parent.parent / "manifest.csv"
    if not manifest.is_file():
        return {}
    with manifest.open(newline="") as lines:
        return {Path(row["path"]).name: row["source"] for row in csv.DictReader(lines)}


def measure(net: Detector, maps: dict[str, Map], pairs: Samples, sources: list[str]) -> Any:
    """Hits of every map on forged and real pictures and with random weights, with intervals."""
    hits: dict[str, list[list[bool]]] = {name: [] for name in maps}
    alike: dict[str, list[float]] = {name: [] for name in maps}
    shares, found = [], []
    for number in range(len(pairs)):
        batch = pairs[number]
        clips = normalize(batch.pixels, net.card.input)
        truth = batch.mask[1, 0].numpy()
        inside = truth > 0.5 * truth.max()
        shares.append(inside.mean())
        with torch.no_grad():
            real, fake = net(clips).logit.tolist()
        found.append(fake > real)
        random = randomized(net, number)
        for name, make in maps.items():
            both = make(net, clips).numpy()[:, 0]
            blind = make(random, clips[1:]).numpy()[0, 0]
            hits[name].append([bool(inside[peak(one)]) for one in (both[1], both[0], blind)])
            if np.ptp(blind) > 0 and np.ptp(both[1]) > 0:
                alike[name].append(float(spearmanr(both[1].ravel(), blind.ravel()).statistic))
    result: dict[str, Any] = {
        "pictures": len(pairs),
        "sources": len(set(sources)),
        "chance": round(float(np.mean(shares)), 4),
        "forged_scores_higher_than_real": round(float(np.mean(found)), 3),
    }
    for name in maps:
        ours, on_real, blind = np.array(hits[name], float).T
        result[name] = {
            "hits": share(ours, sources),
            "hits_in_pictures_found": share(
                ours[found], [s for s, is_found in zip(sources, found, strict=True) if is_found]
            ),
            "same_place_in_real_picture": share(on_real, sources),
            "hits_with_random_weights": share(blind, sources),
            "rank_correlation_with_random_weights": round(float(np.mean(alike[name])), 3),
            "rank_correlation_n": len(alike[name]),
        }
    return result


def share(hits: NDArray[np.float64], sources: list[str]) -> dict[str, Any]:
    """A share with its 95 % interval."""
    interval = bootstrap_intervals(
        {"hits": lambda weights: weights @ hits / weights.sum(axis=1)}, sources
    )["hits"]
    low, high = round(interval.low, 3), round(interval.high, 3)
    return {"share": round(interval.value, 3), "interval": [low, high], "n": len(hits)}


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks explain")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("-d", "--detector", default="screener")
    parser.add_argument("-w", "--weights")
    parser.add_argument("--pictures", type=int, default=80)
    parser.add_argument("--size", type=int, help="edge of occlusion's square in px")
    given = parser.parse_args(arguments)
    net, card = load_detector(given.detector, given.weights), get_card(given.detector)
    recipe = plain_recipe(card)
    rows = read_folder(given.data, split="val")
    faces = prepare(rows, cached(rows, prepare_spec_for(card)), prepare_spec_for(card)).sequences
    file_of = {face.group: face.video.path.name for face in faces}
    source_of = sources_of(given.data)
    covered = functools.partial(occlusion, size_px=given.size)
    maps: dict[str, Map] = {"occlusion": covered, "grad_cam": grad_cam}
    if "mask" in card.outputs:
        maps["mask"] = mask_map
    settings, _ = SETS["raw"]
    regions = {}
    for region in REGIONS:
        pairs = Samples(
            faces, card.input, recipe, given.pictures, SEED, augment=settings, region=region
        )
        files = [file_of[pairs.group_of(number)] for number in range(len(pairs))]
        sources = [source_of.get(file, file) for file in files]
        regions[region] = measure(net, maps, pairs, sources)
        print(region, regions[region], flush=True)
    path = _result.write(
        "explain",
        "python -m benchmarks explain " + " ".join(arguments),
        {
            "detector": given.detector,
            "weights": given.weights,
            "weights_sha256": net.weights.sha256,
            "videos": len(file_of),
            "faces": len(faces),
            "seed": SEED,
            "occlusion_size_px": cover_for((1, *card.input.size), given.size).size[1],
            "chance_is": "mean share of the region in the picture",
            "interval_is": "95 %, bootstrap over sources",
            "regions": regions,
        },
    )
    print(path)
    return 0
