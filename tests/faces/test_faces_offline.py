"""Finding faces sends nothing anywhere: onnxruntime's telemetry stays off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_FIND = """
import numpy as np
from unmask.faces import FaceFinder
print(len(FaceFinder()(np.zeros((64, 64, 3), np.uint8)).confidence))
"""


def test_telemetry_is_off_before_onnxruntime_loads(tmp_path: Path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", _FIND],
        env=environment | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "0"
    # The identifier and the queue of events that onnxruntime keeps would lie here.
    assert [p for p in tmp_path.rglob("*") if "onnxruntime" in p.name.lower()] == []
