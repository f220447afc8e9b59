"""Who is suspected: the column, surface, source or taste behind a measure that moved.

Belongs here: which measure points at what, and the order of suspects. Does not belong here: measuring
(statistics) or verdicts (verdict).

A fault moves many measures at once: wrong units shorten every listen, and short listens are skips. A
measure that only one cause moves is a *sign* and is named before the measures that follow from others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitoring.areas import Statistic, Verdict


class Kind(StrEnum):
    """What sort of thing went wrong: mended at the source, or learned anew."""

    DATA = "data fault"
    TASTE = "change of taste"
    USE = "change of use"
    INPUTS = "change of inputs"
    MODEL = "the model"


@dataclass(frozen=True, slots=True)
class Suspect:
    """`what` reads in a sentence ("column ms_played"); `is_sign` = nothing else moves the measure."""

    what: str
    kind: Kind
    is_sign: bool = True


_LENGTH = "column ms_played"
_ACCOUNTS = "source: a few accounts"
_ARRIVAL = "source: late arrivals"
_CATALOGUE = "source: the catalogue"
_LENGTHS = Suspect("lengths of listens", Kind.USE, is_sign=False)

_SUSPECTS = {
    "ms_played_null_share": Suspect(_LENGTH, Kind.DATA),
    # The long end: skips shorten the lower percentiles too, wrong units all of them.
    "ms_played_p90": Suspect(_LENGTH, Kind.DATA),
    "surface": Suspect("surface", Kind.DATA),
    "busiest_listeners_share": Suspect(_ACCOUNTS, Kind.DATA),
    "round_the_clock_share": Suspect(_ACCOUNTS, Kind.DATA),
    "late_share": Suspect(_ARRIVAL, Kind.DATA),
    "late_hours_p95": Suspect(_ARRIVAL, Kind.DATA),
    "duplicate_share": Suspect("source: repeated rows", Kind.DATA),
    "no_artist_share": Suspect("column artist_id", Kind.DATA),
    "requested_share": Suspect("column request_id", Kind.DATA),
    "silent_head_share": Suspect(_CATALOGUE, Kind.DATA),
    "no_vector_share": Suspect(_CATALOGUE, Kind.DATA),
    "no_listens": Suspect("source: missing listens", Kind.DATA),
    "listens": Suspect("source: missing listens", Kind.DATA, is_sign=False),
    "plays_per_listener_max": Suspect(_ACCOUNTS, Kind.DATA, is_sign=False),
    "ms_played": _LENGTHS,
    "ms_played_p50": _LENGTHS,
    "ms_played_p10": _LENGTHS,
    "skip_share": Suspect("skips", Kind.USE, is_sign=False),
    "first_listen_share": Suspect("discovery", Kind.USE, is_sign=False),
    "hour": Suspect("hour", Kind.USE, is_sign=False),
    "own_taste_cosine": Suspect("listeners' tastes", Kind.TASTE),
    "centroid_shift": Suspect("tastes as a whole", Kind.TASTE, is_sign=False),
    "genre": Suspect("genre", Kind.TASTE, is_sign=False),
    "spread": Suspect("tastes as a whole", Kind.TASTE, is_sign=False),
}
_BY_AREA = {
    "data_quality": Suspect("volume", Kind.USE, is_sign=False),
    "embedding_drift": Suspect("tastes as a whole", Kind.TASTE, is_sign=False),
    "feature_drift": Suspect("feature", Kind.INPUTS, is_sign=False),
    "score_drift": Suspect("scores", Kind.MODEL, is_sign=False),
    "ranking_quality": Suspect("lists", Kind.MODEL, is_sign=False),
}
# A fault in the data explains a move of taste, inputs and scores; never the other way round.
_ORDER = (Kind.DATA, Kind.TASTE, Kind.USE, Kind.INPUTS, Kind.MODEL)


def suspect_of(statistic: Statistic) -> Suspect:
    """Whom this statistic points at; a surface, genre or feature is named."""
    found = _SUSPECTS.get(statistic.name, _BY_AREA[statistic.area])
    what = f"{found.what} {statistic.of}" if statistic.of else found.what
    return Suspect(what, found.kind, found.is_sign)


def words(suspect: Suspect) -> str:
    """As a reason begins: "data fault, column ms_played"."""
    return f"{suspect.kind.value}, {suspect.what}"


def excess(statistic: Statistic) -> float:
    """Effect in multiples of its threshold; infinite when the threshold is zero."""
    if statistic.threshold > 0:
        return statistic.value / statistic.threshold
    return float("inf") if statistic.value > 0 else 0.0


def raised(statistics: Sequence[Statistic]) -> list[Statistic]:
    """Statistics of one area or several that are not ok, the first suspect first.

    By verdict, signs before what follows from others, then by how far beyond the threshold.
    """
    return sorted(
        (one for one in statistics if one.severity is not Verdict.OK),
        key=lambda one: (
            -one.severity.rank,
            not suspect_of(one).is_sign,
            -excess(one),
            one.name,
        ),
    )


def first_suspect(statistics: Sequence[Statistic]) -> Suspect | None:
    """The first suspect of a whole day, all areas together; None on a quiet day.

    A sign of a fault in the data comes before everything; then signs of taste, then whatever is
    raised, data before taste before inputs and scores, the furthest beyond its threshold first.
    """
    found = raised(statistics)
    if not found:
        return None
    first = min(
        found,
        key=lambda one: (
            not suspect_of(one).is_sign,
            _ORDER.index(suspect_of(one).kind),
            -one.severity.rank,
            -excess(one),
            one.name,
        ),
    )
    return suspect_of(first)
