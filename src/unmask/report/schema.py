"""The JSON Schema of what ``to_json`` writes."""

from __future__ import annotations

from unmask.report.schema_calibration import calibration
from unmask.report.schema_nodes import (
    Node,
    count,
    finding,
    flag,
    list_of,
    nullable,
    number,
    pair,
    point,
    record,
    seconds,
    sha256,
    share,
    text,
)
from unmask.report.to_json import SCHEMA_VERSION


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
        "unmask_version": text("version of the program that wrote this"),
        "scanned_at": text("UTC time of the scan, ISO 8601; empty if unknown"),
        "finding": finding("the answer on the whole video"),
        **_strength(),
        "threshold": nullable(number("score from which a video counts as manipulated")),
        "decided_by": nullable(count("track_id of the face whose finding and numbers these are")),
        "reasons": list_of(text("one sentence"), "why the finding is what it is"),
        "video": _video(),
        "bits_per_pixel": nullable(number("bits spent on a pixel of a frame; null: unknown")),
        "coverage": _coverage(),
        "faces": list_of(_face(), "the answer for each person that was followed"),
        "clip_scores": list_of(_clip_score(), "every number that a detector gave"),
        "tracks": list_of(_track(), "the geometry of every face found"),
        "detectors": list_of(_detector(), "which detectors spoke, with which weights"),
        "calibration": nullable(calibration()),
        "calibrations": list_of(calibration(), "all that fit these detectors and weights"),
        "device": text("where the networks ran, for example cpu"),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:unmask:verdict:{SCHEMA_VERSION}",
        "title": "unmask verdict",
        **record(
            "The answer on one video. Names ending in _s are seconds from the video's start, in "
            "_px pixels of the upright full frame; a logit above 0 leans to fake.",
            properties,
        ),
    }


def _video() -> Node:
    return record(
        "what the file says of itself",
        {
            "path": text("as it was given to unmask"),
            "sha256": sha256("of the file"),
            "size_bytes": count("size of the file in bytes"),
            "container": text("container format"),
            "codec": text("video codec; images for a folder of frames"),
            "width_px": count("width of the upright frame in pixels"),
            "height_px": count("height of the upright frame in pixels"),
            "rotation_deg": {"type": "integer", "description": "rotation applied, in degrees"},
            "fps": {
                "type": "string",
                "pattern": "^[0-9]+/[1-9][0-9]*$",
                "description": "frames per second as an exact fraction, for example 30000/1001",
            },
            "duration_s": number("length that the container claims, in seconds; 0 for a still"),
            "start_s": number("timestamp of the first frame in the container, in seconds"),
            "frame_count": nullable(count("frames that the container claims")),
            "bit_rate_bps": nullable(count("bits per second of the whole file")),
            "video_bit_rate_bps": nullable(count("bits per second of the pictures alone")),
            "is_variable_rate": flag("frames are unevenly spaced in time"),
            "has_audio": flag("the file has a sound track"),
            "is_still": flag("the file is one still picture"),
        },
    )


def _coverage() -> Node:
    return record(
        "what was looked at, and what was not",
        {
            "duration_s": seconds("length of the video"),
            "decoded_s": seconds("time that could be decoded"),
            "face_s": seconds("time in which a face was seen"),
            "scored_s": seconds("time in which a face was scored"),
            "frames_decoded": count("frames decoded"),
            "frames_examined": count("frames searched for faces"),
            "faces_found": count("faces followed"),
            "faces_scored": count("faces that a detector scored"),
            "clips_scored": count("clips scored"),
            "clips_dropped": count("clips left out because the face was missing too often"),
            "smallest_face_px": number("smallest face scored: longest side of its box, pixels"),
            "audio": {
                "enum": ["not analyzed", "none"],
                "description": "none: the file has no sound",
            },
            "is_damaged": flag("part of the file could not be decoded"),
        },
    )


def _strength() -> dict[str, Node]:
    """How strong the evidence is: of the video as of each face."""
    interval = pair("0 to 1: low and high end of the 95 % interval of the probability")
    return {
        "score": nullable(number("compared with the threshold; null: nothing calibrated decided")),
        "llr": nullable(
            number(
                "natural log-likelihood ratio, forged against real: the score within the "
                "calibration's bounds; null where no probability is given"
            )
        ),
        "probability": nullable(share("of manipulation, at equal odds beforehand")),
        "probability_interval": nullable(interval),
    }


