"""The page and its plots: where marks lie, what is written, and that nothing comes from outside."""

import re

import pytest

from ml.evaluation.page.charts import Line, bars_plot, intervals_plot
from ml.evaluation.page.layout import Chapter, Section, Verdict, page, table
from ml.evaluation.page.marks import Mark, Scale, legend, number, scale_of
from ml.evaluation.page.trend import days_plot

NAN = float("nan")


def test_a_scale_leaves_a_margin_at_both_ends() -> None:
    scale = Scale(0.0, 2.0)
    assert [scale.at(0.0), scale.at(1.0), scale.at(2.0)] == ["1.50%", "50.00%", "98.50%"]


def test_what_lies_beyond_a_scale_is_drawn_at_its_end() -> None:
    assert Scale(0.0, 1.0).at(3.0) == "98.50%"


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(0.0, 1.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (Scale(-0.011, 0.009), [-0.01, -0.005, 0.0, 0.005]),
        (Scale(0.0, 0.55), [0.0, 0.2, 0.4]),
    ],
)
def test_ticks_are_round_and_inside(scale: Scale, ticks: list[float]) -> None:
    assert scale.ticks() == pytest.approx(ticks)


def test_a_scale_holds_every_interval_and_zero_where_asked() -> None:
    marks = [Mark("a", 0.5, 0.4, 0.7), Mark("b", 0.6, NAN, NAN)]
    free, from_zero = scale_of(marks, zero=False), scale_of(marks, zero=True)
    assert free.low < 0.4 < 0.7 < free.high
    assert from_zero.low == 0.0


def test_marks_without_any_figure_have_a_scale_still() -> None:
    scale = scale_of([Mark("a", NAN, NAN, NAN)], zero=False)
    assert scale.low < scale.high


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (0.0, "0"), (-0.00001, "0"), (NAN, "n/a"), (12.0, "12")]
)
def test_figures_are_written_short(value: float, text: str) -> None:
    assert number(value) == text


def test_a_mark_says_its_figure_and_interval_under_the_pointer() -> None:
    plot = intervals_plot([Line("head", [Mark("segue", 0.5, 0.4, 0.6)])], ["segue"], "NDCG")
    assert "<title>segue: 0.5000 [0.4000, 0.6000]</title>" in plot


def test_a_figure_that_is_not_there_is_not_drawn() -> None:
    plot = intervals_plot([Line("cold", [Mark("segue", NAN, NAN, NAN)])], ["segue"], "NDCG")
    assert "cold" in plot
    assert "<circle" not in plot


def test_series_differ_in_shape_and_not_only_in_colour() -> None:
    marks = [Mark("a", 1.0, NAN, NAN), Mark("b", 2.0, NAN, NAN)]
    plot = intervals_plot([Line("row", marks)], ["a", "b"], "two")
    assert plot.count("<circle") == 1
    assert plot.count("<path") == 1
    assert legend(["a", "b"]).count("<path") == 1


def test_the_longest_bar_takes_the_width_and_half_of_it_half() -> None:
    plot = bars_plot([("one", 2.0, ""), ("other", 1.0, "")], "bars")
    assert re.findall(r'width="([\d.]+)%" height="9"', plot) == ["97.00", "48.50"]


def test_bars_of_nothing_have_no_length() -> None:
    assert 'width="0.00%"' in bars_plot([("one", 0.0, ""), ("other", NAN, "")], "bars")


def test_days_that_a_choice_was_made_on_are_hollow() -> None:
    marks = [Mark("segue", 0.4, 0.3, 0.5), Mark("segue", 0.5, 0.4, 0.6)]
    plot = days_plot(["1 Mar", "2 Mar"], {"segue": marks}, "trend", hollow=[True, False])
    fills = re.findall(r'r="4.5" fill="(\S+)"', plot)
    assert fills == ["#fff", "#0072b2"]
    assert "<title>1 Mar, segue: 0.4000 [0.3000, 0.5000]</title>" in plot


def test_a_higher_figure_lies_higher() -> None:
    marks = [Mark("segue", 0.2, NAN, NAN), Mark("segue", 0.5, NAN, NAN)]
    plot = days_plot(["a", "b"], {"segue": marks}, "trend", hollow=[False, False])
    first, second = (float(y) for y in re.findall(r'cy="([\d.]+)"', plot))
    assert first > second


def test_text_is_escaped_everywhere() -> None:
    bad = "<script>alert(1)</script>"
    html = page(
        bad,
        [Verdict("good", bad, bad)],
        bad,
        [
            Chapter(
                bad, [Section(bad, bad, table([bad], [[bad]]) + bars_plot([(bad, 1.0, bad)], bad))]
            )
        ],
    )
    assert "<script" not in html


def test_the_page_needs_nothing_from_outside() -> None:
    html = page("Evaluation", [Verdict("bad", "claim", "ground")], "facts", [])
    assert not re.search(r"https?:|src=|@import|url\(", html)
    assert 'name="viewport"' in html


def test_a_cell_may_have_two_lines() -> None:
    assert "<td>0.5<br>[0.4, 0.6]</td>" in table(["figure"], [["0.5\n[0.4, 0.6]"]])


def test_the_first_row_is_in_bold_where_asked() -> None:
    rows = [["a"], ["b"]]
    assert table(["x"], rows, emphasis=True).count("class=first") == 1
    assert "class=first" not in table(["x"], rows)
