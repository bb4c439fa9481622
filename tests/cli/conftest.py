"""What the tests of the command line share: a way to run it, and weights that decide nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from unmask.checkpoints import save_weights
from unmask.cli.main import main
from unmask.detectors import build, default_detectors, get_card


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that stderr must hold, without the word in front."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ")
        assert "Traceback" not in self.err
        return lines[0].removeprefix("error: ")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """``cli("scan", path)`` runs a command in this process."""

    def run(*words: object) -> Ran:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


@pytest.fixture(scope="session")
def default_detector() -> str:
    return default_detectors()[0]


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory, default_detector: str) -> Path:
    """Untrained weights of the default detector: without a calibration, so never a decision."""
    torch.manual_seed(0)
    return save_weights(
        build(get_card(default_detector)).state_dict(),
        tmp_path_factory.mktemp("weights") / "untrained.safetensors",
        detector=default_detector,
        tag="untrained",
        license="MIT",
        trained_on="nothing",
    )


@pytest.fixture
def scan_cli(cli: Callable[..., Ran], default_detector: str, weights_file: Path):
    """``cli("scan", …)`` with those weights: a face gives ``inconclusive``, whatever ships."""
    return lambda *words: cli("scan", "-w", f"{default_detector}={weights_file}", *words)
