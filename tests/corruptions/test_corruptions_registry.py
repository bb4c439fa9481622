"""A corruption registers itself in its own file; one more changes nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from unmask.corruptions import CORRUPTIONS, Corruption, corrupt
from unmask.corruptions.registry import REGISTERED, register

GAMMA = """
import numpy as np
from unmask.corruptions.registry import Corruption, register

def gamma(frame, power, rng):
    return (255 * (frame / 255.0) ** power).astype(np.uint8)

register(Corruption(name="gamma", parameter="power", values=(1.2, 1.4, 1.6, 1.8, 2.0),
                    draws="nothing", act=gamma, stream=107))
"""

WITH_GAMMA = """
import pkgutil
import sys
import numpy as np

video, out, scripts = sys.argv[1:]
sys.path.insert(0, scripts)
plain = pkgutil.iter_modules

def iter_modules(path=None, prefix=""):  # as if gamma.py lay in the folder
    if path and path[0].endswith("kinds") and "corruptions" in path[0]:
        path.append(out)
    return plain(path, prefix)

pkgutil.iter_modules = iter_modules

from unmask.cli.main import main
from unmask.corruptions import CORRUPTIONS, corrupt

import gen_docs

def run(*arguments):
    try:
        code = main([*arguments]) or 0
    except SystemExit as error:
        code = error.code or 0
    assert not code, (arguments, code)

run("list")
run("corrupt", video, "--kind", "gamma", "--severity", "2", "-o", out + "/gamma.mp4")
assert not gen_docs.main(["--out", out, "--only", "cli/corrupt"])
print("corruptions:", *CORRUPTIONS)
print("noise:", corrupt(np.full((2, 8, 8, 3), 90, np.uint8), "noise", 3, 5).sum())
"""


@pytest.mark.slow
def test_an_eighth_leaves_list_corrupt_and_the_docs_working(portrait_video: Path, tmp_path: Path):
    (tmp_path / "gamma.py").write_text(GAMMA)
    scripts = Path(__file__).parents[2] / "scripts"
    done = subprocess.run(
        [sys.executable, "-c", WITH_GAMMA, str(portrait_video), str(tmp_path), str(scripts)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not done.returncode, done.stdout + done.stderr
    assert f"corruptions: {' '.join(CORRUPTIONS)} gamma" in done.stdout
    assert (tmp_path / "gamma.mp4").is_file()
    # The draws of the others stay what they were.
    noisy = corrupt(np.full((2, 8, 8, 3), 90, np.uint8), "noise", 3, 5)
    assert f"noise: {noisy.sum()}" in done.stdout


def test_a_seed_draws_by_numbers_that_never_change():
    streams = {
        "saturation": 0,
        "contrast": 1,
        "block": 2,
        "noise": 3,
        "blur": 4,
        "pixelation": 5,
        "compression": 6,
    }
    assert {name: CORRUPTIONS[name].stream for name in streams} == streams


@pytest.fixture
def registered() -> Iterator[dict[str, Corruption]]:
    before = dict(REGISTERED)
    yield REGISTERED
    REGISTERED.clear()
    REGISTERED.update(before)


@pytest.mark.parametrize(("name", "stream"), [("blur", 99), ("gamma", 4)])
def test_a_name_or_stream_that_is_taken_is_refused(
    registered: dict[str, Corruption], name: str, stream: int
):
    again = Corruption(
        name=name,
        parameter="none",
        values=(1, 2, 3, 4, 5),
        draws="nothing",
        act=None,
        stream=stream,
    )
    with pytest.raises(ValueError, match=f"one name or stream: blur, {name}"):
        register(again)
    assert registered.keys() == CORRUPTIONS.keys()
