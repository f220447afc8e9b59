"""The pictures' own promises: few bytes, a browser that is asked for by name, none that the README lacks."""

import re
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from ml.errors import SegueError
from tests.pictures.browser import chromium_path, quantised
from tests.pictures.import_page import set_aside
from tests.pictures.servers import REPOSITORY, running, started

DOCS = REPOSITORY / "docs"
_MOST_BYTES = 200_000


def named_in(text: str) -> set[str]:
    """Pictures of docs/ that a README shows."""
    return set(re.findall(r"\(docs/([\w-]+\.png)\)", text))


def test_the_readme_shows_the_pictures_that_are_there_and_no_others() -> None:
    shown = named_in((REPOSITORY / "README.md").read_text())
    assert shown == {path.name for path in DOCS.glob("*.png")}
    assert {"champion.png", "decision.png", "recommendations.png", "alarm.png"} <= shown
    assert named_in("![A](docs/a-b.png) ![B](https://else/c.png)") == {"a-b.png"}


def test_every_picture_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in DOCS.glob("*.png")}
    assert {name: size for name, size in sizes.items() if size > _MOST_BYTES} == {}


def test_a_picture_keeps_its_size_in_pixels_and_loses_bytes() -> None:
    colours = np.random.default_rng(7).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(colours).save(stream, format="PNG")
    made = quantised(stream.getvalue())
    # Width and height stand at a fixed place of every PNG.
    assert struct.unpack(">II", made[16:24]) == (60, 40)
    assert len(made) < len(stream.getvalue())


def test_without_chromium_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SegueError, match="apt-get install chromium"):
        chromium_path()


def test_a_home_without_a_model_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(SegueError, match="segue demo"), running(tmp_path):
        pass


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(SegueError, match=r"no home\.json"),
        started(tmp_path, ("serve",), lambda: False),
    ):
        pass


def test_the_quarantine_is_told_by_reason_with_a_place(tmp_path: Path) -> None:

    folder = tmp_path / "quarantine" / "listens"
    folder.mkdir(parents=True)
    rows = {"reason": ["a", "b", "a"], "source_file": ["2", "3", "1"], "record": [9, 5, 4]}
    pq.write_table(pa.table(rows), folder / "x.parquet")
    assert [line.split() for line in set_aside(tmp_path).splitlines()[1:]] == [
        ["a", "2", "1", "4"],
        ["b", "1", "3", "5"],
    ]
