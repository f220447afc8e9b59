"""reports/index.html lists what is open worst first, shows every day and needs nothing from elsewhere."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from monitoring.areas import AREAS, AreaReport, ReportTarget, Statistic, Verdict
from monitoring.index import write_index
from monitoring.index_page import DAYS_IN_SIGHT, DAYS_PLOTTED, Watch, index_page
from monitoring.key_figures import KEY_FIGURES, KeyFigure, Series, Unit, series_of, written
from monitoring.reports import recent_reports, write_report
from monitoring.review import record_review
from monitoring.sparkline import HEIGHT, WIDTH, sparkline

DAY = date(2026, 3, 30)
AT = datetime(2026, 4, 1, 9, tzinfo=UTC)


def write(reports, day, area, verdict, numbers=None):
    size = {"ok": 0.0, "watch": 1.5, "act": 3.0}[verdict]
    statistic = Statistic(
        "one", size, 1.0, area, Verdict(verdict), f"{verdict} on {day}", size, 0.0
    )
    target = ReportTarget(reports, None, "m1")
    return write_report(area, day, None, [statistic], target, numbers)


@pytest.fixture
def reports(tmp_path):
    """Two days: the first asks for a decision, the second for a look."""
    write(tmp_path, DAY, "data_quality", "act", {"listens": 120.0, "skip_share": 0.25})
    write(tmp_path, DAY, "score_drift", "ok")
    write(tmp_path, DAY + timedelta(days=1), "data_quality", "watch", {"listens": 100.0})
    return tmp_path


def page(reports):
    return write_index(reports).read_text()


def section(html, name):
    return html.split(f'<section id="{name}">')[1].split("</section>")[0]


def links(html):
    return re.findall(r'href="([^"]*)"', html)


def test_what_is_open_stands_on_top_worst_first_with_its_reason(reports):
    html = page(reports)
    assert html.index('id="open"') < html.index('id="figures"') < html.index('id="days"')
    waiting = section(html, "open")
    assert waiting.index("act on 2026-03-30") < waiting.index("watch on 2026-03-31")
    assert "1 reports that say ok" in waiting


def test_a_reviewed_report_leaves_the_open_ones_and_its_decision_is_shown(reports):
    record_review(reports, DAY, "data_quality", "keep", "a <b>holiday</b>", "ada", AT)
    html = page(reports)
    assert "act on 2026-03-30" not in section(html, "open")
    assert "keep by ada" in section(html, "days")
    told = section(html, "decisions")
    assert "2026-04-01 09:00 ada" in told
    assert "a &lt;b&gt;holiday&lt;/b&gt;" in told


def test_every_link_leads_to_a_page_beside_it(reports):
    found = set(links(page(reports)))
    assert found == {
        "day=2026-03-30/data_quality.html",
        "day=2026-03-30/score_drift.html",
        "day=2026-03-31/data_quality.html",
    }
    assert all((reports / one).is_file() for one in found)


def test_nothing_is_fetched_from_elsewhere(reports):
    html = page(reports)
    assert not re.search(r"https?:|//|src=|@import|url\(", html.replace("</", ""))


def test_a_verdict_is_a_word_and_not_a_colour_alone(reports):
    days = section(page(reports), "days")
    assert re.findall(r'class="verdict"[^>]*>(\w+)<', days) == ["watch", "act", "ok"]


def test_the_same_reports_give_the_same_bytes(reports):
    assert write_index(reports).read_bytes() == write_index(reports).read_bytes()
    assert [path.name for path in reports.iterdir() if path.name.startswith(".")] == []


def test_a_folder_without_reports_says_how_to_get_one(tmp_path):
    assert "segue run daily" in page(tmp_path)


def a_report(number, numbers=None):
    day = DAY + timedelta(days=number)
    return AreaReport(
        "score_drift", day, Verdict.OK, "judged", (), numbers or {}, "m1", None, None, 1
    )


def test_early_days_are_folded_away(reports):
    many = tuple(a_report(number) for number in range(DAYS_IN_SIGHT + 2))
    html = index_page(Watch(many, (), ()))
    assert "<summary>2 earlier days</summary>" in html
    first = html.index(str(many[0].day), html.index('id="days"'))
    assert first > html.index("<summary>2 earlier days")


def test_plots_hold_the_latest_days_alone():
    many = tuple(a_report(number, numbers={"score": float(number)}) for number in range(100))
    html = section(index_page(Watch(many, (), ())), "figures")
    assert html.count("<circle") == DAYS_PLOTTED
    assert f"Mean score from {many[10].day} to {many[99].day}" in html


def test_a_figure_that_today_lacks_says_which_day_it_is_of(reports):
    html = section(page(reports), "figures")
    before, after = html.split("Skips among listens</figcaption>")
    assert "last on 2026-03-30" in after
    assert "last on" not in before


def test_series_hold_only_the_days_and_figures_that_there_are(reports):
    found = series_of("data_quality", recent_reports(reports, "data_quality", DAY + timedelta(1)))
    assert [(one.figure.measure, one.values) for one in found] == [
        ("listens", (120.0, 100.0)),
        ("skip_share", (0.25,)),
    ]
    assert found[0].verdicts == (Verdict.ACT, Verdict.WATCH)
    assert series_of("data_quality", ()) == ()


def test_recent_reports_end_on_the_day_asked_for(reports):
    assert [one.day for one in recent_reports(reports, "data_quality", DAY)] == [DAY]
    latest = recent_reports(reports, "data_quality", DAY + timedelta(days=5), days=1)
    assert [one.day for one in latest] == [DAY + timedelta(days=1)]


def series(days, values, verdicts=None, usual=None):
    return Series(
        KeyFigure("listens", "Listens", Unit.COUNT),
        tuple(DAY + timedelta(days=day) for day in days),
        tuple(values),
        usual or (None,) * len(values),
        verdicts or (Verdict.OK,) * len(values),
    )


def points(svg):
    return re.findall(r'<polyline points="([^"]*)"', svg)


def test_a_line_fills_its_frame_and_a_day_without_a_figure_keeps_its_room():
    svg = sparkline(series([0, 1, 3], [0.0, 10.0, 5.0]))
    third = 7 + (WIDTH - 14) / 3
    assert points(svg) == [f"7.0,{HEIGHT - 7}.0 {third:.1f},7.0 {WIDTH - 7}.0,{HEIGHT / 2:.1f}"]


def test_what_is_usual_widens_the_frame_and_is_drawn_below_the_line():
    svg = sparkline(series([0, 1], [10.0, 10.0], usual=(0.0, None)))
    dashed, line = points(svg)
    assert dashed == f"7.0,{HEIGHT - 7}.0"
    assert line == f"7.0,7.0 {WIDTH - 7}.0,7.0"


def test_a_figure_that_never_moves_is_drawn_in_the_middle():
    assert points(sparkline(series([0], [3.0]))) == [f"{WIDTH - 7}.0,{HEIGHT / 2:.1f}"]


def test_each_verdict_has_a_shape_of_its_own():
    svg = sparkline(series([0, 1, 2], [1.0, 2.0, 3.0], tuple(Verdict)))
    assert (svg.count("<circle"), svg.count("<polygon"), svg.count("<rect")) == (1, 1, 1)
    assert "<title>2026-04-01: 3 (act)</title>" in svg


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (15397.4, Unit.COUNT, "15,397"),
        (0.1444, Unit.SHARE, "14.4 %"),
        (0.55912, Unit.NUMBER, "0.559"),
        (1234.5, Unit.NUMBER, "1,234"),
    ],
)
def test_figures_are_written_as_people_read_them(value, unit, text):
    assert written(value, unit) == text


def test_every_area_has_key_figures_and_none_twice():
    assert tuple(KEY_FIGURES) == AREAS
    for figures in KEY_FIGURES.values():
        measures = [one.measure for one in figures]
        assert len(set(measures)) == len(measures) > 0