def _face() -> Node:
    return record(
        "one person from appearance to disappearance or shot cut",
        {
            "track_id": count("number of the track"),
            "start_s": number("first seen, in seconds"),
            "end_s": number("last seen, in seconds"),
            "finding": finding("the answer for this person"),
            **_strength(),
            "threshold": nullable(number("score from which this face is manipulated")),
            "lower": nullable(number("score below which no manipulation is found in this face")),
            "calibration": text("name of the calibration that judged; empty: none"),
            "quality": text("class of quality whose line gave the score; empty: none"),
            "errors": nullable(_errors()),
            "gates": list_of(text("one sentence"), "why no calibration holds for this face"),
            "logits": _by_detector("its logit over all clips of this person"),
            "thresholds": _by_detector("the logit from which a clip of this person counts as high"),
            "face_px": number("median longest side of the face box, in pixels"),
            "clips": count("clips scored"),
            "look": nullable(_look()),
            "reasons": list_of(text("one sentence"), "what limits the answer for this person"),
        },
    )


def _by_detector(description: str) -> Node:
    return {
        "type": "object",
        "additionalProperties": {"type": "number"},
        "description": f"by detector: {description}",
    }


def _errors() -> Node:
    return record(
        "how many validation videos score as misleadingly as this face",
        {
            "real_at_or_above": count("real ones that score as high or higher"),
            "real_videos": count("real ones in all"),
            "false_alarm_interval": pair("0 to 1: 95 % Wilson interval of their share"),
            "fake_at_or_below": count("forged ones that score as low or lower"),
            "fake_videos": count("forged ones in all"),
            "miss_interval": pair("0 to 1: 95 % Wilson interval of their share"),
        },
    )


def _look() -> Node:
    return record(
        "what the face looks like over its time; tells drawings and still pictures",
        {
            "flat_share": share("of pixels equal to their neighbors"),
            "change": nullable(number("mean change between moments, gray levels")),
            "moments": count("moments looked at"),
        },
    )


def _clip_score() -> Node:
    mask = record(
        "the detector's mask of forged pixels, summarised over all pictures of the clip",
        {
            "share_over_half": share("of mask pixels over 0.5"),
            "maximum": share("highest value of the mask"),
            "centroid_px": nullable(point("centre of mass of the mask, pixels of the frame")),
        },
    )
    return record(
        "one detector's answer on one clip",
        {
            "detector": text("name of the detector"),
            "track_id": count("number of the track"),
            "start_s": number("time of the clip's first frame, in seconds"),
            "end_s": number("time of the clip's last frame, in seconds"),
            "logit": number("above 0 leans to fake; compare with the threshold"),
            "face_px": number("median longest side of the face box, in pixels"),
            "frame_indices": list_of(count("counts every decoded frame from 0"), "frames seen"),
            "mask": nullable(mask),
        },
    )


def _track() -> Node:
    observation = record(
        "where the face is in one frame",
        {
            "frame_index": count("counts every decoded frame from 0"),
            "time_s": number("time of the frame, in seconds"),
            "box_px": {
                **list_of({"type": "number"}, "x0, y0, x1, y1, half-open, in pixels"),
                "minItems": 4,
                "maxItems": 4,
            },
            "landmarks_px": list_of(
                point("x, y in pixels"),
                "left eye, right eye (as seen in the picture), nose tip, left and right mouth "
                "corner, in pixels",
            ),
            "confidence": number("of the face finder, 0 to 1"),
            "is_interpolated": flag("filled in between two detections"),
        },
    )
    return record(
        "the geometry of one face",
        {
            "track_id": count("number of the track"),
            "observations": list_of(observation, "in order of time"),
        },
    )


def _detector() -> Node:
    return record(
        "one detector",
        {
            "name": text("name of the detector"),
            "weights": text("tag of the weights"),
            "sha256": text("SHA-256 of the weights; empty for an untrained network"),
            "license": text("licence of the weights"),
            "trained_on": text("what the weights were trained on"),
            "is_non_commercial": flag("the licence of the weights forbids commercial use"),
        },
    )
