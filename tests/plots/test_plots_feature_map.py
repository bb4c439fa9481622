"""Which clips stand on a map, and where."""

import numpy as np
import pytest

from score_rows import video
from unmask.errors import NotMeasurableError
from unmask.evaluate.scores import ClipRow
from unmask.plots.feature_map import (
    REAL,
    Embedded,
    Reservoir,
    arrange,
    draw_clips,
    draw_feature_map,
)
from unmask.plots.sample import Setting


def rows(videos, clips_each, *, embeds=True, condition=""):
    """Clips, and the methods of their videos: every other one is real."""
    methods, found = {}, []
    for number in range(videos):
        method = "A" if number % 2 else ""
        key = video(f"{number}.mp4", 1.0, method=method, condition=condition).key
        methods[key] = method or REAL
        for clip in range(clips_each):
            point = (float(number), float(clip)) if embeds else None
            found.append(ClipRow(key, 1, 0.0, 1.0, 1.0, 60.0, point))
    return found, methods


def test_a_reservoir_is_fair_and_never_larger():
    times = np.zeros(10)
    for seed in range(600):
        pool = Reservoir(4, np.random.default_rng(seed))
        for number in range(10):
            pool.offer(Embedded(np.array([number], np.float32), REAL))
            assert len(pool.kept) == min(4, number + 1)
        times[[int(one.embedding[0]) for one in pool.kept]] += 1
    # 600 * 0.4 = 240 each, with a standard deviation of 12.
    assert (abs(times - 240) < 60).all()


def test_at_most_so_many_of_a_video_and_in_all():
    clips, methods = rows(30, 7)
    (pool,) = draw_clips(iter(clips), methods, clips_per_video=3, points=40).values()
    assert (len(pool.kept), pool.offered) == (40, 90)
    (pool,) = draw_clips(iter(clips), methods, clips_per_video=3, points=400).values()
    videos = [one.embedding[0] for one in pool.kept]
    assert {videos.count(number) for number in range(30)} == {3}
    assert {one.method for one in pool.kept if one.embedding[0] % 2} == {"A"}
    assert {one.method for one in pool.kept if not one.embedding[0] % 2} == {REAL}


def test_a_video_is_one_vector_of_its_first_seconds():
    key = video("0.mp4", 1.0).key
    second = [
        ClipRow(key, 1, at, at + 0.3, 1.0, 60.0, (float(at), 1.0)) for at in (2.0, 2.5, 3.0, 3.5)
    ]
    bystander = [ClipRow(key, 2, 0.0, 0.3, 1.0, 40.0, (99.0, 99.0))]
    (pool,) = draw_clips([*bystander, *second], {key: REAL}, first_s=1.0).values()
    (found,) = pool.kept
    assert found.embedding.tolist() == [2.25, 1.0]  # of 2.0 and 2.5 s; the clip at 3.0 is over
    assert pool.unit == "videos"
    (pool,) = draw_clips(second, {key: REAL}).values()
    assert (len(pool.kept), pool.unit) == (4, "clips")


def test_a_map_takes_the_iterations_of_the_paper(monkeypatch):
    taken = {}

    class Mapper:
        def __init__(self, **options):
            taken.update(options)

        def get_params(self):
            return {"max_iter": None}

        def fit_transform(self, embeddings):
            return embeddings[:, :2]

    monkeypatch.setattr("sklearn.manifold.TSNE", Mapper)
    arrange(np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32))
    assert (taken["max_iter"], taken["perplexity"]) == (2500, 40.0)


def test_the_draw_depends_on_the_seed_alone():
    clips, methods = rows(30, 7)

    def chosen(seed):
        (pool,) = draw_clips(iter(clips), methods, points=20, seed=seed).values()
        return [one.embedding.tolist() for one in pool.kept]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_clips_without_an_embedding_or_under_a_condition_are_left_out():
    clips, methods = rows(4, 2, embeds=False)
    assert draw_clips(iter(clips), methods) == {}
    clips, methods = rows(4, 2, condition="blur 3")
    assert draw_clips(iter(clips), methods) == {}


def test_groups_stay_together_and_the_seed_repeats():
    random = np.random.default_rng(0)
    centers = np.repeat(np.eye(3) * 30, 20, axis=0)
    points = (centers + random.normal(size=centers.shape)).astype(np.float32)
    places, perplexity = arrange(points)
    assert perplexity == pytest.approx(59 / 3)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    np.testing.assert_array_equal(places, arrange(points)[0])


@pytest.mark.parametrize("points", [np.eye(9, dtype=np.float32), np.ones((20, 3), np.float32)])
def test_nothing_to_arrange(points):
    with pytest.raises(NotMeasurableError, match=r"a map needs at least 10 clips whose embeddings"):
        arrange(points)


def test_real_ones_are_gray_and_a_lowered_perplexity_is_named():
    clips, methods = rows(20, 2)
    (pool,) = draw_clips(iter(clips), methods).values()
    axes = draw_feature_map(pool, "net", Setting("d c23 test")).axes[0]
    real, forged = axes.collections
    assert (real.get_label(), forged.get_label()) == ("real (20)", "A (20)")
    assert np.ptp(real.get_facecolor()[0][:3]) == 0
    assert np.ptp(forged.get_facecolor()[0][:3]) > 0.3
    assert "Embeddings of net: d c23 test\n40 clips, t-SNE, perplexity 13," in axes.get_title()
    assert "lowered from 40 for few points" in axes.get_title()
