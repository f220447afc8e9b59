"""Tables and lists as a person reads them in the UI."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ml.registry.models import Promotion
from ml.state.state import State
from monitoring.areas import Verdict
from monitoring.key_figures import KeyFigure, Series
from orchestration.defs.registry.assets import history_markdown
from orchestration.defs.serving.assets import list_markdown, lists_file
from orchestration.plots import named_days, turn
from orchestration.readable import table_markdown
from orchestration.settings import Settings
from tests.ml.conftest import make_state, stream

# Fixtures of another folder, known here by their names.
__all__ = ["make_state", "stream"]


def test_a_bar_in_a_title_begins_no_cell_and_words_stand_without_brackets() -> None:
    table = pa.table({"title": ["Left | Right"], "sources": [["content", "ials"]], "score": [0.5]})
    assert table_markdown(table).splitlines()[2] == "| Left \\| Right | content, ials | 0.5000 |"


def test_a_list_names_listener_titles_and_artists(make_state: Callable[..., State]) -> None:
    catalogue = make_state(2, 3, {}).catalogue
    lists = pa.table(
        {
            "user_id": ["u1", "u1"],
            "rank": [1, 2],
            "track_id": [catalogue.track_ids[2].as_py(), catalogue.track_ids[0].as_py()],
            "score": [0.5, 0.25],
            "sources": [["content"], ["ials"]],
            "reasons": [["near what you play"], []],
        }
    )
    said = list_markdown(lists, catalogue)
    assert said.startswith("Home of `u1`:")
    title, artist = (names[2].as_py() for names in (catalogue.titles, catalogue.artist_names))
    assert f"| 1 | {title} | {artist} | near what you play | content | 0.5000 |" in said
    assert list_markdown(lists.slice(0, 0), catalogue) == "nobody was active"


def test_the_file_of_the_lists_lies_under_the_day_they_were_made_on(tmp_path: Path) -> None:
    path = lists_file(Settings(tmp_path), date(2026, 3, 2))
    assert path.endswith("recommendations/day=2026-03-01/part.parquet")


def test_what_serves_stands_above_what_served() -> None:
    said = history_markdown(
        [
            Promotion("a1", "2026-03-02T06:00:00+00:00", "passed the gate"),
            Promotion("b2", "2026-03-09T06:30:00+00:00", "sounded wrong", "a1", "Ada"),
        ]
    )
    assert said.splitlines() == [
        "* `b2` from 2026-03-09 06:30 UTC: sounded wrong (by Ada)",
        "* `a1` from 2026-03-02 06:00 UTC: passed the gate",
    ]


@pytest.mark.parametrize(
    ("verdicts", "day"),
    [("ok ok act act", 3), ("ok watch ok act", 4), ("ok ok", None), ("act act", None)],
)
def test_the_plots_name_the_day_on_which_the_verdict_became_graver(
    verdicts: str, day: int | None
) -> None:
    words = tuple(Verdict(word) for word in verdicts.split())
    days = tuple(date(2026, 3, 1 + place) for place in range(len(words)))
    series = Series(KeyFigure("m", "M"), days, (0.0,) * len(days), (None,) * len(days), words)
    assert turn(series) == (None if day is None else date(2026, 3, day))


def test_a_day_that_would_be_written_over_the_turn_is_left_out() -> None:
    words = (*[Verdict.OK] * 9, Verdict.ACT, Verdict.ACT)
    days = tuple(date(2026, 3, 1 + place) for place in range(len(words)))
    nothing: tuple[float | None, ...] = (None,) * len(days)
    series = Series(KeyFigure("m", "M"), days, (0.0,) * len(days), nothing, words)
    assert named_days(series) == [date(2026, 3, 1), date(2026, 3, 10)]
    assert named_days(Series(KeyFigure("m", "M"), days[:1], (0.0,), (None,), words[:1])) == [
        days[0]
    ]
