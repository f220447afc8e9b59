"""A range that would leave a hole, or is not whole, is refused before anything is deleted."""

from collections.abc import Callable
from datetime import timedelta

from tests.dbt.conftest import DAYS, FIRST, KEYS, Home, assert_same, day, messages

INCREMENTAL = [name for name in KEYS if name not in {"intermediate.tracks", "intermediate.users"}]


def refusal(home: Home, start: int, end: int, *arguments: str) -> str:
    """Run a range that must fail and leave every row where it is; return what it said."""
    before = {relation: home.rows(relation) for relation in INCREMENTAL}
    result = home.dbt("run", day(start), day(end), *arguments)
    assert not result.success
    for relation, rows in before.items():
        assert_same(rows, home.rows(relation))
    return messages(result)


def test_a_gap_is_refused_and_names_the_range_to_launch(full: Home, fork: Callable) -> None:
    said = refusal(fork(full), DAYS + 1, DAYS + 2)
    assert "a gap is refused" in said
    assert f"start_day={day(DAYS)} end_day={day(DAYS + 2)}" in said


def test_a_range_short_of_the_latest_built_day_is_refused(full: Home, fork: Callable) -> None:
    said = refusal(fork(full), 3, 5)
    assert "does not end at the latest built day" in said
    assert f"start_day={day(3)} end_day={day(DAYS)}" in said


def test_a_feature_alone_is_refused_beyond_the_listens_it_reads(full: Home, fork: Callable) -> None:
    said = refusal(fork(full), DAYS, DAYS + 1, "--select", "feat_users")
    assert "launch intermediate.listens and features.users together" in said


def test_a_range_too_long_for_its_exponents_is_refused(home: Home) -> None:
    result = home.dbt("run", FIRST, FIRST + timedelta(days=501))
    assert not result.success
    assert "at most 500 days, found 501" in messages(result)


def test_a_day_without_listens_counts_as_built(full: Home, fork: Callable) -> None:
    home = fork(full)
    home.run(day(DAYS), day(DAYS + 1))
    home.run(day(DAYS + 1), day(DAYS + 2))
    built = home.query("select distinct end_day from intermediate.built_ranges")
    assert built["end_day"].to_pylist() == [day(DAYS + 2)]
    quiet = home.rows("marts.daily_listening", f"known_on = date '{day(DAYS)}'").to_pylist()
    assert [(row["listens"], row["skip_rate"]) for row in quiet] == [(0, None)]
    assert home.rows("features.users").num_rows == full.rows("features.users").num_rows


def test_a_cut_range_is_allowed_when_truncation_is_asked_for(full: Home, fork: Callable) -> None:
    home = fork(full)
    home.run(FIRST, day(5), truncate=True)
    home.run(day(5), day(DAYS))
    for relation in KEYS:
        assert_same(full.rows(relation), home.rows(relation))
