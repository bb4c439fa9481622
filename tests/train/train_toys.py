"""Networks that other processes can import: what they train must not depend on who trains."""

from __future__ import annotations

from torch import Tensor, nn

from unmask.detectors import Card, Output, Paper, Recipe, Target
from unmask.detectors.recipe import Optimizer, Sampling, Schedule, Synthesis
from unmask.types import InputSpec


def _loss(output: Output, target: Target) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(output.logit, target.label)


PLAIN = Card(
    name="plain",
    summary="For tests.",
    paper=Paper(title="N", authors="N", venue="N", year=2026, url="https://example.org"),
    input=InputSpec(size=(32, 32)),
    recipe=Recipe(
        loss=_loss,
        optimizer=Optimizer(kind="sgd", learning_rate=0.1),
        schedule=Schedule(epochs=2, steps_per_epoch=2),
        sampling=Sampling(batch_size=4, augment="shared"),
        synthesis=Synthesis(kind="self_blend"),
    ),
)


class Plain(nn.Module):
    """Neither batch norm nor dropout nor kinks: a batch in parts has the gradients of the whole."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv3d(3, 4, (1, 5, 5), (1, 4, 4)), nn.Tanh())
        self.head = nn.Linear(4, 1)

    def forward(self, clips: Tensor) -> Output:
        embedding = self.body(clips).mean((2, 3, 4))
        return Output(logit=self.head(embedding)[:, 0], embedding=embedding)
