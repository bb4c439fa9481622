"""The scripts of the first minute, with an environment that only says what it was asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ["scripts/scan", "scripts/test", "scripts/quick", "scripts/check", ".ci/run"]

NOT_QUICK = [
    word
    for room in ("cli", "detectors", "explain", "minibench", "papers", "pipeline", "plots", "train")
    for word in ("--ignore", f"tests/{room}")
]

if not (ROOT / "scripts").is_dir() or shutil.which("bash") is None:
    pytest.skip("needs the repository and bash", allow_module_level=True)


def _bash(code, **environment):
    return subprocess.run(
        [shutil.which("bash"), "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def checkout(tmp_path):
    """A copy of the scripts beside a .venv whose unmask prints its words and its place."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "src" / "unmask").mkdir(parents=True)
    (root / "src" / "unmask" / "a.py").write_text("a = 1\n")
    (root / "pyproject.toml").write_text("[project]\n")
    programs = root / ".venv" / "bin"
    programs.mkdir(parents=True)
    python = shutil.which("python3")
    log = root / "pip.log"
    _write(
        programs / "python",
        f'#!/bin/bash\ncase "$*" in\n'
        f'  *"pip install"*) echo "$*" >>"{log}"; echo "pip says"; exit "${{PIP_CODE:-0}}" ;;\n'
        f'  *"-m pytest"*) printf "%s\\n" "$OMP_NUM_THREADS" "$@" ;;\n'
        f"  *pip*|*cv2*) exit 0 ;;\n"
        f'  *) exec "{python}" "$@" ;;\nesac\n',
    )
    _write(programs / "unmask", '#!/bin/bash\nprintf "%s\\n" "$PWD" "$@"\n')
    return root


def _write(path, text):
    path.write_text(text)
    path.chmod(0o755)


def _run(script, *words, cwd, **environment):
    return subprocess.run(
        [script, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        # Without unmask in sight: the environment's Python is the system's.
        env={**os.environ, "PYTHONPATH": "", **environment},
    )


@pytest.mark.parametrize("script", [*SCRIPTS, "scripts/_install.sh"])
def test_scripts_are_whole_and_can_be_run(script):
    path = ROOT / script
    assert _bash(f"bash -n '{path}'").returncode == 0
    assert os.access(path, os.X_OK) == (path.suffix != ".sh")


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        ([], ["demo", "-o", "scan_results/demo", "--overwrite"]),
        (["a b.mp4"], ["scan", "-o", "scan_results", "a b.mp4"]),
        (["a.mp4", "-o", "x"], ["scan", "a.mp4", "-o", "x"]),
        (["a.mp4", "--out=x"], ["scan", "a.mp4", "--out=x"]),
        (["--json", "--", "-odd.mp4"], ["scan", "-o", "scan_results", "--json", "--", "-odd.mp4"]),
    ],
)
def test_scan_runs_where_the_caller_stands(checkout, tmp_path, words, passed):
    ran = _run(checkout / "scripts" / "scan", *words, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [str(tmp_path), *passed]


def test_scan_installs_once_and_again_when_the_sources_change(checkout, tmp_path):
    log = checkout / "pip.log"
    for _ in range(2):
        assert _run(checkout / "scripts" / "scan", cwd=tmp_path).returncode == 0
    assert log.read_text() == f"-m pip install {checkout}\n"
    (checkout / "src" / "unmask" / "a.py").write_text("a = 2\n")
    ran = _run(checkout / "scripts" / "scan", cwd=tmp_path)
    assert ran.stderr.startswith("Installing unmask into")
    assert log.read_text().count("\n") == 2


def test_a_failed_installation_shows_what_pip_said_and_is_tried_again(checkout, tmp_path):
    ran = _run(checkout / "scripts" / "scan", cwd=tmp_path, PIP_CODE="1")
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "pip says\nerror: Installing failed; what it said stands above.\n" in ran.stderr
    assert _run(checkout / "scripts" / "scan", cwd=tmp_path).returncode == 0
    assert (checkout / "pip.log").read_text().count("\n") == 2


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        (["test"], []),
        (["test", "--all"], ["-m", "slow or not slow"]),
        (["test", "tests/media", "-k", "a b"], ["tests/media", "-k", "a b"]),
        (["quick", "--all"], [*NOT_QUICK, "-m", "slow or not slow"]),
    ],
)
def test_tests_run_in_two_processes_of_one_thread(checkout, tmp_path, words, passed):
    script, *given = words
    ran = _run(checkout / "scripts" / script, *given, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    first = ["1", "-m", "pytest", "-n", "2", "--dist", "worksteal"]
    assert ran.stdout.splitlines() == [*first, *passed]


def test_what_quick_leaves_out_exists():
    assert all((ROOT / word).is_dir() for word in NOT_QUICK if word != "--ignore")


def test_without_python_it_says_what_to_install(tmp_path):
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    code = f"source '{ROOT}/scripts/_install.sh'; find_python"
    ran = _bash(code, PATH=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: No Python of version 3.11 or newer was found. Install one")


def test_an_old_python_is_passed_over(tmp_path):
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    _write(tmp_path / "python3.13", "#!/bin/sh\nexit 1\n")
    _write(tmp_path / "python3", "#!/bin/sh\nexit 0\n")
    (tmp_path / "sh").symlink_to("/bin/sh")
    ran = _bash(f"source '{ROOT}/scripts/_install.sh'; find_python", PATH=str(tmp_path))
    assert ran.stdout == "python3\n"
