"""The live line on stderr, and colors: on a terminal only."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import pytest

from unmask import report
from unmask.cli.main import main
from unmask.cli.terminal import show_summary, show_table, video_progress
from unmask.pipeline import scan as river
from unmask.types import Finding


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """What rich reads to learn what a terminal can do."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")


def test_nobody_watches_nothing_is_shown(portrait_video, capsys):
    with video_progress(portrait_video, "portrait.mp4") as progress:
        assert progress is None
    assert capsys.readouterr() == ("", "")


def test_position_length_and_frames_per_second(portrait_video):
    with redirect_stderr(Terminal()) as terminal, video_progress(portrait_video, "a [1/2]") as show:
        show(25, 1.0)
    text = terminal.getvalue()
    assert "a [1/2]" in text
    assert "0:01 of 0:02" in text
    assert " frames/s" in text


def test_a_folder_of_frames_has_no_length_to_show(image_folder):
    with redirect_stderr(Terminal()) as terminal, video_progress(image_folder, "frames") as show:
        show(5, 0.2)
    assert "0:00  " in terminal.getvalue()
    assert " of " not in terminal.getvalue()


def test_the_line_is_gone_before_an_error_comes(text_mp4, capsys):
    with redirect_stderr(Terminal()) as terminal:
        assert main(["scan", str(text_mp4)]) == 1
    last = terminal.getvalue().splitlines()[-1]
    assert "\x1b[1;31merror: \x1b[0mCannot read 'text.mp4'" in last
    assert capsys.readouterr() == ("", "")


def test_stdout_stays_json_while_somebody_watches(scan_cli, portrait_video, monkeypatch):
    real = river.scan
    seen = []

    def watched(*args, progress, **named):
        def count(frames, time_s):
            seen.append((frames, time_s))
            progress(frames, time_s)

        return real(*args, progress=count, **named)

    monkeypatch.setattr(river, "scan", watched)
    with redirect_stderr(Terminal()) as terminal:
        ran = scan_cli(portrait_video, "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["finding"] == "inconclusive"
    assert "frames/s" in terminal.getvalue()
    assert seen[-1][0] >= 45
    assert 1.5 < seen[-1][1] < 2


def test_a_finding_is_colored_on_a_terminal_only(monkeypatch):
    class Found:
        finding = Finding.MANIPULATED

    monkeypatch.setattr(report, "summary", lambda verdict: "a [b]: c.mp4: Manipulated\n  Face 1")
    with redirect_stdout(Terminal()) as terminal:
        show_summary(Found())
    assert terminal.getvalue() == "a [b]: c.mp4: \x1b[1;31mManipulated\x1b[0m\n  Face 1\n"
    with redirect_stdout(io.StringIO()) as file:
        show_summary(Found())
    assert file.getvalue() == "a [b]: c.mp4: Manipulated\n  Face 1\n"


def test_a_table_wraps_on_a_terminal_and_nowhere_else(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    rows = [("meso4", "word " * 20)]
    with redirect_stdout(io.StringIO()) as file:
        show_table(("NAME", "SUMMARY"), rows)
    assert len(file.getvalue().splitlines()) == 2
    with redirect_stdout(Terminal()) as terminal:
        show_table(("NAME", "SUMMARY"), rows)
    lines = terminal.getvalue().splitlines()
    assert len(lines) > 4
    assert "meso4" in terminal.getvalue()


def test_a_narrow_terminal_never_cuts_the_first_column(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    name = "a_detector_with_a_long_name"
    with redirect_stdout(Terminal()) as terminal:
        show_table(("NAME", "A", "B", "C"), [(name, *("many words " * 20 for _ in range(3)))])
    assert name in terminal.getvalue()
