"""Videos of one portrait in several looks, and a benchmark built from them once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from unmask.forgeries.kinds import re_rendering
from unmask.minibench import Built, Settings, build
from unmask.types import Pixels

SMALL = Settings(videos=3, other=1, seconds=1.0, size_px=160)


class Bench(NamedTuple):
    videos: Path
    built: Built

    @property
    def path(self) -> Path:
        return self.built.path


@pytest.fixture(scope="session", autouse=True)
def _few_steps() -> Iterator[None]:
    """An autoencoder of a few steps: no test here looks at what it draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(re_rendering, "_STEPS", 4)
        yield


@pytest.fixture(scope="session")
def small() -> Settings:
    return SMALL


@pytest.fixture(scope="session")
def write_face(
    encode: Callable[..., Path], faces: Callable[..., list[Pixels]]
) -> Callable[..., Path]:
    """``write_face(path, look)``: 1.2 s of a swaying face in one of several colors."""

    def write(path: Path, look: int, count: int = 30) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        gain = np.array([1 - 0.05 * look, 1, 1 - 0.03 * look])
        frames = [(frame * gain).astype(np.uint8) for frame in faces(count, 192)]
        return encode(path, frames, options={"crf": "12"})

    return write


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory, write_face: Callable[..., Path]) -> Path:
    """Four videos with a face, one of them in a folder, and one broken file."""
    folder = tmp_path_factory.mktemp("real")
    for look, name in enumerate(("ann.mp4", "ben.mp4", "cleo.mp4", "more/dan.mp4")):
        write_face(folder / name, look)
    (folder / "broken.mp4").write_text("no video")
    (folder / "notes.txt").write_text("no video either, and not taken for one")
    return folder


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, videos: Path) -> Bench:
    """The four videos as a benchmark."""
    return Bench(videos, build(videos, tmp_path_factory.mktemp("bench") / "mini", SMALL))
