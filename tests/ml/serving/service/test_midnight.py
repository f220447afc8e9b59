"""The state of a new day is made before anybody asks for it."""

from datetime import date, timedelta

import pytest

TODAY, TOMORROW = date(2026, 3, 10), date(2026, 3, 11)


@pytest.fixture
def still(start):
    """A service whose own watching never looks again: the test looks."""
    return start(watch_seconds=3_600.0)


def made(client):
    """Days whose state was made beside that of the bundle's own day."""
    return set(client.service.served()._later)


def test_shortly_before_midnight_the_next_day_is_made(still, clock):
    still.service.keeper.look()
    assert made(still) == set()
    clock.now = clock.now.replace(hour=23, minute=45)
    still.service.keeper.look()
    assert made(still) == set()
    clock.later(minutes=6)
    still.service.keeper.look()
    assert made(still) == {TOMORROW}
    prepared = still.service.served().on(TOMORROW)
    clock.later(minutes=10)
    still.ask(user_id="u1", k=5)
    assert still.service.served().on(TOMORROW) is prepared


def test_a_service_that_starts_days_after_its_state_has_made_today_at_once(start, clock):
    clock.now += timedelta(days=3)
    assert made(start(watch_seconds=3_600.0)) == {TODAY + timedelta(days=3)}
