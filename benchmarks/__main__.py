"""``python -m benchmarks NAME [arguments]`` runs ``benchmarks/NAME.py`` or ``benchmarks/NAME/``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> int:
    """Runs the named benchmark; without a name, or with a wrong one, lists them."""
    folder = Path(__file__).parent
    files = [*folder.glob("*.py"), *(p.parent for p in folder.glob("*/__init__.py"))]
    known = sorted(p.stem for p in files if not p.stem.startswith("_"))
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in known:
        print(f"Give a benchmark: {', '.join(known)}", file=sys.stderr)
        return 2
    result: int = importlib.import_module(f"benchmarks.{name}").main(sys.argv[2:])
    return result


if __name__ == "__main__":
    raise SystemExit(main())
