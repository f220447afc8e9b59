"""What everybody plays on a day, as weights to draw from.

Belongs here: popularity, bursts after release, waves, and drawing tracks by weight. Does not belong
here: what one listener wants (ml.simulation.proposals).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.simulation.catalogue import HiddenCatalogue
from ml.simulation.names import GENRES
from ml.simulation.world import World

_NEWS_DAYS = 14
# Numbers of groups to draw from: everything, news, then the genres, then the artists.
EVERYTHING, NEWS, _GENRES = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Market:
    """The day's groups of tracks, one after the other: `track` int64 (members) with `cumulative` float64
    (members) weights; `first` and `last` int64 (groups) members, `base` and `weight` float64 (groups)
    the weight before a group and in it. `alive` bool (tracks): out and not withdrawn. `artists` is the
    number of the first artist's group.
    """

    track: NDArray[np.int64]
    cumulative: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    base: NDArray[np.float64]
    weight: NDArray[np.float64]
    alive: NDArray[np.bool_]
    artists: int

    def genre(self, genre: NDArray[np.int64]) -> NDArray[np.int64]:
        """Group numbers of genres."""
        return _GENRES + genre

    def artist(self, artist: NDArray[np.int64]) -> NDArray[np.int64]:
        """Group numbers of artists."""
        return self.artists + artist

    def draw(self, group: NDArray[np.int64], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """A track of each group by weight, for numbers in [0, 1)."""
        value = self.base[group] + uniform * self.weight[group]
        at = np.searchsorted(self.cumulative, value, side="right")
        at = np.minimum(np.maximum(at, self.first[group]), self.last[group])
        return self.track[at]


def _popularity(world: World, day: int, alive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Base popularity, a burst after release that halves in nine days, slow waves; 0 = not to be had."""
    catalogue = world.catalogue
    age = np.maximum(day - catalogue.known, 0)
    burst = np.where(catalogue.known > 0, 1.6 * np.power(2.0, -age / 9.0), 0.0)
    phase = np.random.default_rng([world.config.seed, 3]).random(catalogue.size)
    wave = 0.45 * np.sin(2 * np.pi * (day / 34.0 + phase))
    return np.where(alive, np.exp(1.15 * catalogue.quality + burst + wave), 0.0)


def _news(catalogue: HiddenCatalogue, day: int, alive: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.flatnonzero(alive & (catalogue.known > 0) & (day - catalogue.known < _NEWS_DAYS))


def open_market(world: World, day: int, dropped: NDArray[np.bool_] | None) -> Market:
    """The groups of a day: news weigh alike, all else by popularity; everything stands in for
    missing news."""
    catalogue = world.catalogue
    alive = catalogue.known <= day
    if dropped is not None:
        alive &= ~dropped
    weight = _popularity(world, day, alive)
    news = _news(catalogue, day, alive)
    everything = np.arange(catalogue.size)
    fresh, even = (news, np.ones(len(news))) if len(news) else (everything, weight)
    by_genre = np.argsort(catalogue.genre, kind="stable")
    by_artist = np.argsort(catalogue.artist, kind="stable")
    genres = np.bincount(catalogue.genre, minlength=len(GENRES))
    sizes = np.concatenate([[len(everything), len(fresh)], genres, np.bincount(catalogue.artist)])
    stop = np.cumsum(sizes)
    first = stop - sizes
    weights = [weight, even, weight[by_genre], weight[by_artist]]
    cumulative = np.cumsum(np.concatenate(weights))
    reached = np.concatenate([[0.0], cumulative])
    return Market(
        track=np.concatenate([everything, fresh, by_genre, by_artist]),
        cumulative=cumulative,
        first=first,
        last=np.maximum(stop - 1, 0),
        base=reached[first],
        weight=reached[stop] - reached[first],
        alive=alive,
        artists=_GENRES + len(genres),
    )
