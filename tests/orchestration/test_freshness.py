"""What `daily` makes has a deadline in a live home, and in no other."""

import warnings
from datetime import date

import dagster as dg

from orchestration.definitions import defs
from orchestration.freshness import DEADLINE, is_live
from orchestration.home import LIVE, SIMULATED, Home, Source, write_home
from orchestration.keys import CHAMPION, RECOMMENDATIONS
from orchestration.settings import Settings

DAY = date(2026, 3, 9)


def deadlines() -> dict[dg.AssetKey, object]:
    specs = defs().resolve_all_asset_specs()
    return {spec.key: spec.freshness_policy for spec in specs}


def test_a_live_home_gives_deadlines_to_what_is_made_daily(settings: Settings) -> None:
    write_home(settings, Home(DAY, None, Source(LIVE), (), DAY))
    assert is_live(settings)
    found = deadlines()
    assert found[RECOMMENDATIONS] == DEADLINE
    assert found[CHAMPION] is None


def test_a_simulated_home_is_never_late(settings: Settings) -> None:
    write_home(settings, Home(DAY, DAY, Source(SIMULATED), (), DAY))
    assert not is_live(settings)
    assert set(deadlines().values()) == {None}


def test_without_a_home_the_graph_still_loads(settings: Settings) -> None:
    assert not is_live(settings)


def test_a_live_home_loads_without_warnings_that_nobody_can_act_on(settings: Settings) -> None:
    write_home(settings, Home(DAY, None, Source(LIVE), (), DAY))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        defs()
    assert [one for one in told if one.category is dg.PreviewWarning] == []
