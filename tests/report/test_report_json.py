"""The JSON of a verdict: complete, finite, and as its schema says."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from report_builders import (
    all_verdicts,
    make_face,
    make_gated,
    make_info,
    make_panel,
    make_scores,
    make_two_people,
    make_verdict,
    make_without_probability,
)

from unmask.errors import OutputError
from unmask.report import schema, to_json
from unmask.types import (
    Calibration,
    Domain,
    ErrorRates,
    FaceLook,
    Finding,
    LeftOutRates,
    PanelMember,
    QualityClass,
    Rate,
)

VERDICTS = all_verdicts()


def errors_of(text: str) -> list[str]:
    validator = Draft202012Validator(schema())
    return [error.message for error in validator.iter_errors(json.loads(text))]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", VERDICTS)
def test_every_verdict_validates(name: str) -> None:
    assert errors_of(to_json(VERDICTS[name])) == []


@pytest.mark.parametrize(
    "where", [(), ("video",), ("coverage",), ("faces", 0), ("clip_scores", 0), ("calibration",)]
)
def test_the_schema_refuses_a_key_that_it_does_not_know(where: tuple[str | int, ...]) -> None:
    document = json.loads(to_json(make_verdict()))
    node = document
    for step in where:
        node = node[step]
    node["surprise"] = 1
    assert errors_of(json.dumps(document))


def test_every_node_of_the_schema_is_described() -> None:
    def undescribed(node: dict, path: str) -> list[str]:
        found = []
        for key, child in node.get("properties", {}).items():
            inner = child["anyOf"][0] if "anyOf" in child else child
            if not inner.get("description"):
                found.append(f"{path}.{key}")
            found += undescribed(inner.get("items", inner), f"{path}.{key}")
        return found

    assert undescribed(schema(), "") == []


def test_values_arrive_as_they_were() -> None:
    verdict = make_two_people()
    document = json.loads(to_json(verdict))
    assert document["finding"] == "manipulated"
    assert document["video"]["fps"] == "30000/1001"
    assert document["video"]["path"] == str(verdict.video.path)
    assert document["faces"][1]["finding"] == "manipulated"
    assert document["faces"][1]["logits"] == {"toydetector": 3.21}
    assert len(document["clip_scores"]) == len(verdict.clip_scores)
    assert document["clip_scores"][3]["logit"] == verdict.clip_scores[3].logit
    seen = document["tracks"][0]["observations"][1]
    assert seen["box_px"] == [481.2, 160.2, 663.7, 395.8]
    assert len(seen["landmarks_px"]) == 5
    assert seen["is_interpolated"] is True


def test_a_mask_becomes_three_numbers() -> None:
    score = json.loads(to_json(make_verdict()))["clip_scores"][0]
    # 4 x 4 of 8 x 8 at 0.9; columns 4..7 and rows 2..5 of a region of 320 px at (400, 100).
    expected = {"share_over_half": 0.25, "maximum": 0.9, "centroid_px": [640.0, 260.0]}
    assert score["mask"] == expected


def test_an_empty_mask_has_no_centre() -> None:
    scores = make_scores(0, 0.0, 0.1, lambda _: 0.0)
    blank = replace(scores[0], mask=np.zeros((1, 8, 8), np.float32))
    document = json.loads(to_json(replace(make_verdict(), clip_scores=(blank,))))
    expected = {"share_over_half": 0.0, "maximum": 0.0, "centroid_px": None}
    assert document["clip_scores"][0]["mask"] == expected


def test_numpy_numbers_do_not_reach_the_text() -> None:
    score = replace(
        make_scores(0, 0.0, 0.1, lambda _: 0.0)[0],
        logit=np.float32(1.5),
        frame_indices=tuple(np.arange(3)),
    )
    document = json.loads(to_json(replace(make_verdict(), clip_scores=(score,))))
    assert document["clip_scores"][0]["logit"] == 1.5
    assert document["clip_scores"][0]["frame_indices"] == [0, 1, 2]


def test_the_text_is_stable_and_readable() -> None:
    text = to_json(make_verdict())
    assert text == to_json(make_verdict())
    assert text.endswith("}\n")
    assert text.splitlines()[1] == '  "schema_version": "2.1",'
    assert max(map(len, text.splitlines())) < 1000


def test_the_numbers_of_an_answer_come_back_as_they_were() -> None:
    """What the text says can be made into the same records again."""
    verdict = make_panel()
    document = json.loads(to_json(verdict))
    for name in ("score", "llr", "probability", "threshold", "decided_by", "bits_per_pixel"):
        assert document[name] == getattr(verdict, name), name
    assert tuple(document["probability_interval"]) == verdict.probability_interval
    (face,), (entry,) = verdict.faces, document["faces"]
    for name in ("score", "llr", "probability", "quality", "logits", "thresholds"):
        assert entry[name] == getattr(face, name), name
    assert face.judgement is not None
    assert entry["calibration"] == face.judgement.calibration.name
    assert face.errors is not None
    assert ErrorRates(**{k: _tupled(v) for k, v in entry["errors"].items()}) == face.errors
    assert FaceLook(**entry["look"]) == face.look
    assert document["calibration"] == document["calibrations"][0]
    assert read_back(document["calibration"]) == verdict.calibration


def read_back(entry: dict) -> Calibration:
    plain = {key: _tupled(value) for key, value in entry.items()}
    return Calibration(
        **plain
        | {
            "classes": tuple(
                QualityClass(**{k: _tupled(v) for k, v in one.items()}) for one in entry["classes"]
            ),
            "domain": Domain(**entry["domain"]),
            "panel": tuple(PanelMember(**one) for one in entry["panel"]),
            "left_out": LeftOutRates(
                **{
                    name: Rate(**{k: _tupled(v) for k, v in rate.items()})
                    for name, rate in entry["left_out"].items()
                }
            ),
        }
    )


def _tupled(value: object) -> object:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def test_closed_gates_and_missing_numbers_are_reported() -> None:
    document = json.loads(to_json(make_gated()))
    assert document["faces"][0]["gates"][0] == (
        "the face is 31 px large; the calibration holds from 48 px"
    )
    nothing = ("score", "llr", "probability", "probability_interval", "decided_by")
    assert [document[name] for name in nothing] == [None] * 5
    bounds_only = json.loads(to_json(make_without_probability()))
    assert bounds_only["llr"] is None
    assert bounds_only["score"] == 0.55
    assert bounds_only["calibration"]["scale"] == "logit"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused_by_name(bad: float) -> None:
    face = replace(make_face(0, Finding.MANIPULATED, 2.0), logits={"toydetector": bad})
    verdict = replace(make_verdict(), faces=(face,))
    with pytest.raises(OutputError) as caught:
        to_json(verdict)
    assert str(caught.value) == (
        "Cannot write the verdict on '/archive/incoming/interview_2026-11-03.mp4' as JSON: "
        f"faces[0].logits.toydetector is {bad}, expected a finite number. Scan again with "
        "another detector or other weights, and report this as a bug."
    )


def test_a_name_that_is_not_utf8_is_escaped() -> None:
    info = replace(make_info(), path=Path(os.fsdecode(b"caf\xe9.mp4")))
    text = to_json(replace(make_verdict(), video=info))
    assert json.loads(text)["video"]["path"] == "caf\\xe9.mp4"
    assert text.encode("utf-8")
