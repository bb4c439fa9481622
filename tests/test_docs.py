"""What the documentation says exists: commands, names, links, dependencies, the version."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import command_pages
import detector_pages
import gen_docs
import pytest
import typer
import typer.main
import yaml
from PIL import Image

import unmask
from unmask._version import __version__
from unmask.cli.main import app
from unmask.detectors import get_card, list_detectors
from unmask.types import FaceVerdict, Verdict

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "EXPERIMENTS.md"]
)


def _commands() -> dict[str, Any]:
    """Every command without commands below it, by its words after ``unmask``."""

    def walk(command: Any, words: str) -> Iterator[tuple[str, Any]]:
        below: Mapping[str, Any] = getattr(command, "commands", None) or {}
        if not below:
            yield words, command
        for name, child in below.items():
            yield from walk(child, f"{words} {name}".strip())

    return dict(walk(typer.main.get_command(app), ""))


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _command_lines(text: str) -> list[str]:
    """Commands of ``unmask`` in code blocks and in code of table rows."""
    lines = [line for block in _blocks(text, "bash") for line in block.splitlines()]
    lines += re.findall(r"^\| `(unmask [^`]*)` \|", text, re.MULTILINE)
    return [line for line in lines if line.startswith("unmask ")]


def _problem(line: str) -> str:
    """What is wrong with a documented command line; empty if nothing is."""
    words = shlex.split(line.replace("[", " ").replace("]", " "), comments=True)[1:]
    known = _commands()
    name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), None)
    if name is None:
        return f"{line!r}: there is no such command"
    options = {"--help", *(o for p in known[name].params for o in (*p.opts, *p.secondary_opts))}
    unknown = [word for word in words if word.startswith("-") and word not in options]
    return f"{line!r}: unknown {', '.join(unknown)}" if unknown else ""


PAGES_WITH_COMMANDS = [page for page in PAGES if _command_lines(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=lambda page: page.name)
def test_documented_commands_and_their_options_exist(page: Path) -> None:
    lines = _command_lines(page.read_text(encoding="utf-8"))
    assert [problem for line in lines if (problem := _problem(line))] == []


def test_wrong_command_lines_would_be_noticed() -> None:
    assert _problem("unmask scan x.mp4 -o DIR") == ""
    assert "no such command" in _problem("unmask scann x.mp4")
    assert "--outt" in _problem("unmask scan x.mp4 [--outt DIR]")


def test_commands_page_lists_every_command_once() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`unmask ([a-z]+(?: [a-z]+)?)`\]", page, re.MULTILINE)
    assert sorted(rows) == sorted(_commands())


@pytest.mark.parametrize("name", ["scan", "test"])
def test_readme_opens_with_the_two_scripts_and_they_run(name: str) -> None:
    first = _blocks(README, "bash")[0]
    assert f"./scripts/{name}" in first
    script = ROOT / "scripts" / name
    assert script.is_file() and script.stat().st_mode & 0o111


def test_python_examples_use_names_that_exist() -> None:
    blocks = _blocks(README, "python") + _blocks(PYTHON, "python")
    assert len(blocks) == 2
    used = [node for block in blocks for node in ast.walk(ast.parse(block))]
    owners: dict[str, Any] = {"unmask": unmask, "verdict": Verdict, "face": FaceVerdict}
    checked = 0
    for node in used:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = owners.get(node.value.id)
            if owner is not None:
                assert hasattr(owner, node.attr), f"{node.value.id}.{node.attr}"
                checked += 1
    assert checked >= 16


def _python_imports() -> list[tuple[str, str]]:
    """What the Python of all pages imports from unmask: module and name."""
    found = set()
    for page in PAGES:
        for block in _blocks(page.read_text(encoding="utf-8"), "python"):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unmask"):
                    found |= {(str(node.module), alias.name) for alias in node.names}
    return sorted(found)


@pytest.mark.parametrize(("module", "name"), _python_imports())
def test_python_of_the_pages_imports_what_exists(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


_PATH = re.compile(r"`((?:src|tests|scripts|benchmarks|docs)/[\w./-]+)`")


def _missing_paths(text: str) -> list[str]:
    """Paths of this repository that a text names and that are not there."""
    named = [path for path in _PATH.findall(text) if "NAME" not in path]
    return [path for path in named if not (ROOT / path).exists()]


def test_paths_that_pages_name_exist() -> None:
    pages = [page for page in PAGES if page.name != "CHANGELOG.md"]  # tells of earlier ones
    missing = {page.name: _missing_paths(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: paths for name, paths in missing.items() if paths} == {}
    assert _missing_paths("See `src/unmask/prepared/keep.py`.") == ["src/unmask/prepared/keep.py"]


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_files_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_detector_and_no_other_has_a_page() -> None:
    pages = sorted(page.stem for page in (ROOT / "docs" / "detectors").glob("*.md"))
    assert pages == list_detectors()


LIMITS = {ROOT / "README.md": 90, ROOT / "MODEL_CARD.md": 150} | dict.fromkeys(
    (ROOT / "docs").rglob("*.md"), 400
)
"""Lines of a page at most."""


@pytest.mark.parametrize("page", LIMITS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_are_short_enough_to_read(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= LIMITS[page]


def test_readme_shows_a_report() -> None:
    with Image.open(ROOT / "docs" / "report.png") as picture:
        assert picture.width >= 800
    assert "(docs/report.png)" in README
    assert (ROOT / "docs" / "report.png").stat().st_size <= 300_000


def test_readme_says_what_people_search_for() -> None:
    assert all(word in README for word in ("deepfake", "face swap", "WSL", "Python 3.11"))


@cache
def _compared() -> dict[str, list[str]]:
    """The rows of the table "who is in which paper", by detector."""
    text = detector_pages.verified([get_card(name) for name in list_detectors()])
    rows = re.findall(r"^\| \[`(\w+)`\]\(detectors/\w+\.md\) \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


@pytest.mark.parametrize("name", list_detectors())
def test_the_table_of_papers_has_what_the_card_says(name: str) -> None:
    card = get_card(name)
    papers, verified = _compared()[name]
    assert papers == (", ".join(card.compared_in) or "none")
    assert verified.startswith(card.verified)
    for fixture in card.fixtures:
        assert re.search(rf"numbers of [^;]+ \(`tests/fixtures/{fixture}`\)", verified)


def test_every_fixture_of_a_network_is_named_by_a_card() -> None:
    named = {file for name in list_detectors() for file in get_card(name).fixtures}
    files = {path.name for path in (ROOT / "tests" / "fixtures").glob("*.json")}
    # A lip reader of another variant: what the detectors must refuse.
    assert files - named == {"lrw_resnet18_mstcn.json"}


def _distribution(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def test_third_party_lists_exactly_the_declared_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        declared += extra
    wanted = {_distribution(name) for name in declared} - {"unmask"}
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    tables = text[: text.index("## What comes inside the wheels")]
    listed = re.findall(r"^\| ([a-z0-9-]+) \|", tables, re.MULTILINE)
    assert sorted(set(listed) - {"package"}) == sorted(wanted)


def test_third_party_gives_a_license_for_every_dependency() -> None:
    text = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    tables = text[text.index("## Needed to scan") : text.index("## What comes inside the wheels")]
    for block in tables.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        if lines:
            column = [cell.strip() for cell in lines[0].split("|")].index("license")
            assert all(len(line.split("|")[column].strip()) > 2 for line in lines)


def test_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == "MIT"
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_changelog_has_an_entry_for_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \S+", text, re.MULTILINE)


PAGE = "detectors/meso4"


def test_check_names_the_file_that_is_not_up_to_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--out", str(tmp_path), "--only", PAGE]
    assert gen_docs.main(options) == 0
    assert gen_docs.main([*options, "--check"]) == 0
    page = tmp_path / f"{PAGE}.md"
    page.write_text(page.read_text(encoding="utf-8") + "by hand\n", encoding="utf-8")
    capsys.readouterr()
    assert gen_docs.main([*options, "--check"]) == 1
    message = capsys.readouterr().err
    assert message == f"{page} is not up to date. Run: python scripts/gen_docs.py\n"
    assert page.read_text(encoding="utf-8").endswith("by hand\n")


def test_check_writes_no_missing_file(tmp_path: Path) -> None:
    assert gen_docs.main(["--out", str(tmp_path), "--only", PAGE, "--check"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gen_docs.main(["--only", "detectors/mesoo4"])
    assert "no such page: detectors/mesoo4" in capsys.readouterr().err


def test_pages_of_what_no_longer_exists_are_found_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gen_docs, "pages", lambda: {"cli": lambda: "# Commands\n"})
    left_over = tmp_path / "cli" / "gone.md"
    left_over.parent.mkdir()
    left_over.write_text("# gone\n")
    assert gen_docs.main(["--out", str(tmp_path)]) == 0
    assert not left_over.exists() and (tmp_path / "cli.md").read_text() == "# Commands\n"
    left_over.write_text("# gone\n")
    assert gen_docs.main(["--out", str(tmp_path), "--check"]) == 1
    assert "gone.md is not up to date" in capsys.readouterr().err


def _tiny_app() -> typer.Typer:
    tiny = typer.Typer(help="A program.", add_completion=False)

    @tiny.callback()
    def options() -> None:
        """A program."""

    @tiny.command()
    def look(
        paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files.")],
        names: Annotated[list[str] | None, typer.Option("--name", "-n", help="A name.")] = None,
        words: Annotated[list[str] | None, typer.Option("-w", help="Repeatable.")] = None,
        count: Annotated[int, typer.Option(metavar="N", help="How many | much.")] = 3,
        is_loud: Annotated[bool, typer.Option("--loud", help="Say it [train].")] = False,
    ) -> None:
        """Look at files. Then say so.

        A second paragraph.
        """

    @tiny.command(hidden=True)
    def secret() -> None:
        """Not for the page."""

    return tiny


def test_commands_page_shows_arguments_options_and_defaults() -> None:
    index = command_pages.index_page(_tiny_app())
    assert "| [`unmask look`](cli/look.md) | Look at files. |" in index
    assert command_pages.command_names(_tiny_app()) == ["look"]
    page = command_pages.command_page(_tiny_app(), "look")
    assert page.startswith("# unmask look\n\n    unmask look [OPTIONS] PATH...\n")
    assert "Look at files. Then say so.\n\nA second paragraph.\n" in page
    assert "| `PATH...` | Files |" in page
    assert "| `--name`, `-n` `NAMES` | A name (may be repeated) |" in page
    assert "| `-w` `WORDS` | Repeatable |" in page
    assert "| `--count` `N` | How many \\| much (default: `3`) |" in page
    assert "| `--loud` | Say it [train] |" in page
    assert "secret" not in index
