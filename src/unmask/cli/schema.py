"""``unmask schema``: what every key of a scan's JSON means."""

from __future__ import annotations

import json
import sys


def schema() -> None:
    """Print the JSON schema of a scan's result."""
    from unmask.report import schema as result_schema

    json.dump(result_schema(), sys.stdout, indent=2, ensure_ascii=False)
    print()
