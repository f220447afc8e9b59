"""The calls that a bench puts on the service.

Belongs here: questions drawn from a home, in words and as they go over the wire. Does not belong here: when
they leave (serving_load).
"""

from pathlib import Path

import numpy as np
import orjson

from ml.state.publish import load_state, state_days, state_folder
from ml.state.requests import Asked
from ml.state.state import State
from orchestration.settings import Settings
from tests.benchmarks.serving_load import call_bytes
from tests.benchmarks.serving_world import AT

SURFACES = {"home": "/v1/home", "now_playing": "/v1/now-playing"}
_QUESTIONS = 2_000


def questions(state: State, surface: str, count: int, seed: int) -> list[Asked]:
    """Single requests in words, of listeners and popular session tracks drawn at random."""
    draw = np.random.default_rng(seed)
    popular = np.argsort(-state.tracks["streams_h8"], kind="stable")[:5_000]
    return [
        Asked(
            surface,
            f"request-{number}",
            str(state.user_ids[int(draw.integers(len(state.user_ids)))]),
            AT,
            [str(state.catalogue.track_ids[int(one)]) for one in draw.choice(popular, 5)]
            if surface != "home"
            else [],
        )
        for number in range(count)
    ]


def wires(home: Path) -> dict[str, list[bytes]]:
    """The calls of each surface."""
    settings = Settings(home)
    state = load_state(state_folder(settings.states, state_days(settings.states)[-1]))
    found = {}
    for surface, path in SURFACES.items():
        asked = questions(state, surface, _QUESTIONS, seed=11)
        bodies = [
            {"user_id": one.user_id, "k": 20}
            | ({"session_track_ids": list(one.session)} if surface != "home" else {})
            for one in asked
        ]
        found[surface] = [call_bytes("POST", path, orjson.dumps(body)) for body in bodies]
    return found
