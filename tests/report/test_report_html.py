"""The page: self-contained, escaped, complete, and honest in its words."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from report_builders import (
    all_verdicts,
    make_calibration,
    make_crowd,
    make_damaged,
    make_gated,
    make_info,
    make_judgement,
    make_key_frame,
    make_panel,
    make_still,
    make_two_people,
    make_uncalibrated,
    make_verdict,
    make_without_probability,
)

from unmask.report import to_html
from unmask.types import Finding

VERDICTS = all_verdicts()
VOID_TAGS = {"meta", "img", "br"}


class Page(HTMLParser):
    """The tags, attributes and text of a page, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.stack: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID_TAGS:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID_TAGS:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def heading(page: str) -> str:
    found = re.search(r"<h1>.*?<span>(.*?)</span></h1>", page, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("name", VERDICTS)
def test_the_page_is_whole_and_needs_nothing_from_outside(name: str) -> None:
    verdict = VERDICTS[name]
    text = to_html(verdict, [make_key_frame()])
    page = Page(text)
    assert page.stack == []
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    for tag, attribute, value in page.attributes:
        assert not attribute.startswith("on")
        if attribute in {"src", "href", "srcset", "data", "action", "xlink:href"}:
            assert (tag, attribute) == ("img", "src")
            assert value.startswith("data:image/jpeg;base64,")
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text


def test_the_policy_forbids_everything_but_inline() -> None:
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert ("meta", "content", policy) in Page(to_html(make_verdict())).attributes


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (Finding.MANIPULATED, "Signs of manipulation found"),
        (Finding.INCONCLUSIVE, "Inconclusive"),
        (Finding.NO_MANIPULATION_FOUND, "No signs found by this detector"),
        (Finding.NO_FACE, "No face"),
    ],
)
def test_the_finding_stands_in_words_with_its_own_shape(finding: Finding, words: str) -> None:
    page = to_html(make_verdict(finding))
    assert heading(page) == words
    assert f"<title>{words}: interview_2026-11-03.mp4" in page
    others = {heading(to_html(make_verdict(other))) for other in Finding if other is not finding}
    assert words not in others
    icons = {
        re.search(r"<h1>(<svg.*?</svg>)", to_html(make_verdict(each)), re.DOTALL)[1]  # type: ignore[index]
        for each in Finding
    }
    assert len(icons) == 4


def test_markup_in_any_text_is_shown_not_obeyed() -> None:
    attack = "<script>alert(1)<script><img src=x onerror=alert(1)>\"'.mp4"
    verdict = make_verdict(name=attack)
    calibration = replace(make_calibration(), name=attack, data=attack, date=attack)
    detectors = tuple(
        replace(use, weights=attack, license=attack, trained_on=attack, sha256=attack)
        for use in verdict.detectors
    )
    judgement = make_judgement(3.21, calibration)
    faces = tuple(replace(face, reasons=(attack,), judgement=judgement) for face in verdict.faces)
    scores = tuple(replace(score, detector=attack) for score in verdict.clip_scores)
    nasty = replace(
        verdict,
        calibrations=(calibration,),
        detectors=detectors,
        faces=faces,
        clip_scores=scores,
        reasons=(attack,),
        device=attack,
        unmask_version=attack,
        video=replace(verdict.video, container=attack, codec=attack, sha256=attack),
    )
    text = to_html(nasty, [replace(make_key_frame(), detector=attack)])
    page = Page(text)
    assert "<script" not in text
    assert not any(name == "onerror" for _, name, _ in page.attributes)
    assert attack in page.text
    assert page.text.count(attack) >= 12


def test_hidden_characters_in_a_name_become_visible() -> None:
    text = to_html(make_verdict(name="a\u202egpj.exe\x1b[2J\u200d.mp4"))
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "a\\u202egpj.exe\\x1b[2J\u200d.mp4" in text


def test_the_error_rates_stand_beside_the_probability() -> None:
    text = Page(to_html(make_verdict())).text.replace("\N{NO-BREAK SPACE}", " ")
    assert (
        "Probability of manipulation 96 % 95 % interval: 91 to 98 %. If manipulated and real "
        "videos are equally likely beforehand. If 1 in 10 such videos is manipulated: 73 %; if 1 "
        "in 100: 20 %."
    ) in text
    assert (
        "Log-likelihood ratio +3.21 A score like this is about 25 times as likely for a "
        "manipulated video as for a real one. Moderate support for manipulation (ENFSI scale). "
        "Stated within -4.20 to +3.90: the validation videos are too few to support a stronger one."
    ) in text
    assert (
        "Real videos this high 0 of 76 Real validation videos that score as high or higher. "
        "Manipulated videos this low 61 of 81"
    ) in text


