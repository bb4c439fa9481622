"""The metrics that choose a checkpoint."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor


class ValidationOutputs(NamedTuple):
    """What validation saw, all (N,): logits, labels, numbers of the items, losses."""

    logit: Tensor
    label: Tensor
    pair: Tensor
    loss: Tensor


def validation_metrics(seen: ValidationOutputs) -> dict[str, float]:
    """AUC, accuracy at 0, share of pairs whose fake scores higher, and the negative mean loss.

    A clip that several processes saw counts once. Pairs are real and fake clips of one item;
    without any (items of one clip each), every real clip is paired with every fake one, which
    is the AUC. A logit that is not finite makes AUC and accuracy 0.

    >>> import torch
    >>> columns = [-1., 2., 1., 3.], [0., 1., 0., 1.], [0, 0, 1, 1], [1., 1., 3., 3.]
    >>> seen = ValidationOutputs(*map(torch.tensor, columns))
    >>> validation_metrics(seen)
    {'auc': 1.0, 'accuracy': 0.75, 'pair_accuracy': 1.0, 'negative_loss': -2.0}
    """
    from sklearn.metrics import roc_auc_score

    label, pair = seen.label.numpy(), seen.pair.numpy()
    _, once = np.unique(np.stack([pair, label]), axis=1, return_index=True)
    label, pair = label[once], pair[once]
    logit, loss = seen.logit.double().numpy()[once], seen.loss.numpy()[once]
    is_usable = bool(np.isfinite(logit).all()) and len(np.unique(label)) == 2
    auc = float(roc_auc_score(label, logit)) if is_usable else 0.0
    real, fake = label == 0, label == 1
    in_pairs = np.array_equal(pair[real], pair[fake])
    better = logit[fake] - logit[real] if in_pairs else np.zeros(0)
    return {
        "auc": auc,
        "accuracy": float(((logit > 0) == fake).mean()) if is_usable else 0.0,
        "pair_accuracy": (
            float((better > 0).mean() + (better == 0).mean() / 2) if in_pairs else auc
        ),
        "negative_loss": -float(loss.mean()),
    }
