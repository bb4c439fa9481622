"""A short training on drawn pairs: AdamW, cosine, one thread; it goes on from its checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.compare_recipes._draws import BLOCK, Draws, draws, forget_draws
from benchmarks.compare_recipes._plan import Run
from unmask.checkpoints.safetensors_file import read_safetensors
from unmask.clips import normalize
from unmask.detectors import Card, Target, get_card
from unmask.errors import DataError
from unmask.weights import load_weights

DETECTOR: Final = "efficientnet_lite"
_STARTS: Final = {"lite0": "imagenet", "lite1": "imagenet_lite1", "lite2": "imagenet_lite2"}
_SAVED_EVERY: Final = 50
CHECKPOINTS: Final = Path(__file__).parents[1] / "checkpoints"
"""Networks that later runs may go on from, as weights files of the detector."""

Log = list[dict[str, float]]


def card_of(run: Run) -> Card:
    """The detector's card with the run's arguments and input size."""
    size = (run.size, run.size)
    return get_card(DETECTOR).changed(args=run.args, input={"size": size})


def frozen_parts(stages: int) -> tuple[str, ...]:
    """Names of the parts that are not trained: none for -1.

    >>> frozen_parts(1)
    ('body.conv_stem', 'body.bn1', 'body.blocks.0')
    """
    if stages < 0:
        return ()
    return ("body.conv_stem", "body.bn1", *(f"body.blocks.{n}" for n in range(stages)))


def net_path(work: Path, name: str) -> Path:
    """Where a run's network lies."""
    return work / "runs" / name / "net.pt"


def read_net(work: Path, name: str) -> dict[str, Tensor]:
    """The state dict of a run's network, of this machine, else one that was kept.

    Raises:
        DataError: the run was not done here, and its network was not kept.
    """
    path, kept = net_path(work, name), CHECKPOINTS / f"recipe-{name}.safetensors"
    if not path.is_file() and kept.is_file():
        return {
            key: value.float() if value.is_floating_point() else value
            for key, value in read_safetensors(kept).items()
        }
    if not path.is_file():
        raise DataError(f"Cannot go on from run {name}: there is no '{path}'. Do that run first.")
    state: dict[str, Tensor] = torch.load(path, weights_only=True)
    return state


def clips_of(material: Draws, at: slice, card: Card) -> Tensor:
    """Pairs of a material as a network takes them, real and forged in turn."""
    pixels = torch.from_numpy(np.array(material.pixels[at])).flatten(0, 1)
    return normalize(pixels[:, None], card.input)


