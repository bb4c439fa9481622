"""The shape of the command line: one file per command, one spelling per option, cheap refusals."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import unmask.cli
from unmask.cli.main import app

CLI = Path(unmask.cli.__file__).parent


def commands(command: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its words."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", None)
    if not below:
        yield " ".join(words), command
    for word, child in (below or {}).items():
        yield from commands(child, (*words, word))


def test_every_file_is_a_command_and_every_folder_a_group():
    files = {
        path.relative_to(CLI / "commands").with_suffix("")
        for path in (CLI / "commands").rglob("*.py")
        if path.name != "__init__.py"
    }
    # A module cannot be named after a keyword of Python.
    assert {" ".join(file.parts).replace("import_file", "import") for file in files} == {
        name for name, _ in commands()
    }


def test_nothing_prints_past_the_terminal():
    for file in sorted(CLI.rglob("*.py")):
        if file.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "sys.stdout.write"}, file


def test_an_option_has_one_spelling():
    spellings = defaultdict(set)
    for command, parsed in commands():
        for parameter in parsed.params:
            if parameter.param_type_name == "option":
                for word in parameter.opts:
                    spellings[word].add(tuple(parameter.opts))
                    is_plural = word.endswith("s") and word != "--weights"
                    assert not (parameter.multiple and is_plural), (command, word)
    assert {word: found for word, found in spellings.items() if len(found) > 1} == {}


def runs_without_torch(*lines: list[str]) -> list[tuple[int, str]]:
    """Exit code and stderr of commands run one after the other, of which none loads PyTorch."""
    script = f"""
import contextlib, io, json, sys
from unmask.cli.main import main
results = []
for words in {list(lines)!r}:
    with contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(words)
    results.append((code, err.getvalue()))
    assert "torch" not in sys.modules, words
print(json.dumps(results))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [(code, err) for code, err in json.loads(done.stdout)]


def test_what_a_scan_refuses_is_refused_before_torch_is_loaded(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(b"video")
    (tmp_path / "a.json").write_text("old")
    (tmp_path / "found.csv").write_text("old")
    video = str(tmp_path / "a.mp4")
    found = runs_without_torch(
        ["scan", str(tmp_path / "missing.mp4")],
        ["scan", video, "-o", str(tmp_path)],
        ["scan", video, "--csv", str(tmp_path / "found.csv")],
        ["scan", video, "-d", "screenr"],
        ["scan", video, "-w", "screenr=x"],
        ["scan", video, "--device", "gpu"],
    )
    assert [code for code, _ in found] == [1, 1, 1, 2, 2, 2]
    texts = [err for _, err in found]
    assert "there is no such file" in texts[0]
    assert "it exists. Add --overwrite" in texts[1]
    assert "it exists. Add --overwrite" in texts[2]
    assert "Unknown detector 'screenr'. Did you mean 'screener'?" in texts[3]
    assert "Unknown detector 'screenr'. Did you mean 'screener'?" in texts[4]
    assert texts[5] == (
        "error: Unknown device 'gpu'. Give cpu, or cuda for a GPU (cuda:1 for the second one).\n"
    )


def test_a_missing_input_is_refused_before_torch_is_loaded(tmp_path: Path):
    missing, out = str(tmp_path / "missing.mp4"), str(tmp_path / "out")
    found = runs_without_torch(
        ["scan", missing, "-o", out],
        ["explain", missing, "-o", out],
        ["blend", missing, "-o", out],
        ["corrupt", missing, "-k", "blur", "-s", "1", "-o", f"{out}.mp4"],
        ["prepare", "folder", missing, "-o", out],
        ["datasets", "check", "folder", missing],
        ["datasets", "overlap", missing],
    )
    assert [code for code, _ in found] == [1] * len(found), found
    assert all(err.startswith("error: Cannot read ") for _, err in found), found
    assert list(tmp_path.iterdir()) == []


def _with_wrong(option: str, value: str) -> Iterator[list[str]]:
    """Every command that has the option, with a wrong value for it."""
    for words, command in commands():
        for parameter in command.params:
            if parameter.param_type_name == "option" and option in parameter.opts:
                needed = [p for p in command.params if p.required and p is not parameter]
                line = words.split()
                for p in needed:
                    filler = "folder" if p.name in {"layout", "dataset"} else "screener"
                    line += [filler] if p.param_type_name == "argument" else [p.opts[0], "x"]
                yield [*line, option, value]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--detector", "screenr", "Unknown detector 'screenr'. Did you mean 'screener'?"),
        ("--dataset", "foldr", "Unknown data set 'foldr'. Did you mean 'folder'?"),
        ("--device", "gpu", "Unknown device 'gpu'. Give cpu, or cuda"),
    ],
)
def test_every_command_refuses_an_unknown_name_before_torch_is_loaded(option, value, message):
    lines = [
        [word if word != "x" or line[i - 1] != "--severity" else "1" for i, word in enumerate(line)]
        for line in _with_wrong(option, value)
    ]
    assert len(lines) >= 3
    for (code, err), line in zip(runs_without_torch(*lines), lines, strict=True):
        assert (code, message in err) == (2, True), (line, err)
