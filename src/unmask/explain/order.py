"""Does a detector depend on the order of frames? It is asked again with the order disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from unmask.clips import ORDERS, reorder, to_tensor
from unmask.explain.ask import BATCH_FRAMES, check_mode, logits_of

if TYPE_CHECKING:
    from unmask.detectors import Detector
    from unmask.types import Clip

ORIGINAL: Final = "original"


def order_logits(
    detector: Detector,
    clip: Clip,
    *,
    draws: int = 5,
    seed: int = 0,
    device: str = "cpu",
    batch_frames: int = BATCH_FRAMES,
) -> dict[str, tuple[float, ...]]:
    """A clip's logits with some frames mirrored or all shuffled (``unmask.clips.ORDERS``).

    After Ganiyusufoglu et al. 2020, table 4. Costs 2 + 4 x draws passes: the original and
    ``flip_every_second`` leave nothing to chance.

    Args:
        detector: of clips, in eval mode.
        clip: has at least five frames.
        draws: how often random choices are made anew.
        seed: seed of the first draw; those of the following count up.
        device: where the network is.
        batch_frames: most frames that go through the network at once.

    Returns:
        ``original`` and every order, each with the logits of its draws.

    Raises:
        UsageError: the clip has too few frames, or the network is in train mode.
        WeightsError: a logit is not finite.
    """
    check_mode(detector)
    plan = {ORIGINAL: [clip]}
    for order in ORDERS:
        count = 1 if order == "flip_every_second" else draws
        plan[order] = [reorder(clip, order, seed + n) for n in range(count)]
    inputs = (to_tensor([altered], device)[0] for some in plan.values() for altered in some)
    logits = iter(logits_of(detector, inputs, batch_frames).tolist())
    return {order: tuple(next(logits) for _ in some) for order, some in plan.items()}
