"""What a recipe may demand of its rows: people on one side only, and masks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from unmask.datasets._adapter import count_of, some
from unmask.errors import DataError
from unmask.types import LabelledVideo


def check_splits(rows: Iterable[LabelledVideo]) -> None:
    """Refuses rows in which a person stands in two splits.

    Rows without identities are held together by their data set and ``source_id`` instead.

    Raises:
        DataError: the message names the identities, their splits and how many there are.
    """
    shared = shared_identities(rows)
    if shared:
        raise DataError(
            f"{count_of(len(shared), 'identity', 'identities')} on both sides: "
            f"{some(in_words(shared))}. Expected each person in one split only, because a "
            "detector that knows the people scores better than it should. Read only one split "
            "(split=…), or split the data by people."
        )


def shared_identities(rows: Iterable[LabelledVideo]) -> dict[str, tuple[str, ...]]:
    """Identity -> its splits, for those that stand in more than one; sorted."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        source = (f"{row.dataset}:{row.source_id}",) if row.source_id else ()
        for identity in row.identities or source:
            splits[identity].add(row.split)
    return {name: tuple(sorted(splits[name])) for name in sorted(splits) if len(splits[name]) > 1}


def in_words(shared: dict[str, tuple[str, ...]]) -> list[str]:
    """Each identity with its splits, for a message."""
    return [f"{name} ({' and '.join(splits)})" for name, splits in shared.items()]


def require_masks(rows: Iterable[LabelledVideo]) -> None:
    """Refuses forgeries without a mask, for recipes that learn where the forgery is.

    Raises:
        DataError: the message names the videos and how many there are.
    """
    fakes = [row for row in rows if row.label == 1]
    bare = [row for row in fakes if row.mask_path is None]
    if bare:
        methods = ", ".join(sorted({row.method for row in bare}))
        raise DataError(
            f"{len(bare):,} of {count_of(len(fakes), 'fake file')} have no mask, but this recipe "
            f"learns from masks: {some(str(row.path) for row in bare)} (of {methods}). Fetch the "
            "masks, leave those methods out (--method names the others), or make pseudo-forgeries: "
            "--set synthesize=self_blend."
        )
