"""The part of the JSON Schema that describes a calibration."""

from __future__ import annotations

from unmask.report.schema_nodes import (
    Node,
    count,
    list_of,
    nullable,
    number,
    pair,
    record,
    share,
    text,
)


def calibration() -> Node:
    """How scores become a finding, and on what data that was decided."""
    return record(
        "how scores become a finding, and on what data that was decided",
        {
            "name": text("name of the calibration"),
            "detector": text("the detector that it belongs to"),
            "weights_sha256": text("SHA-256 of the weights that it belongs to"),
            "threshold": number("score from which a video is manipulated"),
            "lower": number("score below which no manipulation is found; between: inconclusive"),
            "target_false_alarm_rate": share("of real videos that may be called manipulated"),
            "real_videos": count("real videos used"),
            "false_alarms": count("of these, called manipulated"),
            "fake_videos": count("forged videos used"),
            "fakes_found": count("of these, called manipulated"),
            "data": text("the videos used"),
            "date": text("when this was measured, YYYY-MM-DD"),
            "scale": {
                "enum": ["llr", "logit"],
                "description": "llr: scores are natural log-likelihood ratios; logit: no "
                "probability is given",
            },
            "target_miss_rate": nullable(share("of forged videos in which nothing may be found")),
            "classes": list_of(_quality_class(), "by quality; the first that holds for a face"),
            "llr_bounds": nullable(pair("low, high: a stated log-likelihood ratio ends there")),
            "real_scores": list_of(number("score"), "of each real validation video, sorted"),
            "fake_scores": list_of(number("score"), "of each forged validation video, sorted"),
            "domain": _domain(),
            "panel": list_of(_member(), "detectors judged together; empty for a single one"),
            "left_out": nullable(_left_out()),
            "blind_spots": text("a sentence on what the detector does not find, or empty"),
            "validation_sha256": list_of(text("SHA-256"), "of the files that it was made of"),
        },
    )


def _left_out() -> Node:
    return record(
        "answers on the validation videos, each by a fit without the video's source",
        {
            "false_alarms": _rate("real videos called manipulated"),
            "cleared": _rate("real videos in which nothing was found"),
            "found": _rate("forged videos called manipulated"),
            "missed": _rate("forged videos in which nothing was found"),
        },
    )


def _rate(what: str) -> Node:
    return record(
        what,
        {
            "hits": count("so many"),
            "videos": count("of so many"),
            "interval": pair("95 % interval of the share, over sources"),
        },
    )


def _quality_class() -> Node:
    return record(
        "faces of one quality, and the line from their logits to scores",
        {
            "name": text("name of the class"),
            "slope": number("of the map from logit to score"),
            "intercept": number("of the map from logit to score"),
            "min_face_px": nullable(number("smallest face, in pixels")),
            "max_face_px": nullable(number("faces are smaller than this, in pixels")),
            "min_bits_per_pixel": nullable(number("least bits per pixel and frame")),
            "max_bits_per_pixel": nullable(number("fewer bits per pixel and frame than this")),
            "codecs": list_of(text("family of codecs"), "families; empty: any"),
            "real_videos": count("real videos with a copy in this class"),
            "fake_videos": count("forged videos with a copy in this class"),
            "threshold": nullable(number("of this class; null: the calibration's")),
            "lower": nullable(number("of this class; null: the calibration's")),
            "real_scores": list_of(number("score"), "of each real video of this class, sorted"),
            "fake_scores": list_of(number("score"), "of each forged video of this class, sorted"),
            "interval": list_of(
                list_of({"type": "number"}, "score, low, high"), "95 % interval of a score"
            ),
        },
    )


def _domain() -> Node:
    return record(
        "where the calibration holds; outside: inconclusive",
        {
            "min_face_px": number("smaller faces get no finding, in pixels"),
            "min_scored_s": number("shorter scored time gets no finding, in seconds"),
            "min_bits_per_pixel": nullable(number("stronger compression gets no finding")),
            "max_flat_share": nullable(number("more flat pixels are taken for a drawing")),
            "min_change": nullable(number("less change is taken for a still, gray levels")),
        },
    )


def _member() -> Node:
    return record(
        "one detector of a panel",
        {
            "detector": text("name"),
            "weights_sha256": text("SHA-256 of its weights"),
            "weight": number("of its logit in the sum"),
            "longest_cpu_s": nullable(number("left out of longer videos on a CPU, in seconds")),
        },
    )