def test_without_calibration_there_is_no_probability() -> None:
    text = Page(to_html(make_uncalibrated())).text
    assert "Probability of manipulation" not in text
    assert (
        "No probability is given: no calibration belongs to these detectors with these weights."
    ) in text
    assert "None. The scores are shown as they came from the detector." in text


def test_the_file_and_the_method_can_be_traced() -> None:
    verdict = make_two_people()
    text = Page(to_html(verdict)).text
    for expected in (
        verdict.video.sha256,
        "29.97 fps (30000/1001), constant",
        "3,767,412 bytes, 2,415 kbit/s",
        "1280 \N{MULTIPLICATION SIGN} 720",
        *(use.sha256 for use in verdict.detectors),
        "Apache-2.0",
        "toydetector 2026-11 far05",
        "2026-11-18",
        "unmask 0.1.0",
        "Audio was not analyzed.",
    ):
        assert expected in text, expected
    assert "/archive/incoming" not in text, "the folder on the examiner's disk is not for readers"


def test_the_hash_command_survives_odd_names() -> None:
    text = Page(to_html(make_verdict(name="it's; rm -rf $HOME.mp4"))).text
    assert """sha256sum 'it'"'"'s; rm -rf $HOME.mp4'""" in text
    assert "sha256sum ./-rf.mp4" in Page(to_html(make_verdict(name="-rf.mp4"))).text


def test_a_folder_of_frames_has_no_hash_command() -> None:
    verdict = replace(make_verdict(), video=replace(make_info("frames"), codec="images"))
    text = Page(to_html(verdict)).text
    assert "sha256sum" not in text
    assert "scan the folder again and compare" in text


def test_a_crowd_stays_readable_and_complete() -> None:
    text = to_html(make_crowd())
    names = re.findall(r"(Face \d+): [A-Z]", Page(text).text)
    assert names[:3] == ["Face 20", "Face 19", "Face 1"]
    assert sorted(names) == sorted(f"Face {number}" for number in range(1, 21))
    assert text.count('<details class="face') == 16
    assert "16 more faces" in text
    assert "Reason number 8." in text
    assert "3 more reasons" in text


def test_five_faces_are_all_open() -> None:
    text = to_html(make_crowd(5))
    assert text.count("<article") == 5
    assert '<details class="face' not in text


def test_key_frames_stand_with_their_face() -> None:
    frames = [make_key_frame(track_id=1, time_s=time_s) for time_s in (7.0, 3.4)]
    frames.append(make_key_frame(track_id=0, with_mask=False))
    text = to_html(make_two_people(), frames)
    second, first = text.index("Face 2: Signs of"), text.index("Face 1: No signs")
    early, late = text.index("0:03.40 · frame 102"), text.index("0:07.00 · frame 210")
    assert second < early < late < first < text.index("0:04.20 · frame 126")
    assert text.count("<img") == 3 + 3 + 2
    assert "this detector does not say where" in text
    assert "toydetector +3.40" in text


def test_a_key_frame_of_no_listed_face_is_not_lost() -> None:
    text = to_html(make_verdict(Finding.NO_FACE), [make_key_frame(track_id=9)])
    assert "Other frames" in text
    assert text.count("<img") == 3
    assert "Other frames" not in to_html(make_verdict(), [make_key_frame()])


def test_many_key_frames_collapse() -> None:
    text = to_html(make_verdict(), [make_key_frame(time_s=time_s) for time_s in range(5)])
    assert "2 more frames" in text
    assert text.count("<figure>") == 5


def test_a_timeline_is_drawn_and_described() -> None:
    text = to_html(make_two_people())
    assert text.count('class="timeline"') == 3
    labels = re.findall(r'aria-label="(Scores over time[^"]*)"', text)
    assert html.unescape(labels[0]) == (
        "Scores over time of Face 2. Highest clip score +3.46 at 0:04.0; 20 clips scored, 12 of "
        "them at or over the threshold (+1.37)."
    )
    assert 'text-anchor="start">0:00<' in text


def test_a_still_has_no_timeline() -> None:
    text = to_html(make_still(), [make_key_frame()])
    assert 'class="timeline"' not in text
    assert "nothing that shows only in motion could be seen" in text
    assert "Still picture" in text


