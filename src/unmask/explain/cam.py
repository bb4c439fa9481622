"""Class activation maps: where the layer that a card names is active for "forged".

Grad-CAM by Selvaraju et al. (ICCV 2017, equations 1 and 2), with hooks of our own: the layer may
see pictures, all frames of a clip one after the other, or space and time, and a detector returns
more than a logit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unmask.detectors import Detector
from unmask.detectors.behaviors import HasHeatMaps
from unmask.errors import UsageError
from unmask.explain.ask import at_input_size, check_finite, check_mode, differentiable

if TYPE_CHECKING:
    from torch import Tensor, nn


def grad_cam(detector: Detector, clips: Tensor) -> Tensor:
    """Grad-CAM of the logit at ``card.cam_layer``; one pass forth and back for all clips.

    A map's weight is the mean gradient over the picture; over space and time where the layer
    sees both (3-D Grad-CAM). Negative sums are cut off (ReLU): heat speaks for a forgery, and a
    clip that looks real throughout may have none. The unit is arbitrary: compare within a clip.

    Args:
        detector: in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.

    Returns:
        (B, T, H, W) float32 on the CPU, at least 0, stretched linearly from the layer's size.

    Raises:
        UsageError: the card names no layer, or the network is in train mode.
        WeightsError: the heat is not finite.
    """
    import torch

    check_mode(detector)
    card, network = detector.card, detector.network
    if not card.cam_layer:
        raise UsageError(
            f"Cannot make a class activation map of {card.name}: its card names no layer for it. "
            "Use occlusion, which needs none."
        )
    seen: list[Tensor] = []

    def remember(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        seen.append(output)
        return output.clone()  # A ReLU behind may work in place, which would change what we keep.

    hook = network.get_submodule(card.cam_layer).register_forward_hook(remember)
    try:
        with differentiable(network):
            # So that a gradient exists even where no parameter has one.
            given = clips.detach().clone().requires_grad_()
            logit = detector(given).logit
            maps = seen[-1]
            (gradient,) = torch.autograd.grad(logit.sum(), maps)
    finally:
        hook.remove()
    weights = gradient.flatten(2).mean(dim=2)
    weights = weights.view(*weights.shape, *[1] * (maps.ndim - 2))
    heat = (weights * maps.detach()).sum(dim=1).relu()
    # (B * T, h, w) of single pictures, or (B, T', h, w) of space and time.
    heat = at_input_size(heat.view(len(clips), -1, *heat.shape[-2:]), clips).cpu()
    check_finite(detector, heat)
    return heat


def own_heat(detector: Detector, clips: Tensor, name: str) -> Tensor:
    """A heat map that this detector alone has: ``card.heat_maps``. One pass.

    Of EMD: where its expression stream sees the expression it votes for (class activation map
    by Zhou et al., CVPR 2016; EMD, figure 7), whatever that means for a forgery.

    Args:
        detector: in eval mode.
        clips: (B, C, T, H, W), normalized by its spec.
        name: a key of ``card.heat_maps``.

    Returns:
        (B, T, H, W) float32 on the CPU, of either sign, stretched linearly.

    Raises:
        UsageError: there is no such map, or the network as built does not have what it needs.
        WeightsError: the heat is not finite.
    """
    import torch

    check_mode(detector)
    card = detector.card
    if name not in card.heat_maps:
        known = ", ".join(card.heat_maps) or "none"
        raise UsageError(f"Cannot make the map {name!r} of {card.name}: it has {known}.")
    network = detector.network
    assert isinstance(network, HasHeatMaps)  # As its card says.
    with torch.no_grad():
        found = network.heat_map(name, clips)
    heat = at_input_size(found.view(len(clips), -1, *found.shape[-2:]), clips).cpu()
    check_finite(detector, heat)
    return heat
