"""The JSON Schema of what ``to_json`` writes."""

from __future__ import annotations

from unmask.report.to_json import SCHEMA_VERSION
from unmask.types import Finding

Node = dict[str, object]

_SHA256 = "^[0-9a-f]{64}$"


def schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) that the output of ``to_json`` validates against.

    >>> schema()["title"]
    'unmask verdict'
    """
    properties: dict[str, Node] = {
        "schema_version": {
            "const": SCHEMA_VERSION,
            "description": "version of this layout; the first number changes when a key does",
        },
        "unmask_version": _text("version of the program that wrote this"),
        "scanned_at": _text("UTC time of the scan, ISO 8601; empty if unknown"),
        "finding": _finding("the answer on the whole video"),
        "probability": _nullable(_share("of manipulation, at equal odds beforehand")),
        "threshold": _nullable(_number("logit from which the video counts as manipulated")),
        "reasons": _list(_text("one sentence"), "why the finding is what it is"),
        "video": _video(),
        "coverage": _coverage(),
        "faces": _list(_face(), "the answer for each person that was followed"),
        "clip_scores": _list(_clip_score(), "every number that a detector gave"),
        "tracks": _list(_track(), "the geometry of every face found"),
        "detectors": _list(_detector(), "which detectors spoke, with which weights"),
        "calibration": _nullable(_calibration()),
        "device": _text("where the networks ran, for example cpu"),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:unmask:verdict:{SCHEMA_VERSION}",
        "title": "unmask verdict",
        **_record(
            "The answer on one video. Names ending in _s are seconds from the video's start, in "
            "_px pixels of the upright full frame; a logit above 0 leans to fake.",
            properties,
        ),
    }


def _video() -> Node:
    return _record(
        "what the file says of itself",
        {
            "path": _text("as it was given to unmask"),
            "sha256": _sha256("of the file"),
            "size_bytes": _count("size of the file in bytes"),
            "container": _text("container format"),
            "codec": _text("video codec; images for a folder of frames"),
            "width_px": _count("width of the upright frame in pixels"),
            "height_px": _count("height of the upright frame in pixels"),
            "rotation_deg": {"type": "integer", "description": "rotation applied, in degrees"},
            "fps": {
                "type": "string",
                "pattern": "^[0-9]+/[1-9][0-9]*$",
                "description": "frames per second as an exact fraction, for example 30000/1001",
            },
            "duration_s": _number("length that the container claims, in seconds; 0 for a still"),
            "start_s": _number("timestamp of the first frame in the container, in seconds"),
            "frame_count": _nullable(_count("frames that the container claims")),
            "bit_rate_bps": _nullable(_count("bits per second")),
            "is_variable_rate": _flag("frames are unevenly spaced in time"),
            "has_audio": _flag("the file has a sound track"),
            "is_still": _flag("the file is one still picture"),
        },
    )


def _coverage() -> Node:
    return _record(
        "what was looked at, and what was not",
        {
            "duration_s": _seconds("length of the video"),
            "decoded_s": _seconds("time that could be decoded"),
            "face_s": _seconds("time in which a face was seen"),
            "scored_s": _seconds("time in which a face was scored"),
            "frames_decoded": _count("frames decoded"),
            "frames_examined": _count("frames searched for faces"),
            "faces_found": _count("faces followed"),
            "faces_scored": _count("faces that a detector scored"),
            "clips_scored": _count("clips scored"),
            "clips_dropped": _count("clips left out because the face was missing too often"),
            "smallest_face_px": _number("smallest face scored: longest side of its box, pixels"),
            "audio": {
                "enum": ["not analyzed", "none"],
                "description": "none: the file has no sound",
            },
            "is_damaged": _flag("part of the file could not be decoded"),
        },
    )


def _face() -> Node:
    return _record(
        "one person from appearance to disappearance or shot cut",
        {
            "track_id": _count("number of the track"),
            "start_s": _number("first seen, in seconds"),
            "end_s": _number("last seen, in seconds"),
            "finding": _finding("the answer for this person"),
            "probability": _nullable(_share("of manipulation, at equal odds beforehand")),
            "logits": {
                "type": "object",
                "additionalProperties": {"type": "number"},
                "description": "each detector's logit over all clips of this person",
            },
            "face_px": _number("median longest side of the face box, in pixels"),
            "clips": _count("clips scored"),
            "reasons": _list(_text("one sentence"), "what limits the answer for this person"),
        },
    )


def _clip_score() -> Node:
    mask = _record(
        "the detector's mask of forged pixels, summarised over all pictures of the clip",
        {
            "share_over_half": _share("of mask pixels over 0.5"),
            "maximum": _share("highest value of the mask"),
            "centroid_px": _nullable(_point("centre of mass of the mask, pixels of the frame")),
        },
    )
    return _record(
        "one detector's answer on one clip",
        {
            "detector": _text("name of the detector"),
            "track_id": _count("number of the track"),
            "start_s": _number("time of the clip's first frame, in seconds"),
            "end_s": _number("time of the clip's last frame, in seconds"),
            "logit": _number("above 0 leans to fake; compare with the threshold"),
            "face_px": _number("median longest side of the face box, in pixels"),
            "frame_indices": _list(_count("counts every decoded frame from 0"), "frames seen"),
            "mask": _nullable(mask),
        },
    )


def _track() -> Node:
    observation = _record(
        "where the face is in one frame",
        {
            "frame_index": _count("counts every decoded frame from 0"),
            "time_s": _number("time of the frame, in seconds"),
            "box_px": {
                **_list({"type": "number"}, "x0, y0, x1, y1, half-open, in pixels"),
                "minItems": 4,
                "maxItems": 4,
            },
            "landmarks_px": _list(
                _point("x, y in pixels"),
                "left eye, right eye (as seen in the picture), nose tip, left and right mouth "
                "corner, in pixels",
            ),
            "confidence": _number("of the face finder, 0 to 1"),
            "is_interpolated": _flag("filled in between two detections"),
        },
    )
    return _record(
        "the geometry of one face",
        {
            "track_id": _count("number of the track"),
            "observations": _list(observation, "in order of time"),
        },
    )


def _detector() -> Node:
    return _record(
        "one detector",
        {
            "name": _text("name of the detector"),
            "weights": _text("tag of the weights"),
            "sha256": _text("SHA-256 of the weights; empty for an untrained network"),
            "license": _text("licence of the weights"),
            "trained_on": _text("what the weights were trained on"),
        },
    )


def _calibration() -> Node:
    return _record(
        "how logits become a finding, and on what data that was decided",
        {
            "name": _text("name of the calibration"),
            "detector": _text("the detector that it belongs to"),
            "weights_sha256": _text("SHA-256 of the weights that it belongs to"),
            "threshold": _number("logit from which a video is manipulated"),
            "lower": _number("logit below which no manipulation is found; between: inconclusive"),
            "target_false_alarm_rate": _share("of real videos that may be called manipulated"),
            "real_videos": _count("real videos used"),
            "false_alarms": _count("of these, called manipulated"),
            "fake_videos": _count("forged videos used"),
            "fakes_found": _count("of these, called manipulated"),
            "data": _text("the videos used"),
            "date": _text("when this was measured, YYYY-MM-DD"),
            "scale": {
                "enum": ["llr", "logit"],
                "description": "llr: scores are natural log-likelihood ratios; logit: no "
                "probability is given",
            },
            "target_miss_rate": _nullable(_share("of forged videos in which nothing may be found")),
            "classes": _list(_quality_class(), "by quality; the first that holds for a face"),
            "llr_bounds": _nullable(_pair("low, high: a stated log-likelihood ratio ends there")),
            "real_scores": _list(_number("score"), "of each real validation video, sorted"),
            "fake_scores": _list(_number("score"), "of each forged validation video, sorted"),
            "domain": _domain(),
            "panel": _list(_member(), "detectors judged together; empty for a single one"),
        },
    )


def _quality_class() -> Node:
    return _record(
        "faces of one quality, and the line from their logits to scores",
        {
            "name": _text("name of the class"),
            "slope": _number("of the map from logit to score"),
            "intercept": _number("of the map from logit to score"),
            "min_face_px": _nullable(_number("smallest face, in pixels")),
            "max_face_px": _nullable(_number("faces are smaller than this, in pixels")),
            "min_bits_per_pixel": _nullable(_number("least bits per pixel and frame")),
            "max_bits_per_pixel": _nullable(_number("fewer bits per pixel and frame than this")),
            "codecs": _list(_text("family of codecs"), "families; empty: any"),
            "real_videos": _count("real videos with a copy in this class"),
            "fake_videos": _count("forged videos with a copy in this class"),
            "interval": _list(
                _list({"type": "number"}, "score, low, high"), "95 % interval of a score"
            ),
        },
    )


def _domain() -> Node:
    return _record(
        "where the calibration holds; outside: inconclusive",
        {
            "min_face_px": _number("smaller faces get no finding, in pixels"),
            "min_scored_s": _number("shorter scored time gets no finding, in seconds"),
            "min_bits_per_pixel": _nullable(_number("stronger compression gets no finding")),
            "max_flat_share": _nullable(_number("more flat pixels are taken for a drawing")),
            "min_change": _nullable(_number("less change is taken for a still, gray levels")),
        },
    )


def _member() -> Node:
    return _record(
        "one detector of a panel",
        {
            "detector": _text("name"),
            "weights_sha256": _text("SHA-256 of its weights"),
            "weight": _number("of its logit in the sum"),
            "longest_cpu_s": _nullable(_number("left out of longer videos on a CPU, in seconds")),
        },
    )


def _pair(description: str) -> Node:
    return {
        **_list({"type": "number"}, description),
        "minItems": 2,
        "maxItems": 2,
    }


def _record(description: str, properties: dict[str, Node]) -> Node:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Node, description: str) -> Node:
    return {"type": "array", "description": description, "items": items}


def _nullable(node: Node) -> Node:
    return {"anyOf": [node, {"type": "null"}]}


def _text(description: str) -> Node:
    return {"type": "string", "description": description}


def _sha256(description: str) -> Node:
    return {"type": "string", "pattern": _SHA256, "description": f"SHA-256 {description}"}


def _number(description: str) -> Node:
    return {"type": "number", "description": description}


def _seconds(description: str) -> Node:
    return {"type": "number", "minimum": 0, "description": f"{description}, in seconds"}


def _share(description: str) -> Node:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": f"0 to 1: {description}"}


def _count(description: str) -> Node:
    return {"type": "integer", "minimum": 0, "description": description}


def _flag(description: str) -> Node:
    return {"type": "boolean", "description": f"true: {description}"}


def _point(description: str) -> Node:
    return {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
        "description": description,
    }


def _finding(description: str) -> Node:
    return {
        "enum": [finding.value for finding in Finding],
        "description": f"{description}; never proof that a video is genuine",
    }
