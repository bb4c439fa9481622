from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import pytest
from PIL import Image

from unmask.types import Pixels

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="session")
def formula() -> ModuleType:
    """The generator and comparison that the parity fixtures are written for."""
    spec = importlib.util.spec_from_file_location("parity_formula", FIXTURES / "formula.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def real_and_forged(
    tmp_path_factory: pytest.TempPathFactory, faces: Callable[..., list[Pixels]]
) -> Path:
    """Four photographs of a face, and the same after a median filter as the forged ones."""
    root = tmp_path_factory.mktemp("real_and_forged") / "data"
    for name, change in (("real", lambda p: p), ("fake/smooth", lambda p: cv2.medianBlur(p, 5))):
        folder = root / name
        folder.mkdir(parents=True)
        for number, picture in enumerate(faces(4, 240)):
            Image.fromarray(change(picture)).save(folder / f"{number}.png")
    return root
