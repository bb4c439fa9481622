"""The benchmark over kinds: figures of pairs, and networks that it cannot ask."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.kinds import Scored, figures, score

from unmask.errors import UsageError
from unmask.weights import load_detector


def test_figures_of_pairs():
    logit = np.array([[0.0, 1.0], [5.0, 6.0], [2.0, 2.0], [3.0, 1.0]])
    found = figures(Scored(logit, np.array([0, 0, 1, 2])))
    assert (found["pairs"], found["videos"]) == (4, 3)
    assert found["pair_accuracy"] == pytest.approx(2.5 / 4, abs=1e-3)
    # Of 16 comparisons of a forged with a real one: 1 > 0; 6 > all; 2 > 0, = 2; 1 > 0.
    assert found["auc"] == pytest.approx((1 + 4 + 1.5 + 1) / 16, abs=1e-3)
    low, high = found["pair_accuracy_interval"]
    assert 0 <= low < found["pair_accuracy"] < high <= 1


def test_a_network_for_more_frames_is_refused():
    net = load_detector("i3d")  # 16 frames, as on the card
    with pytest.raises(UsageError, match="Cannot show i3d clips of 8 frames: it takes 16"):
        score(net, [], "self_blend", {"none": 1.0}, 1)