class Training:
    """One run: the network, its optimizer and where it is; ``folder`` holds its checkpoint."""

    def __init__(self, run: Run, work: Path, folder: Path) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(run.seed)
        self.run, self._checkpoint = run, folder / "checkpoint.pt"
        self.card = card_of(run)
        self.net = self.card.build()
        if run.start:
            self.net.load_state_dict(read_net(work, run.start))
        else:
            load_weights(self.net, self.card, _STARTS[str(self.card.args["size"])])
        self._frozen = [self.net.get_submodule(part) for part in frozen_parts(run.frozen)]
        for part in self._frozen:
            part.requires_grad_(False)
        self.net.to(memory_format=torch.channels_last)
        self._optimizer = torch.optim.AdamW(_groups(self.net, run))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, _cosine(run.steps))
        self._average = {k: v.clone() for k, v in self.net.state_dict().items()}
        self._work = work
        self._block, self._draws = -1, None
        self.log: Log = []
        self.step, self.cpu_s, self.draw_cpu_s = 0, 0.0, 0.0
        if self._checkpoint.is_file():
            self._go_on(torch.load(self._checkpoint, weights_only=True))

    def _go_on(self, state: Mapping[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self._average, self.log = state["average"], state["log"]
        self.step, self.cpu_s = state["step"], state["cpu_s"]
        self.draw_cpu_s = state.get("draw_cpu_s", 0.0)

    def learn(self, say: Callable[[str], None]) -> None:
        """Takes the steps that are left; the network is then in eval mode."""
        start = time.process_time() - self.cpu_s
        self._drawing_s = 0.0
        losses, in_order = [], []
        while self.step < self.run.steps:
            self.net.train()
            for part in self._frozen:
                part.eval()
            loss, logit = self._one_step()
            losses.append(loss)
            in_order += (logit[1::2] > logit[::2]).tolist()
            if self.step % _SAVED_EVERY == 0 or self.step == self.run.steps:
                self.cpu_s = time.process_time() - start - self._drawing_s
                means = {"loss": float(np.mean(losses)), "in_order": float(np.mean(in_order))}
                row = {"step": self.step, **means, "cpu_s": self.cpu_s}
                self.log.append({key: round(value, 4) for key, value in row.items()})
                losses, in_order = [], []
                say(f"{self.run.name} {self.log[-1]}")
                self._save()
        if self.run.average:
            self.net.load_state_dict(self._average)
        self.net.eval()

    def _one_step(self) -> tuple[float, Tensor]:
        clips, target = self._batch()
        loss, logit = self._gradients(clips, target)
        if self.run.sam:
            self._at_the_worst(clips, target)
        learning = [p for p in self.net.parameters() if p.grad is not None]
        nn.utils.clip_grad_norm_(learning, self.run.clip)
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        if self.run.average:
            self._add_to_average()
        return loss, logit

    def _batch(self) -> tuple[Tensor, Target]:
        pairs = self.run.pairs
        material, first = self._drawn(self.step * pairs)
        at = slice(first, first + pairs)
        forged = torch.from_numpy(material.masks[at].astype(np.float32) / 255)
        mask = torch.stack([torch.zeros_like(forged), forged], dim=1).flatten(0, 1)
        numbers = torch.arange(2 * pairs)
        target = Target(label=(numbers % 2).float(), mask=mask[:, None], pair=numbers // 2)
        return clips_of(material, at, self.card), target

    def _drawn(self, number: int) -> tuple[Draws, int]:
        """The block that a pair is in, and its place there; what it costs counts as drawing."""
        block, first = divmod(number, BLOCK)
        if self._draws is None or block != self._block:
            run, start = self.run, time.process_time()
            if self._draws is not None:
                forget_draws(self._work, run.material, run.size, run.seed, self._block)
            self._block = block
            self._draws = draws(self._work, run.material, run.size, run.seed, block)
            self._drawing_s += time.process_time() - start
            self.draw_cpu_s += self._draws.cpu_s
        return self._draws, first

    def _gradients(self, clips: Tensor, target: Target) -> tuple[float, Tensor]:
        """Loss and logits; an observer takes the logits of the forward pass that trains."""
        seen: list[tuple[Tensor, Tensor]] = []
        head = self.net.get_submodule("class_head")
        hook = head.register_forward_hook(lambda m, i, out: seen.append((i[0], out)))
        self._optimizer.zero_grad(set_to_none=True)
        loss = self.card.training_loss(self.net, clips, target)
        hook.remove()
        (embedding, logit), *_ = seen
        if self.run.twin:
            loss = loss + self.run.twin * twin_loss(embedding)
        loss.backward()
        return float(loss.detach()), logit.detach()[:, 0]

    def _at_the_worst(self, clips: Tensor, target: Target) -> None:
        """Replaces the gradients by those at the worst point nearby (SAM, ICLR 2021)."""
        learning = [p for p in self.net.parameters() if p.grad is not None]
        norm = torch.stack([p.grad.norm() for p in learning if p.grad is not None]).norm()
        ways = [p.grad * (self.run.sam / (norm + 1e-12)) for p in learning if p.grad is not None]
        with torch.no_grad():
            for parameter, way in zip(learning, ways, strict=True):
                parameter.add_(way)
        self._gradients(clips, target)
        with torch.no_grad():
            for parameter, way in zip(learning, ways, strict=True):
                parameter.sub_(way)

    @torch.no_grad()
    def _add_to_average(self) -> None:
        share = min(self.run.average, self.step / (self.step + 10))
        for key, value in self.net.state_dict().items():
            if value.is_floating_point():
                self._average[key].lerp_(value, 1 - share)
            else:
                self._average[key].copy_(value)

    def _save(self) -> None:
        state = {
            "net": self.net.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
            "average": self._average,
            "log": self.log,
            "step": self.step,
            "cpu_s": self.cpu_s,
            "draw_cpu_s": self.draw_cpu_s,
        }
        partial = self._checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self._checkpoint)


def twin_loss(embedding: Tensor) -> Tensor:
    """How far apart the embeddings of one face at two rates are: 1 - their cosine, the mean.

    Args:
        embedding: (B, D) of a material with twins: real and forged, then both again.

    >>> twin_loss(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]))
    tensor(0.5000)
    """
    first, second = embedding.view(-1, 2, 2, embedding.shape[1]).unbind(dim=1)
    return (1 - nn.functional.cosine_similarity(first, second, dim=2)).mean()


def _groups(net: nn.Module, run: Run) -> list[dict[str, Any]]:
    learning = [p for p in net.parameters() if p.requires_grad]
    return [
        {"params": [p for p in learning if p.ndim > 1], "lr": run.rate, "weight_decay": run.decay},
        {"params": [p for p in learning if p.ndim <= 1], "lr": run.rate, "weight_decay": 0.0},
    ]


def _cosine(steps: int) -> Callable[[int], float]:
    warm = max(1, min(100, steps // 20))

    def share(step: int) -> float:
        rise = min(1.0, (step + 1) / warm)
        return rise * 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))

    return share
