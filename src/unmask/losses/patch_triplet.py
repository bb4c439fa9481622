"""Triplets of patches: those of one picture are nearer to each other than to another picture's."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def patch_triplet_loss(patches: Tensor, *, margin: float) -> Tensor:
    """Mean hinge over pictures and patches; squared distances (Zhou et al. 2017; FaceNet, Eq. 2).

    A patch's partner is the next patch of the same picture, its opposite the same patch of the
    next picture.

    Args:
        patches: (B, N, D) embeddings of length 1, N patches of B pictures.
        margin: by which the opposite must be farther away than the partner.

    Returns:
        A scalar; 0 for a single picture or a single patch.

    >>> import torch
    >>> near_far = torch.tensor([[[1.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    >>> patch_triplet_loss(near_far, margin=0.2)
    tensor(0.)
    """
    if patches.shape[0] < 2 or patches.shape[1] < 2:
        return 0.0 * patches.sum()
    partner = (patches - patches.roll(1, dims=1)).square().sum(dim=2)
    opposite = (patches - patches.roll(1, dims=0)).square().sum(dim=2)
    return functional.relu(partner - opposite + margin).mean()
