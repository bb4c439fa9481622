"""What the tests of prepared data share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from scripted_faces import Script, Store
from unmask.prepare import find as find_module
from unmask.types import FacePatch, Frame


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def follow_script(monkeypatch: pytest.MonkeyPatch) -> Callable[[Script], None]:
    """``follow_script(script)``: faces are where the script says, in every frame looked at."""

    def install(script: Script) -> None:
        class Scripted:
            def __init__(self, find: object, needs: object, **options: object) -> None:
                pass

            def __call__(self, frames: Iterable[Frame]) -> Iterator[FacePatch]:
                for frame in frames:
                    yield from script(frame)

        monkeypatch.setattr(find_module, "Follower", Scripted)

    return install
