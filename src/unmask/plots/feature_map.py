"""A map of a detector's embeddings: what it takes for alike lies together (t-SNE).

As figure 4b of the two-branch paper and figure 4 of the spatio-temporal one: perplexity 40,
2500 iterations, colored by forgery method. Distances between far groups and sizes of groups mean
nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unmask.errors import NotMeasurableError, import_optional
from unmask.evaluate.condition import split_condition
from unmask.evaluate.scores import ClipRow, ScoreKey
from unmask.evaluate.tables import Group
from unmask.plots.canvas import GRAY, legend_below, look_of, new_canvas
from unmask.plots.sample import Setting
from unmask.types import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

PERPLEXITY = 40.0
"""Of both papers; fewer points lower it."""

ITERATIONS = 2500
"""Of the spatio-temporal paper; the two-branch paper gives no number."""

LEAST_POINTS = 10
"""Below, there is nothing to arrange."""

REAL = "real"


class Embedded(NamedTuple):
    """A clip's embedding (D,), float32, and the forgery method of its video, or ``REAL``."""

    embedding: Floats
    method: str


@dataclass(slots=True)
class Reservoir:
    """At most ``size`` clips out of however many are offered, each as likely (Vitter 1985)."""

    size: int
    random: np.random.Generator
    unit: str = "clips"
    offered: int = 0
    kept: list[Embedded] = field(default_factory=list)

    def offer(self, one: Embedded) -> None:
        """Takes a clip, instead of another one where it is full, or lets it pass."""
        self.offered += 1
        if len(self.kept) < self.size:
            self.kept.append(one)
            return
        place = int(self.random.integers(self.offered))
        if place < self.size:
            self.kept[place] = one


def draw_clips(
    clips: Iterable[ClipRow],
    methods: Mapping[ScoreKey, str],
    *,
    clips_per_video: int = 4,
    points: int = 2000,
    first_s: float | None = None,
    seed: int = 0,
) -> dict[Group, Reservoir]:
    """A seeded draw of clips with embeddings, for each detector and group of videos.

    Clips pass one by one: what stays in memory does not grow with their number. Those of videos
    that something was done to (a condition) are left out.

    Args:
        clips: of ``read_clips``, the clips of a video one after the other.
        methods: by a video's key, what it is colored by.
        clips_per_video: at most so many of one video, or long videos would fill the map.
        points: at most so many of a group.
        first_s: seconds. A video is then one vector: the mean over the clips of its main face that
            begin within so many seconds of the first one. None takes single clips.
        seed: of the draw.
    """
    drawn: dict[Group, Reservoir] = {}
    for key, of_video in groupby(clips, lambda clip: clip.key):
        if split_condition(key.condition)[0] or key not in methods:
            continue
        few = Reservoir(clips_per_video, np.random.default_rng([seed, *key.path.encode()]))
        for vector in _vectors(of_video, first_s):
            few.offer(Embedded(vector, methods[key]))
        if few.kept:
            place = (key.dataset, key.compression, key.split, key.condition)
            group = Group(key.detector, key.weights_sha256, *place)
            if group not in drawn:
                unit = "clips" if first_s is None else "videos"
                drawn[group] = Reservoir(points, np.random.default_rng(seed), unit)
            for one in few.kept:
                drawn[group].offer(one)
    return drawn


def _vectors(clips: Iterable[ClipRow], first_s: float | None) -> Iterator[Floats]:
    """The embeddings (D,) of a video's clips, or one for all of it."""
    embedded = ((clip, clip.embedding) for clip in clips)
    vectors = [(clip, np.array(e, np.float32)) for clip, e in embedded if e is not None]
    if first_s is None or not vectors:
        yield from (vector for _, vector in vectors)
        return
    sizes: Counter[int] = Counter()
    for clip, _ in vectors:
        sizes[clip.track_id] += round(clip.face_px**2)
    track = max(sizes, key=lambda number: (sizes[number], -number))
    main = [(clip, vector) for clip, vector in vectors if clip.track_id == track]
    begun_s = min(clip.start_s for clip, _ in main)
    first = [vector for clip, vector in main if clip.start_s - begun_s < first_s - 1e-3]
    yield np.mean(first, axis=0, dtype=np.float32)


def arrange(embeddings: NDArray[np.float32], seed: int = 0) -> tuple[NDArray[np.float64], float]:
    """Places of embeddings on a plane by t-SNE.

    Args:
        embeddings: (N, D), N at least ``LEAST_POINTS``.
        seed: of the arrangement.

    Returns:
        (N, 2), and the perplexity: ``PERPLEXITY``, or a third of the other points where these
        are fewer.

    Raises:
        NotMeasurableError: too few points, or all are the same.
        MissingDependencyError: scikit-learn is not installed.
    """
    manifold = import_optional("sklearn.manifold", "evaluate")
    count = len(embeddings)
    if count < LEAST_POINTS or not np.ptp(embeddings, axis=0).any():
        what = f"{count} clips" if count < LEAST_POINTS else "equal embeddings alone"
        raise NotMeasurableError(
            f"Not measurable: a map needs at least {LEAST_POINTS} clips whose embeddings differ, "
            f"got {what}. Evaluate more videos."
        )
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    start = "pca" if embeddings.shape[1] > 1 else "random"
    # scikit-learn 1.5 has renamed it.
    name = "max_iter" if "max_iter" in manifold.TSNE().get_params() else "n_iter"
    mapper = manifold.TSNE(
        perplexity=perplexity, init=start, random_state=seed, **{name: ITERATIONS}
    )
    threads = import_optional("threadpoolctl", "evaluate")  # comes with scikit-learn
    # One thread: sums in another order would give another map on a machine with more cores.
    with threads.threadpool_limits(1):
        return np.asarray(mapper.fit_transform(embeddings), np.float64), perplexity


def draw_feature_map(clips: Reservoir, name: str, setting: Setting) -> Canvas:
    """The map of one detector on one group of videos; real ones are gray.

    Args:
        clips: of ``draw_clips``.
        name: the detector's.
        setting: title and seed.

    Raises:
        NotMeasurableError, MissingDependencyError: as ``arrange``.
    """
    places, perplexity = arrange(np.stack([one.embedding for one in clips.kept]), setting.seed)
    methods = np.array([one.method for one in clips.kept])
    canvas = new_canvas(6.4, 6.6)
    axes = canvas.add_subplot()
    # Real ones first: they lie below.
    for number, method in enumerate(sorted(set(methods), key=lambda m: (m != REAL, m))):
        look = look_of(number - (REAL in methods))
        chosen = places[methods == method]
        axes.scatter(
            chosen[:, 0],
            chosen[:, 1],
            s=12,
            color=GRAY if method == REAL else look.color,
            marker="o" if method == REAL else look.marker,
            alpha=0.7,
            linewidths=0,
            label=f"{method} ({len(chosen)})",
        )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.set_aspect("equal", adjustable="datalim")
    few = "" if perplexity == PERPLEXITY else f", lowered from {PERPLEXITY:g} for few points"
    axes.set_title(
        f"Embeddings of {name}: {setting.place}\n{len(places)} {clips.unit}, "
        f"t-SNE, perplexity {perplexity:.3g}{few}"
    )
    legend_below(axes, gap=0.02, columns=min(4, len(set(methods))))
    return canvas
