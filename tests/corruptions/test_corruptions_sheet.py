"""The picture sheet of docs/corruptions.md is what the code makes."""

from pathlib import Path

import corruption_sheet
import numpy as np
from PIL import Image


def test_the_committed_sheet_is_what_the_script_makes(tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert corruption_sheet.main(["-o", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    made, kept = (
        np.asarray(Image.open(path), int)
        for path in (out, Path(__file__).parents[2] / "docs" / "corruptions.png")
    )
    assert made.shape == kept.shape
    assert np.abs(made - kept).mean() < 1  # another OpenCV or x264 changes a few values
