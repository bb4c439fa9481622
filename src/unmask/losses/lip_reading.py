"""The loss of lip reading: the spoken word, and the output of a teacher."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def lip_reading_loss(
    logits: Tensor,
    word: Tensor,
    teacher_logits: Tensor | None = None,
    *,
    teacher_weight: float = 1.0,
    temperature: float = 1.0,
) -> Tensor:
    """Cross entropy with the word, plus (with a teacher) the divergence from the teacher.

    Born-again distillation (Furlanello et al. 2018; for lip reading Ma et al. 2021): the teacher
    is the network of the generation before, of the same layout. The divergence is
    KL(teacher || student) and sends no gradient to the teacher.

    Args:
        logits: (B, words) of the student.
        word: (B,) int64, the index of the word spoken.
        teacher_logits: (B, words); None in the first generation.
        teacher_weight: factor of the divergence.
        temperature: both logits are divided by it, and the divergence is multiplied by its
            square, so that the gradient keeps its size.

    Returns:
        A scalar, the mean over the batch.

    >>> import torch
    >>> lip_reading_loss(torch.zeros(1, 4), torch.tensor([2]))
    tensor(1.3863)
    """
    loss = functional.cross_entropy(logits, word)
    if teacher_logits is None:
        return loss
    divergence = functional.kl_div(
        (logits / temperature).log_softmax(dim=1),
        (teacher_logits.detach() / temperature).log_softmax(dim=1),
        reduction="batchmean",
        log_target=True,
    )
    return loss + teacher_weight * temperature**2 * divergence
