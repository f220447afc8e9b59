"""A seeded world: its catalogue and its listeners.

Belongs here: who listens and what they are like. Does not belong here: how a day goes (ml.simulation.day).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml.simulation import names
from ml.simulation.catalogue import DIMENSION, HORIZON, HiddenCatalogue, create_catalogue, unit
from ml.simulation.config import WorldConfig
from ml.tables import USERS

FAVOURITES = 10


@dataclass(frozen=True, slots=True)
class Listeners:
    """n listeners: `taste` float32 (n, 16) unit, `genre_limits` float64 (n, genres) cumulative
    shares of genres, `favourites` int64
    (n, 10) artists, `mainstream`, `novelty`, `patience` float64 (n) in 0..1, `activity` float64 (n)
    chance to listen on a day, `sessions` float64 (n) mean a day, `peak_hour` float64 (n) UTC, `known`
    int64 (n) day of sign-up after the world's first. `table` has the public columns without known_at.
    """

    taste: NDArray[np.float32]
    genre_limits: NDArray[np.float64]
    favourites: NDArray[np.int64]
    mainstream: NDArray[np.float64]
    novelty: NDArray[np.float64]
    patience: NDArray[np.float64]
    activity: NDArray[np.float64]
    sessions: NDArray[np.float64]
    peak_hour: NDArray[np.float64]
    known: NDArray[np.int64]
    table: pa.Table


@dataclass(frozen=True, slots=True)
class World:
    """Everything that does not change while the world lives."""

    config: WorldConfig
    catalogue: HiddenCatalogue
    listeners: Listeners


def _favourites(
    taste: NDArray[np.float32], catalogue: HiddenCatalogue, random: np.random.Generator
) -> NDArray[np.int64]:
    """Ten artists a listener, close to the taste and known to somebody."""
    artists = int(catalogue.artist.max()) + 1
    count = np.maximum(np.bincount(catalogue.artist, minlength=artists), 1)
    centre = np.zeros((artists, DIMENSION))
    np.add.at(centre, catalogue.artist, catalogue.latent)
    fame = np.bincount(catalogue.artist, weights=catalogue.quality, minlength=artists) / count
    centre = centre / np.maximum(np.linalg.norm(centre, axis=1, keepdims=True), 1e-9)
    like = 4.0 * taste @ centre.T + 0.5 * fame + random.gumbel(0, 0.8, (len(taste), artists))
    most = min(FAVOURITES, artists)
    best = np.argpartition(-like, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(like, best, axis=1).argsort(axis=1)[:, ::-1]
    return np.take_along_axis(best, order, axis=1)


def _listeners(config: WorldConfig, catalogue: HiddenCatalogue) -> Listeners:
    random = np.random.default_rng([config.seed, 2])
    size, genres = config.listeners, len(names.GENRES)
    # A small catalogue may lack a genre; nobody likes what does not exist.
    there = np.bincount(catalogue.genre, minlength=genres) > 0
    share = random.dirichlet(np.where(there, 0.25, 0.0), size)
    centre = np.zeros((genres, DIMENSION), dtype=np.float32)
    centre[there] = unit(
        np.stack(
            [catalogue.latent[catalogue.genre == g].mean(axis=0) for g in np.flatnonzero(there)]
        )
    )
    taste = unit(share @ centre + 0.25 * random.normal(size=(size, DIMENSION)) / 2)
    late = random.random(size) < 0.15
    country = random.choice(len(names.COUNTRIES), size, p=_COUNTRY_SHARE)
    columns = {
        "user_id": names.numbered("listener-", 6, size),
        "country": pa.array(
            np.array(names.COUNTRIES)[country], pa.string(), mask=random.random(size) < 0.04
        ),
        "birth_year": pa.array(
            random.integers(1955, 2010, size), pa.int32(), mask=random.random(size) < 0.1
        ),
        "signed_up_on": pa.nulls(size, pa.date32()),
    }
    schema = USERS.schema.remove(USERS.schema.get_field_index("known_at"))
    return Listeners(
        taste=taste,
        genre_limits=np.cumsum(share, axis=1),
        favourites=_favourites(taste, catalogue, random),
        mainstream=random.beta(2, 3, size),
        novelty=random.beta(2, 4, size),
        patience=random.beta(4, 2, size),
        activity=np.clip(random.beta(3, 1.6, size) * config.active_share / 0.65, 0.03, 0.99),
        sessions=config.sessions_a_day * random.lognormal(-0.18, 0.6, size),
        peak_hour=(_PEAK_HOUR[country] + random.normal(0, 3, size)) % 24,
        known=np.where(late, random.integers(1, min(HORIZON, 90), size), 0),
        table=pa.table(columns, schema=schema),
    )


_COUNTRY_SHARE = np.array([0.28, 0.18, 0.12, 0.12, 0.12, 0.08, 0.06, 0.04])
# Evening at home, told in UTC.
_PEAK_HOUR = np.array([23.0, 21.0, 18.0, 19.0, 23.5, 18.0, 11.0, 18.0])


def create_world(config: WorldConfig) -> World:
    """The world of a configuration: the same configuration makes the same world."""
    catalogue = create_catalogue(config)
    return World(config, catalogue, _listeners(config, catalogue))
