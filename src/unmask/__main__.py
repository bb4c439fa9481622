"""``python -m unmask``: the same as the command ``unmask``."""

from __future__ import annotations

import sys

from unmask.cli.main import main

sys.exit(main())
