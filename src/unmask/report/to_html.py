"""A verdict as one self-contained HTML page: no script, no request, works from a USB stick."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from unmask.printable import printable
from unmask.report import strength, wording
from unmask.report.context import build_page
from unmask.report.writers import report_writer
from unmask.types import KeyFrame, Verdict


@report_writer(".html")
def to_html(verdict: Verdict, key_frames: Sequence[KeyFrame] = ()) -> str:
    """The report as the text of one HTML file, pictures and style included.

    Args:
        verdict: the answer to show.
        key_frames: pictures of evidence; each is shown with the face that it belongs to.
    """
    page = build_page(verdict, key_frames)
    values = {item.name: getattr(page, item.name) for item in fields(page)}
    return _environment().get_template("report.html.j2").render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unmask.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        clock=wording.clock,
        span=wording.span,
        percent=wording.percent,
        chances=strength.interval_text,
        limits=wording.limits,
        sentence=wording.sentence,
        chance=wording.chance,
        score=wording.score_text,
        printable=printable,
        plural=wording.plural,
        tight=_tight,
    )
    return environment


def _tight(text: str) -> str:
    """The text with numbers kept on one line with their units."""
    return re.sub(r"(?<=\d) (?=(?:%|s|px|min|h)(?!\w))", "\N{NO-BREAK SPACE}", text)
