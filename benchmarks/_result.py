"""What every benchmark result carries: when, where, with what."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def processor() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write(name: str, command: str, content: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Writes ``NAME.json`` below ``benchmarks/results`` or ``folder`` and returns its path."""
    import torch

    import unmask

    header = {
        "benchmark": name,
        "command": command,
        "date": datetime.date.today().isoformat(),
        "unmask_version": unmask.__version__,
        "torch": torch.__version__,
        "device": processor(),
        "cores": os.cpu_count(),
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(header | content, indent=1) + "\n")
    return path
