"""Writes the generated pages of docs, and the generated parts of pages written by hand.

Pages: docs/detectors.md and docs/detectors/, docs/cli.md and docs/cli/, docs/reproduce/.
Parts: the results in README.md, MODEL_CARD.md and benchmarks/EXPERIMENTS.md, the import table of
CONTRIBUTING.md, and the table of docs/corruptions.md.

python scripts/gen_docs.py                      writes them
python scripts/gen_docs.py --check              writes nothing; exit code 1 if a file is outdated
python scripts/gen_docs.py --only detectors/meso4 --only cli    these pages alone
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import command_pages
import corruption_table
import detector_pages
import import_table
import paper_pages
import result_tables

from unmask.detectors import get_card, list_detectors

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FILLED = (
    "README.md",
    "MODEL_CARD.md",
    "CONTRIBUTING.md",
    "benchmarks/EXPERIMENTS.md",
    "docs/corruptions.md",
)
NOTICE = "<!-- Made by scripts/gen_docs.py. Do not edit: change the code and run it again. -->\n\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks the generated files.

    Args:
        arguments: of the command line; None takes the program's own.

    Returns:
        The exit code: 1 if ``--check`` found a file that is not up to date.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, report what differs")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of the pages")
    parser.add_argument(
        "--only", action="append", metavar="PAGE", help="such as detectors/meso4; repeatable"
    )
    options = parser.parse_args(arguments)
    known = pages()
    unknown = sorted(set(options.only or ()) - set(known))
    if unknown:
        parser.error(f"no such page: {', '.join(unknown)}. Pages: {', '.join(known)}")
    texts = {options.out / f"{name}.md": known[name] for name in options.only or known}
    if options.out == DOCS and not options.only:
        texts |= filled()
    outdated = [path for path, text in texts.items() if not _keeps(path, text(), options.check)]
    if not options.only:
        outdated += _left_over(options.out, set(texts), options.check)
    for path in outdated:
        print(f"{_shown(path)} is not up to date. Run: python scripts/gen_docs.py", file=sys.stderr)
    return int(bool(outdated))


def pages() -> dict[str, Callable[[], str]]:
    """What makes each generated page, by its path below docs without the ending."""
    from unmask.cli.main import app

    names = list_detectors()
    found: dict[str, Callable[[], str]] = {
        "detectors": lambda: detector_pages.index_page([get_card(name) for name in names]),
        "cli": lambda: command_pages.index_page(app),
    }
    for name in names:
        found[f"detectors/{name}"] = partial(_detector, name)
    for name in paper_pages.paper_names():
        found[f"reproduce/{name}"] = partial(paper_pages.paper_page, name)
    for word in command_pages.command_names(app):
        found[f"cli/{word}"] = partial(command_pages.command_page, app, word)
    return {name: partial(_noticed, make) for name, make in found.items()}


def _detector(name: str) -> str:
    return detector_pages.detector_page(get_card(name))


def _noticed(make: Callable[[], str]) -> str:
    return NOTICE + make()


def filled() -> dict[Path, Callable[[], str]]:
    """What makes each page that is partly generated."""
    paths = [ROOT / name for name in FILLED]
    return {path: partial(_filled, path) for path in paths}


def _filled(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    for part in (result_tables, import_table, corruption_table):
        text = part.fill(text)
    return text


def _left_over(folder: Path, made: set[Path], check: bool) -> list[Path]:
    """Pages of what no longer exists; removes them unless only checking."""
    found = [path for path in _generated(folder) if path not in made]
    if check:
        return found
    for path in found:
        path.unlink()
        print(f"removed {_shown(path)}")
    return []


def _generated(folder: Path) -> Iterator[Path]:
    for below in ("detectors", "cli", "reproduce"):
        yield from sorted((folder / below).glob("*.md"))


def _keeps(path: Path, text: str, check: bool) -> bool:
    """Whether the file holds the text; writes it unless only checking."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return True
    if check:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {_shown(path)}")
    return True


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    raise SystemExit(main())
