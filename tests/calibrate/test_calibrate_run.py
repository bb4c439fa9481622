from __future__ import annotations

from pathlib import Path

import pytest

from unmask.calibrate.run import check_not_trained_on, check_rows
from unmask.errors import DataError, UsageError
from unmask.types import DetectorUse, LabelledVideo


def use(trained_on: str) -> DetectorUse:
    return DetectorUse(name="d", weights="w", sha256="aa", license="MIT", trained_on=trained_on)


def rows(root: Path, real: int, fake: int) -> list[LabelledVideo]:
    labels = [0] * real + [1] * fake
    return [
        LabelledVideo(path=root / f"{number}.mp4", label=label, dataset="s", split="val")
        for number, label in enumerate(labels)
    ]


def test_videos_that_the_weights_were_trained_on_are_refused(tmp_path: Path):
    given = rows(tmp_path / "data" / "val", 1, 0)
    given[0].path.parent.mkdir(parents=True)
    trained = use(f"pseudo-forgeries of 12 videos ({tmp_path}/data, folder)")
    with pytest.raises(DataError, match=r"0\.mp4': its weights were trained on .*Give videos"):
        check_not_trained_on(trained, given)
    check_not_trained_on(use(f"{tmp_path}/elsewhere and/or others"), given)


def test_the_least_number_of_videos_follows_from_the_rates(tmp_path: Path):
    check_rows(rows(tmp_path, 19, 4), 0.05)
    with pytest.raises(DataError, match=r"18 real videos .* at least 19 are needed"):
        check_rows(rows(tmp_path, 18, 4), 0.05)
    with pytest.raises(DataError, match=r"3 fake videos .* at least 4 are needed"):
        check_rows(rows(tmp_path, 19, 3), 0.05)
    with pytest.raises(UsageError, match="false-alarm rate of 0: expected a share"):
        check_rows(rows(tmp_path, 19, 4), 0.0)
