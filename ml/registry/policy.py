"""The promotion policy: policy.toml as checked values.

Belongs here: what the file may hold, a home's changes to it, its errors. Does not belong here: applying
the rules (ml.registry.gate) or their reasons (policy.toml).
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ml.errors import SegueError

SHIPPED = Path(__file__).with_name("policy.toml")
# A home's own changes, beside its home.json.
OVERRIDE = "promotion.toml"

_Share = Annotated[float, Field(ge=0, le=1)]
_Margin = Annotated[float, Field(ge=0, le=100)]


class PolicyError(SegueError):
    """A policy file that cannot be read or says something that is not a rule."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    reason: Annotated[str, Field(min_length=1)]


class Judging(_Table):
    """How intervals are made, and how few listeners are too few."""

    seed: Annotated[int, Field(ge=0)]
    resamples: Annotated[int, Field(ge=100)]
    minimum_users: Annotated[int, Field(ge=2)]


class Primary(_Table):
    """NDCG@10: `margin` of not being worse; days after which not being worse is enough."""

    margin: _Share
    old_after_days: Annotated[int, Field(ge=1)]


class Guardrail(_Table):
    """How much worse the figure may get, in its own unit (coverage: as a part of the champion's)."""

    margin: _Margin
    use: bool = True


class Floor(_Table):
    """The difference in NDCG@10 below which a slice is shown to be worse, 0 or less."""

    floor: Annotated[float, Field(ge=-1, le=0)]
    use: bool = True


class Guardrails(BaseModel):
    """One guardrail a figure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: Guardrail
    gini: Guardrail
    novelty: Guardrail
    repeats: Guardrail
    calibration: Guardrail
    fallback: Guardrail


class Floors(BaseModel):
    """One floor a slice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    new_listeners: Floor
    light_listeners: Floor
    heavy_listeners: Floor
    tail_tracks: Floor
    new_only: Floor


class Asked(_Table):
    """An invariant without a number."""


class Reproduced(_Table):
    """`tolerance`: largest difference of two scores, relative above 1."""

    tolerance: Annotated[float, Field(gt=0, le=1e-3)]


class Filled(_Table):
    """Least share of full lists."""

    least_share: _Share


class Matched(Reproduced):
    """The most requests that are answered one by one, and the least share that must agree."""

    requests: Annotated[int, Field(ge=1)]
    least_share: _Share


class Invariants(BaseModel):
    """What every model must keep."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bundle_verifies: Asked
    scores_reproduce: Reproduced
    lists_are_full: Filled
    no_track_twice: Asked
    online_matches_batch: Matched


class Policy(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    judging: Judging
    primary: Primary
    guardrails: Guardrails
    floors: Floors
    invariants: Invariants


@cache
def shipped_policy() -> Policy:
    """The policy that comes with Segue."""
    return _checked(_read(SHIPPED), SHIPPED.name)


def read_policy(override: Path | None = None) -> Policy:
    """The shipped policy with the changes of the file `override`, where there is one.

    Raises:
        PolicyError: the file is no TOML, names an unknown key, has a value of another type or out of
            range, or changes a rule without saying why.
    """
    if override is None or not override.is_file():
        return shipped_policy()
    changes = _read(override)
    if silent := _without_reason(changes):
        raise PolicyError(
            f"expected a `reason` in every table of {override.name}, found none in "
            f"{', '.join(silent)}; say why this home differs"
        )
    return _checked(_merged(_read(SHIPPED), changes), override.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"expected TOML in {path.name}, found: {error}; correct the file"
        ) from error


def _without_reason(changes: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Tables that hold values of their own but no reason."""
    values = [name for name, value in changes.items() if not isinstance(value, dict)]
    found = [prefix or "the file"] if values and "reason" not in changes else []
    for name, value in changes.items():
        if isinstance(value, dict):
            found += _without_reason(value, f"{prefix}.{name}".lstrip("."))
    return found


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(name), dict)
        merged[name] = _merged(base[name], value) if both else value
    return merged


def _checked(stored: Mapping[str, Any], name: str) -> Policy:
    try:
        return Policy.model_validate(stored)
    except ValidationError as error:
        problems = "; ".join(_problem(one) for one in error.errors())
        raise PolicyError(
            f"{name}: {problems}. Every key is explained in ml/registry/policy.toml"
        ) from error


def _problem(error: Mapping[str, Any]) -> str:
    """One finding of pydantic in the words of the file."""
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"expected {place}, found nothing"
    if error["type"] == "extra_forbidden":
        beside: Any = _read(SHIPPED)
        for part in error["loc"][:-1]:
            beside = beside[part]
        return f"expected one of {', '.join(beside)}, found the unknown key {place}"
    said = str(error["msg"]).removeprefix("Input should be ")
    return f"expected {place} to be {said}, found {error['input']!r}"
