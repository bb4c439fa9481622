"""Fits the small autoencoders of the pseudo-forgery kind ``decoded``, and measures them.

    python -m benchmarks decoders --data FACES -o src/unmask/forgeries/decoders.safetensors

FACES is what ``unmask prepare`` made of real training data. The loss is the L1 distance on three
levels of a Laplacian pyramid and, in the second part, a small patch adversary (hinge). One
thread and seeds. Prints and writes the PSNR on faces that were left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import _result
from unmask.forgeries.decoders import LAYOUTS, Layout, autoencoder, layouts_as_json
from unmask.prepare import FaceSequence, read_prepared
from unmask.types import Pixels

PATCH_PX = 64
BATCH = 16
LEFT_OUT = 40
ADVERSARY_FROM = 0.5
ADVERSARY_WEIGHT = 0.03


def patches(pictures: Sequence[Pixels], rng: np.random.Generator, count: int) -> Tensor:
    """(count, 3, 64, 64) in -1..1 of random places, half of them of pictures made smaller."""
    cut: list[Pixels] = []
    while len(cut) < count:
        picture = pictures[int(rng.integers(len(pictures)))]
        room = min(picture.shape[:2]) / PATCH_PX
        if room < 1:
            continue
        share = 1.0 if rng.random() < 0.5 else float(rng.uniform(min(1.0, 1 / room), 1))
        if share < 1:
            size = [max(PATCH_PX, round(n * share)) for n in picture.shape[1::-1]]
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        y, x = (int(rng.integers(n - PATCH_PX + 1)) for n in picture.shape[:2])
        cut.append(picture[y : y + PATCH_PX, x : x + PATCH_PX])
    stacked = torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).float()
    return stacked / 127.5 - 1


def pyramid_distance(made: Tensor, true: Tensor) -> Tensor:
    """L1 on three levels of a Laplacian pyramid, finer levels weighted more."""
    total, left = torch.zeros(()), made - true
    for weight in (1.0, 0.5):
        smooth = functional.avg_pool2d(left, 2)
        large = functional.interpolate(smooth, scale_factor=2.0)
        total = total + weight * (left - large).abs().mean()
        left = smooth
    return total + left.abs().mean()


def adversary() -> nn.Module:
    """Patches of 22 pixels to one number each."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 48, 3, 1, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(48, 1, 1),
    )  # fmt: skip


def fit(layout: Layout, pictures: Sequence[Pixels], steps: int, seed: int) -> nn.Module:
    """Adam, cosine; the adversary joins half-way."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net, judge = autoencoder(layout), adversary()
    ours = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.99))
    theirs = torch.optim.Adam(judge.parameters(), lr=1e-3, betas=(0.5, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(ours, steps, eta_min=2e-4)
    for step in range(steps):
        true = patches(pictures, rng, BATCH)
        made = net(true)
        loss = pyramid_distance(made, true)
        if step >= ADVERSARY_FROM * steps:
            loss = loss - ADVERSARY_WEIGHT * judge(made).mean()
        ours.zero_grad()
        torch.autograd.backward(loss)
        ours.step()
        schedule.step()
        if step >= ADVERSARY_FROM * steps - 50:
            shown = made.detach()
            theirs.zero_grad()
            hinge = (
                functional.relu(1 - judge(true)).mean() + functional.relu(1 + judge(shown)).mean()
            )
            torch.autograd.backward(hinge)
            theirs.step()
    return net.eval()


def psnr(net: nn.Module, pictures: Sequence[Pixels]) -> float:
    """Mean PSNR in dB over 256 patches of pictures that did not train."""
    true = patches(pictures, np.random.default_rng(0), 256)
    with torch.inference_mode():
        error = (net(true).clamp(-1, 1) - true).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / error)).mean())


def read(sequences: Sequence[FaceSequence]) -> list[Pixels]:
    """The first frame of every sequence."""
    return [sequence.pixels([0])[0] for sequence in sequences]


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks decoders")
    parser.add_argument("--data", required=True, type=Path, help="of unmask prepare, real faces")
    parser.add_argument("-o", "--out", required=True, type=Path)
    parser.add_argument("--steps", type=int, default=1200, help="of each")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    real = [s for s in read_prepared(given.data).sequences if not s.label]
    by_file: dict[int, FaceSequence] = {}
    for sequence in real:
        by_file.setdefault(sequence.group, sequence)
    order = np.random.default_rng(0).permutation(sorted(by_file))
    apart = {int(group) for group in order[:LEFT_OUT]}
    kept = read([s for s in real if s.group not in apart])
    left_out = read([by_file[group] for group in sorted(apart)])
    tensors: dict[str, Tensor] = {}
    figures: list[dict[str, Any]] = []
    for number, layout in enumerate(LAYOUTS):
        start = time.perf_counter()
        net = fit(layout, kept, given.steps, seed=number)
        state = net.state_dict()
        tensors |= {f"{number}.{key}": value.half().contiguous() for key, value in state.items()}
        figures.append(
            {
                "up": layout.up,
                "halvings": layout.halvings,
                "code": layout.code,
                "numbers": sum(value.numel() for value in state.values()),
                "psnr_db": round(psnr(net, left_out), 2),
                "minutes": round((time.perf_counter() - start) / 60, 1),
            }
        )
        print(figures[-1], flush=True)
    save_file(tensors, given.out, metadata={"layouts": layouts_as_json()})
    command = "python -m benchmarks decoders " + " ".join(arguments)
    content = {
        "files": len(by_file),
        "pictures": len(kept),
        "left_out": LEFT_OUT,
        "fitted": figures,
    }
    print(_result.write("decoders", command, content))
    return 0
