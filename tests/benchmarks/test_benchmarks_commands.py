"""Every benchmark can be called; what it measures is not run here."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import benchmarks

FOLDER = Path(benchmarks.__file__).parent
NAMES = sorted(
    path.stem if path.is_file() else path.name
    for path in FOLDER.iterdir()
    if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").is_file())
)


def test_there_is_something_to_call():
    assert {"mixes", "calibrate", "speed"} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_explains_itself(name: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(f"benchmarks.{name}").main(["--help"])
    assert stop.value.code == 0
    assert f"python -m benchmarks {name}" in capsys.readouterr().out
