"""Hyper-parameters to and from JSON.

Belongs here: reading stored values into RankerParameters. Does not belong here: what they mean
(ml.ranking.model) or how better ones are found (ml.ranking.tuning).
"""

from collections.abc import Mapping
from dataclasses import asdict

from ml.errors import SegueError
from ml.ranking.model import RankerParameters


class ParametersError(SegueError):
    """Stored hyper-parameters are not the ones this version of Segue knows."""


def parameters_from(stored: Mapping[str, float]) -> RankerParameters:
    """RankerParameters from what `dataclasses.asdict` of some gave, whole numbers whole.

    Raises:
        ParametersError: another set of names.
    """
    defaults = asdict(RankerParameters())
    known = {name: type(value) for name, value in defaults.items()}
    if set(stored) != set(known):
        odd = ", ".join(sorted(set(stored) ^ set(known)))
        raise ParametersError(
            f"expected the hyper-parameters {', '.join(sorted(known))}, found others ({odd}); "
            "search them again with `segue tune`, or drop them with `segue tune --forget`"
        )
    return RankerParameters(**{name: known[name](value) for name, value in stored.items()})