def test_damage_is_reported() -> None:
    text = Page(to_html(make_damaged())).text
    assert "part of the file could not be decoded; the answer covers only the rest" in text
    assert "none noticed" in Page(to_html(make_verdict())).text


def test_the_page_never_answers_that_a_video_is_real() -> None:
    for finding in Finding:
        text = Page(to_html(make_verdict(finding))).text
        kept = re.sub(r"does not prove authenticity|\breal (validation )?videos?\b", "", text)
        assert not re.search(r"\b(is|as|looks|likely|be) (real|authentic|genuine)\b", kept)
        assert "authentic" not in kept.lower()


def test_dark_print_and_phone_are_provided_for() -> None:
    text = to_html(make_verdict())
    assert "@media (prefers-color-scheme: dark)" in text
    assert "@media print" in text
    assert "@media (max-width: 640px)" in text
    assert 'name="viewport"' in text


def test_the_heat_is_explained_only_where_there_is_some() -> None:
    words = "where the network reacts, weak to strong (real faces are often marked, too)"
    assert words in to_html(make_verdict(), [make_key_frame()])
    assert words not in to_html(make_verdict(), [make_key_frame(with_mask=False)])
    assert words not in to_html(make_verdict())


def test_the_score_is_shown_among_those_of_the_validation_videos() -> None:
    text = to_html(make_verdict())
    labels = re.findall(r'role="img" aria-label="(Face 1 scores[^"]*)"', text)
    assert len(labels) == 1
    assert "0 of 76 real validation videos" in labels[0]
    assert text.count('class="block-real"') > 5
    assert text.count('class="block-fake"') > 5
    assert 'class="block-real"' not in to_html(make_uncalibrated())


def test_a_closed_gate_is_reported_with_its_numbers_and_without_a_probability() -> None:
    text = Page(to_html(make_gated())).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Outside of what was calibrated, so no answer:" in text
    assert "The face is 31 px large; the calibration holds from 48 px." in text
    assert "No probability is given: outside of what the calibration saw" in text
    assert "Probability of manipulation" not in text
    assert "scores this high" not in text


def test_bounds_alone_have_their_reason() -> None:
    text = Page(to_html(make_without_probability())).text
    assert "the scores do not separate real from manipulated validation videos well enough" in text
    assert "Real videos this high 1 of 76" in text
    assert "Log-likelihood ratio" not in text.partition("Limits")[0]


def test_a_panel_is_reported_detector_by_detector() -> None:
    text = Page(to_html(make_panel())).text
    assert "What each detector scored for Face 1" in text
    assert "othernet +3.40 13 one of the panel, weight 0.45" in text
    assert "Calibration of the panel" in text
    assert "othernet, weight 0.450, on a CPU only up to 2 min 00 s of video" in text
    assert "What each detector scored" not in Page(to_html(make_verdict())).text


def test_where_the_calibration_holds_is_reported() -> None:
    text = Page(to_html(make_verdict())).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "faces from 48 px; 1.0 s scored or more; 0.0061 bits or more for each pixel" in text
    assert (
        "small or strongly compressed (31 real, 35 manipulated); other (76 real, 81 manipulated)"
        in text
    )
    assert "log-likelihood ratios from -4.20 to +3.90" in text


def test_every_table_names_its_columns_and_rows() -> None:
    page = Page(to_html(make_panel()))
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert scopes == ["col"] * 4 + ["row"] * 3
    assert page.tags.count("caption") == page.tags.count("table") == 1


def test_text_has_enough_contrast_in_light_and_dark() -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 between any text color and what lies under it."""
    css = to_html(make_verdict()).partition("<style>")[2].partition("</style>")[0]
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(blocks) == 3
    inks = ("ink", "soft", "manipulated", "inconclusive", "no_manipulation_found", "no_face")
    for block in blocks:
        colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", block))
        for ink in inks:
            for under in ("paper", "ground"):
                ratio = contrast(colors[ink], colors[under])
                assert ratio >= 4.5, (ink, under, ratio)


def contrast(one: str, other: str) -> float:
    """Of two colors, by WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    digits = color.removeprefix("#")
    pairs = [c * 2 for c in digits] if len(digits) == 3 else re.findall("..", digits)
    linear = []
    for pair in pairs:
        value = int(pair, 16) / 255
        linear.append(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
