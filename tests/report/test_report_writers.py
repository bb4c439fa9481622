from __future__ import annotations

import pytest
from report_builders import make_key_frame, make_verdict

from unmask.report import report_writers, to_html, to_json, writers
from unmask.report.writers import report_writer


def test_each_format_is_found_by_its_suffix() -> None:
    assert report_writers() == {".html": to_html, ".json": to_json}
    verdict, shown = make_verdict(), [make_key_frame()]
    for suffix, write in report_writers().items():
        text = write(verdict, shown)
        assert text.startswith({".html": "<!DOCTYPE html>", ".json": "{"}[suffix])


def test_a_new_format_registers_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_WRITERS", dict(writers._WRITERS))

    @report_writer(".txt")
    def to_text(verdict: object, key_frames: object = ()) -> str:
        return "text"

    assert report_writers()[".txt"] is to_text
