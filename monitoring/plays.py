"""A day's plays by listener, and the profile they add up to in the space of track vectors.

Belongs here: counting plays by day, listener, direction and genre. Does not belong here: judging them
(embedding_drift).

Every figure of the profile is a ratio of sums over listeners: a day whose listeners are drawn anew is
the same sums with other weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array

from monitoring.own_taste import Habits, closeness, habits, played_sums
from monitoring.profile import Profile, group_ends

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_EPOCH = date(1970, 1, 1)
CENTRE = "centroid_shift"


@dataclass(frozen=True, slots=True)
class Vectors:
    """Track vectors: `values` float32 (tracks, dimensions) row by row with `track_ids`, and each
    track's main genre ("" = not known)."""

    track_ids: Sequence[str]
    values: NDArray[np.float32]
    genre_of: Mapping[str, str]

    def genres(self) -> tuple[tuple[str, ...], csr_array]:
        """Names, and membership (tracks, genres)."""
        names = tuple(sorted(set(self.genre_of.values()) | {""}))
        code = {name: position for position, name in enumerate(names)}
        of_track = [code[self.genre_of.get(one, "")] for one in self.track_ids]
        rows = (np.ones(len(of_track)), (np.arange(len(of_track)), of_track))
        return names, csr_array(rows, shape=(len(of_track), len(names)))


@dataclass(frozen=True, slots=True)
class Played:
    """Listens as codes: `day` days since 1970-01-01, `user` ids, `track` rows of the vectors (-1 = no
    vector), all (n)."""

    day: Ints
    user: pa.ChunkedArray
    track: Ints

    @property
    def days(self) -> tuple[date, ...]:
        """The days that hold listens, in order."""
        return tuple(_EPOCH + timedelta(days=int(one)) for one in np.unique(self.day))

    def counts(self, tracks: int) -> Ints:
        """Plays of each track, all days together."""
        return np.bincount(self.track[self.track >= 0], minlength=tracks).astype(np.int64)


@dataclass(frozen=True, slots=True)
class DayPlays:
    """One day by listener: `plays` and `strangers` (listens with and without a vector) float64 (u),
    `sums` float64 (u, dimensions) and `squares` (u) of the vectors, `genres` (u, genres) plays,
    `close` (u) closeness to their own usual plays, nan = not known."""

    day: date
    plays: Floats
    strangers: Floats
    sums: Floats
    squares: Floats
    genres: Floats
    close: Floats
    names: tuple[str, ...]

    def profile(self, weight: Floats | None = None) -> Profile:
        """The day's profile; `weight` float64 (u) says how often each listener counts."""
        weight = np.ones(len(self.plays)) if weight is None else weight
        plays, strangers = float(weight @ self.plays), float(weight @ self.strangers)
        centre = weight @ self.sums / max(plays, 1.0)
        square = float(weight @ self.squares) / max(plays, 1.0)
        everything = plays + strangers
        numbers = {
            "listens": everything,
            "spread": float(np.sqrt(max(square - float(centre @ centre), 0.0))),
            "no_vector_share": strangers / max(everything, 1.0),
        }
        known = np.isfinite(self.close) & (weight > 0)
        if known.any():
            close = float(weight[known] @ self.close[known] / weight[known].sum())
            numbers["own_taste_cosine"] = close
        by_genre = weight @ self.genres / max(plays, 1.0)
        named = {
            name or "unknown": float(one) for name, one in zip(self.names, by_genre, strict=True)
        }
        return Profile(self.day, numbers, {"genre": named}, {CENTRE: centre} if plays else {})

    def drawn(self, draws: int, seed: int) -> list[Profile]:
        """`draws` profiles with the day's listeners drawn anew, with replacement."""
        random = np.random.default_rng([seed, self.day.toordinal()])
        size = len(self.plays)
        weights = random.multinomial(size, np.full(size, 1 / size), draws).astype(np.float64)
        return [self.profile(weight) for weight in weights]


def played(listens: pa.Table, track_ids: Sequence[str]) -> Played:
    """Codes of listens with `user_id`, `track_id` and `known_on`."""
    day = listens["known_on"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    found = pc.index_in(listens["track_id"], pa.array(track_ids, pa.string())).fill_null(-1)
    return Played(day, listens["user_id"], found.to_numpy().astype(np.int64))


def habits_of(reference: Played, vectors: Vectors) -> Habits:
    """What each listener of the reference usually plays."""
    return habits(reference.user, reference.track, vectors.values)


def day_plays(
    listens: Played, vectors: Vectors, known: Habits, *, is_reference: bool
) -> Iterator[DayPlays]:
    """Every day of the listens in order; `is_reference` = the habits were learned from them too."""
    names, member = vectors.genres()
    ids = pc.unique(listens.user)
    user = pc.index_in(listens.user, ids).to_numpy().astype(np.int64)
    habit = known.rows(ids)
    order = np.argsort(listens.day, kind="stable")
    days, first = np.unique(listens.day[order], return_index=True)
    square = np.einsum("ij,ij->i", vectors.values, vectors.values)[:, None]
    for day, start, end in zip(days.tolist(), first, group_ends(first, len(order)), strict=True):
        rows = order[start:end]
        who, code = np.unique(user[rows], return_inverse=True)
        track = listens.track[rows]
        inside = track >= 0
        code_in, track_in = code[inside], track[inside]
        plays = np.bincount(code_in, minlength=len(who)).astype(np.float64)
        held = csr_array(
            (np.ones(len(code_in)), (code_in, track_in)), shape=(len(who), len(vectors.values))
        )
        yield DayPlays(
            _EPOCH + timedelta(days=day),
            plays,
            np.bincount(code[~inside], minlength=len(who)).astype(np.float64),
            played_sums(code_in, track_in, vectors.values, len(who)),
            np.asarray(held @ square, dtype=np.float64).ravel(),
            np.asarray((held @ member).todense(), dtype=np.float64),
            closeness(
                known,
                habit[who],
                played_sums(code_in, track_in, known.unit, len(who)),
                plays,
                is_reference=is_reference,
            ),
            names,
        )
