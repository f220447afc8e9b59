"""Whether an event is fit for the journal, and as what: the lake's rules, one event at a time.

Belongs here: types, rules and the identity of one event. Does not belong here: comparing it with
others (known.py); the same rules over whole tables (ml/lake/judge.py).

The lake judges tables by a query whose planning alone takes 9 ms; an event that is answered at once
has microseconds. A test holds both to the same verdicts: what the journal takes, the lake takes as is.
"""

import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

import pyarrow as pa

from ml.errors import SegueError
from ml.sources.events import KINDS
from ml.tables import SURFACES, Table

Value = str | int | float | None
_Getter = Callable[[Mapping[str, object]], tuple[object, ...]]

_WHOLE = re.compile(r"\s*([+-]?[0-9]{1,19})(\.0*)?\s*")
_NUMBER = re.compile(r"\s*[+-]?[0-9]+(_[0-9]+)*(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?\s*")
_ZONED = re.compile(
    r"\s*(\d{4}-\d{2}-\d{2})[T ](\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)\s*",
    re.ASCII,
)
_NAIVE = re.compile(r"\s*\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*", re.ASCII)
# The instants of the two tables and what they are compared with: the receipt.
_INSTANT = {"listen": "played_at", "impression": "shown_at"}


class UnfitEventError(SegueError):
    """An event that cannot be taken; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fit event: its `kind` and its columns but `known_at`; times are ISO texts in UTC with
    microseconds."""

    values: Mapping[str, Value]

    @property
    def fingerprint(self) -> tuple[int, int]:
        """See fingerprint."""
        return fingerprint(self.values)

    @property
    def contradiction(self) -> str:
        """The reason to reject it where its key is known with other content, in the lake's words."""
        return f"{' and '.join(KINDS[str(self.values['kind'])].key)}: known with other content"


def checked(row: Mapping[str, object], received_at: datetime) -> Event:
    """The event of a row: `kind` and columns of its table, typed or as text; others are ignored.

    `known_at` of the row does not count: an event is known when it was received. `surface` may be
    missing, the key may not: events are told apart by it.

    Raises:
        UnfitEventError: the first reason that the lake would name.
    """
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise UnfitEventError(f"kind: not one of {', '.join(KINDS)}")
    values = {name: convert(name, row.get(name)) for name, convert in _CONVERTERS[kind]}
    if values["surface"] is None:
        values["surface"] = "unknown"
    for name in _REQUIRED[kind]:
        if values[name] is None:
            raise UnfitEventError(f"{name}: missing")
    _check_rules(values, _INSTANT[kind], received_at)
    return Event({"kind": kind, **values})


def stored_fingerprint(row: Mapping[str, object]) -> tuple[int, int] | None:
    """The fingerprint of a line of the journal; None where the line is none that the journal wrote."""
    try:
        return fingerprint(row)
    except (KeyError, TypeError):
        return None


def instant_text(at: datetime) -> str:
    """An aware time as ISO text in UTC with microseconds: texts sort as instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def fingerprint(row: Mapping[str, object]) -> tuple[int, int]:
    """64 bits of kind and key, 64 bits of every other column; the same in this process only.

    `row` holds `kind` and the columns of its table as `checked` makes them.
    """
    key, content = _PARTS[row["kind"]]
    return hash(key(row)) & _64, hash(content(row)) & _64


def _check_rules(values: Mapping[str, Value], instant: str, received_at: datetime) -> None:
    if values["surface"] not in SURFACES:
        raise UnfitEventError(f"surface: not one of {', '.join(SURFACES)}")
    for name in ("ms_played", "position"):
        value = values.get(name)
        if isinstance(value, int) and value < 0:
            raise UnfitEventError(f"{name}: negative")
    propensity = values.get("propensity")
    if isinstance(propensity, float) and not 0 <= propensity <= 1:
        raise UnfitEventError("propensity: not between 0 and 1")
    if str(values[instant]) > instant_text(received_at):
        raise UnfitEventError(f"{instant}: later than known_at")


def _text(name: str, value: object) -> Value:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return str(value)
    if not isinstance(value, str):
        raise UnfitEventError(f"{name}: not text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UnfitEventError("broken encoding: expected UTF-8") from error
    return value if value.strip(" ") else None


def _whole(bits: int) -> Callable[[str, object], Value]:
    fits = range(-(1 << bits - 1), 1 << bits - 1)

    def convert(name: str, value: object) -> Value:
        if _is_missing(value):
            return None
        if isinstance(value, str) and (found := _WHOLE.fullmatch(value)):
            value = int(found[1])
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value not in fits:
            raise UnfitEventError(f"{name}: not a whole number")
        return value

    return convert


def _number(name: str, value: object) -> Value:
    if _is_missing(value):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Beyond the largest double a whole number cannot become one.
        number = math.inf if abs(value) > sys.float_info.max else float(value)
        if math.isfinite(number):
            return number
    raise UnfitEventError(f"{name}: not a number")


def _time(name: str, value: object) -> Value:
    if _is_missing(value):
        return None
    at = _instant(name, value)
    if at.tzinfo is None:
        raise UnfitEventError(f"{name}: a time without a zone")
    # The outermost years do not survive a change of zone.
    if not 1969 <= at.year <= 2200 or not 1970 <= at.astimezone(UTC).year <= 2199:
        raise UnfitEventError(f"{name}: an impossible year")
    return instant_text(at)


def _instant(name: str, value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    found = _ZONED.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        is_naive = isinstance(value, str) and _NAIVE.fullmatch(value)
        raise UnfitEventError(f"{name}: " + ("a time without a zone" if is_naive else "not a time"))
    day, clock, zone = found.groups()
    zone = "+00:00" if zone in ("Z", "UTC") else zone
    clock = clock.replace(",", ".") if clock[2] == ":" else "0" + clock.replace(",", ".")
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError as error:
        raise UnfitEventError(f"{name}: not a time") from error


def _is_missing(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip(" ")
    return value is None or (isinstance(value, float) and math.isnan(value))


def _converter(kind: pa.DataType) -> Callable[[str, object], Value]:
    if pa.types.is_timestamp(kind):
        return _time
    if pa.types.is_integer(kind):
        return _whole(kind.bit_width)
    return _number if pa.types.is_floating(kind) else _text


def _columns(table: Table) -> list[str]:
    return [name for name in table.schema.names if name != "known_at"]


_CONVERTERS = {
    kind: tuple((name, _converter(table.schema.field(name).type)) for name in _columns(table))
    for kind, table in KINDS.items()
}
_REQUIRED = {
    kind: tuple(name for name in table.required if name not in ("known_at", "surface"))
    for kind, table in KINDS.items()
}
_64 = (1 << 64) - 1
# `kind` stands before the others: a getter of one name alone would give no tuple.
_PARTS: Mapping[object, tuple[_Getter, _Getter]] = {
    kind: (
        itemgetter("kind", *table.key),
        itemgetter("kind", *(name for name in _columns(table) if name not in table.key)),
    )
    for kind, table in KINDS.items()
}
