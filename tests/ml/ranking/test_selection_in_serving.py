"""A ranker trained without a generator gets, where it serves, exactly the features it was trained on."""

from dataclasses import replace

import pytest

from ml.candidates.plan import PLAN
from ml.ranking.features import assemble
from ml.ranking.selection import own_features
from tests.ml.leaks.trained import PLAN as TRAINING
from tests.ml.leaks.trained import SURFACES, Life
from tests.ml.leaks.world import make_world

CUT = TRAINING.days("test")[0]


@pytest.fixture(scope="module")
def life() -> Life:
    return Life(make_world())


@pytest.mark.parametrize(
    ("surface", "off"), [(surface, one.name) for surface in SURFACES for one, _ in PLAN[surface]]
)
def test_without_a_generator_serving_lacks_its_own_features_and_no_others(
    surface: str, off: str, life: Life
) -> None:
    state = life.state(CUT)
    whole = life.moved(surface, "test", state)
    kept = {name: one for name, one in whole.generators.items() if name != off}
    requests = life.labelled(surface, "test", CUT).requests
    names = []
    for sources in (whole, replace(whole, generators=kept)):
        pool = sources.propose(requests, state)
        names.append(assemble(requests, pool, state, sources.vectors, sources.relations).names)
    expected = tuple(name for name in names[0] if not name.startswith(own_features(off)))
    assert names[1] == expected
    assert len(names[1]) < len(names[0])
