from __future__ import annotations

import numpy as np
import pytest

from unmask.faces import FaceFinder
from unmask.forgeries import Face
from unmask.types import Pixels


@pytest.fixture(scope="session")
def face(face_image: Pixels) -> Face:
    """The portrait's face, 240x240 pixels around it."""
    found = FaceFinder()(face_image)
    origin = np.array([102, 0], np.float32)
    return Face(
        np.ascontiguousarray(face_image[:240, 102:342]),
        found.landmarks_px[0] - origin,
        found.boxes_px[0] - np.tile(origin, 2),
    )
