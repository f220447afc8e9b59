"""What a search found on a home's own data, kept until the next one.

Belongs here: storage and look-up. Does not belong here: the search (ml.ranking.tuning).
"""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from ml.errors import SegueError
from ml.files import replace_text
from ml.ranking.model import RankerParameters
from ml.ranking.parameters import parameters_from
from ml.ranking.tuning import Found
from ml.tables import RECOMMENDED_SURFACES


class TunedError(SegueError):
    """The file of found hyper-parameters cannot be read."""


def write_found(path: Path, surface: str, found: Found, as_of: str) -> None:
    """Keep what a search found for `surface`; other surfaces stay as they are."""
    stored = json.loads(path.read_text()) if path.is_file() else {}
    stored[surface] = {
        "parameters": asdict(found.parameters),
        "as_of": as_of,
        "trials": found.trials,
        "ndcg@10": found.ndcg,
        "ndcg@10 before": found.base_ndcg,
        "gain": [found.gain.mean, found.gain.low, found.gain.high],
    }
    replace_text(path, json.dumps(stored, indent=1, sort_keys=True))


def read_tuned(path: Path, as_of: date) -> dict[str, RankerParameters]:
    """Hyper-parameters by surface; surfaces that were not searched are left out.

    What a search found on data known later than `as_of` is left out too: the training must not see it.

    Raises:
        TunedError: the file is no JSON.
        ParametersError: it is of another version of Segue.
    """
    if not path.is_file():
        return {}
    try:
        stored = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise TunedError(
            f"expected JSON in {path}, found {error}; drop it with `segue tune --forget`"
        ) from error
    return {
        surface: parameters_from(stored[surface]["parameters"])
        for surface in RECOMMENDED_SURFACES
        if surface in stored and date.fromisoformat(stored[surface]["as_of"]) <= as_of
    }
