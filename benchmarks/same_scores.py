"""Whether a change of the code left every detector's scores as they were, to the bit.

    python -m benchmarks same_scores --media ../shared/media -o before.json   (before the change)
    python -m benchmarks same_scores --media ../shared/media --against before.json

Every detector scans three clips of the media pack. Untrained networks start from one seed. What
is compared is a SHA-256 over all logits, masks and embeddings of a clip, in order. The bits hold
for one machine and one version of PyTorch, so both runs have to come from the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

from unmask import list_detectors, load_detector
from unmask.pipeline.scan import scan_with
from unmask.types import Verdict

_CLIPS = (
    "train/real/GRID-LipNet__GRID-bbaf2n.mpg",
    "val/real/ghost__videos-orig.webm",
    "val/fake/AniPortrait__asset-zl.mp4",
)
# For detectors whose clips span more than the three above hold.
_LONG_CLIPS = (
    "val/real/LivePortrait__driving-d12.mp4",
    "val/real/SadTalker__ref_video-WDA_KatieHill_000.mp4",
    "val/fake/SadTalker__2023_03_06_16.53.07-art_2_RD_Radio31_000.mp4",
)


def digest(verdict: Verdict) -> str:
    """SHA-256 of everything that the detectors said of a video."""
    found = hashlib.sha256()
    for score in verdict.clip_scores:
        found.update(f"{score.track_id} {score.start_s} {score.end_s} {score.logit!r}".encode())
        for array in (score.mask, score.embedding):
            found.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return f"{len(verdict.clip_scores)} clips {found.hexdigest()}"


def main(arguments: list[str]) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks same_scores")
    parser.add_argument("--media", type=Path, required=True)
    parser.add_argument("-d", "--detector", action="append", help="these alone; repeatable")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--against", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found: dict[str, dict[str, str]] = {}
    for name in given.detector or list_detectors():
        torch.manual_seed(0)
        np.random.seed(0)
        net = load_detector(name)
        verdicts = {clip: scan_with(given.media / clip, [net]) for clip in _CLIPS}
        if not any(verdict.clip_scores for verdict in verdicts.values()):
            verdicts = {clip: scan_with(given.media / clip, [net]) for clip in _LONG_CLIPS}
        found[name] = {clip: digest(verdict) for clip, verdict in verdicts.items()}
        print(name, *found[name].values(), flush=True)
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=2) + "\n")
    if given.against is None:
        return 0
    before = json.loads(given.against.read_text())
    changed = [name for name, clips in found.items() if before[name] != clips]
    print(f"{len(found) - len(changed)} of {len(found)} detectors score the same to the bit")
    if changed:
        print(f"Changed: {', '.join(changed)}", file=sys.stderr)
    return len(changed) and 1
