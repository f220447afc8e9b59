"""Embeddings: cold-track recall against popularity, time and peak memory.

    python tests/benchmarks/bench_embeddings.py [--listeners 2000 --tracks 8000 --days 20] [--hetrec FOLDER]

Every source is judged three times: by the ten tracks most co-listened by cosine, with all co-listens
weighted by plays^-0.5, the rate at which training thins them (both ask what belongs together), and by
plain recall of everything ever heard together, where a hit belongs to everybody.
"""

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.embeddings.cold import (
    ColdRecall,
    closest_co_listens,
    cold_recall,
    hold_out,
    train_without,
)
from ml.embeddings.documents import track_documents
from ml.embeddings.encoder import EncoderConfig, load_encoder, train_encoder
from ml.embeddings.neighbours import nearest
from ml.embeddings.pairs import co_listen_pairs
from ml.embeddings.vectors import encode_changed, vector_values
from ml.simulation.config import WorldConfig
from ml.simulation.living import initial_state, live_days
from ml.simulation.world import create_world
from ml.state.catalogue import positions
from ml.tables import SESSION_GAP, TRACKS

HETREC = Path(__file__).resolve().parents[3] / "shared" / "data" / "hetrec2011-lastfm-2k"
EVERY = sys.maxsize


@dataclass(frozen=True, slots=True)
class Listening:
    """Documents of n tracks, and listens sorted by (session, played_at) as indices into them."""

    documents: pa.Table
    user: NDArray[np.int32]
    track: NDArray[np.int32]
    played_at: NDArray[np.int64]
    session: NDArray[np.int32]
    max_gap: int

    def pairs(self, *, seed: int = 0, maximum: int = EVERY) -> NDArray[np.int32]:
        """Co-listens, thinned to `maximum`."""
        return co_listen_pairs(
            self.user,
            self.track,
            self.played_at,
            self.session,
            seed=seed,
            maximum=maximum,
            max_gap=self.max_gap,
        )

    def plays(self) -> NDArray[np.int64]:
        """Listens of each track."""
        return np.bincount(self.track[self.track >= 0], minlength=len(self.documents))


def simulated(listeners: int, tracks: int, days: int, seed: int = 7) -> Listening:
    """Listening of a simulated world; pairs at most three listens apart in a session."""
    first = date(2024, 1, 1)
    world = create_world(
        WorldConfig(seed=seed, first_day=first, listeners=listeners, tracks=tracks)
    )
    lived = [
        day
        for _, day, _ in live_days(world, initial_state(world), first, first + timedelta(days=days))
    ]
    listens = pa.concat_tables([day.listens for day in lived]).sort_by(
        [("user_id", "ascending"), ("played_at", "ascending"), ("listen_id", "ascending")]
    )
    documents = track_documents(pa.concat_tables([day.tracks for day in lived]))
    user = positions(listens["user_id"], pc.unique(listens["user_id"]))
    played_at = np.asarray(listens["played_at"].cast(pa.int64()), dtype=np.int64) // 1_000_000
    apart = np.diff(played_at) > SESSION_GAP.total_seconds()
    session = np.concatenate([[0], np.cumsum(apart | (np.diff(user) != 0))])
    return Listening(
        documents=documents,
        user=user,
        track=positions(listens["track_id"], documents["track_id"].combine_chunks()),
        played_at=played_at,
        session=session.astype(np.int32),
        max_gap=3,
    )


_HETREC_TRACKS = """
with counted as (
    select artist_id, tag_value, count(*) as users
    from '{folder}/user_taggedartists.parquet' join '{folder}/tags.parquet' using (tag_id)
    group by all
), tagged as (
    select artist_id, list(tag_value order by users desc, tag_value)[:20] as tags
    from counted group by artist_id
)
select artists.artist_id::varchar as track_id, name as artist_name, tags
from '{folder}/artists.parquet' as artists left join tagged using (artist_id)
order by artists.artist_id
"""

_HETREC_LISTENS = """
select user_id::integer as user_id, artist_id::varchar as track_id
from '{folder}/user_artists.parquet' order by user_id, weight desc, artist_id
"""


def hetrec(folder: Path) -> Listening:
    """HetRec 2011 Last.fm: an artist is the item, a listener's list of artists is one session."""
    with duckdb.connect() as connection:
        known = connection.execute(_HETREC_TRACKS.format(folder=folder)).fetch_df()
        listens = connection.execute(_HETREC_LISTENS.format(folder=folder)).fetchnumpy()
    part = pa.Table.from_pandas(known, preserve_index=False)
    tracks = pa.table(
        [
            part[field.name].cast(field.type)
            if field.name in part.column_names
            else pa.nulls(len(part), field.type)
            for field in TRACKS.schema
        ],
        names=TRACKS.schema.names,
    )
    documents = track_documents(tracks)
    user = listens["user_id"].astype(np.int32)
    return Listening(
        documents=documents,
        user=user,
        track=positions(
            pa.array(listens["track_id"], pa.string()), documents["track_id"].combine_chunks()
        ),
        played_at=np.arange(len(user), dtype=np.int64),
        session=user,
        max_gap=50,
    )


def judged(listening: Listening, pairs: int, config: EncoderConfig) -> dict[str, ColdRecall]:
    """Recall of ten per cent cold tracks in three ways, after training on `pairs` pairs."""
    cold = hold_out(len(listening.documents), share=0.1, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        vectors = train_without(
            listening.documents, listening.pairs(maximum=pairs), cold, config, Path(folder)
        )
    every, plays = listening.pairs(), listening.plays()
    return {
        "discounted": cold_recall(vectors, every, cold, plays),
        "plain": cold_recall(vectors, every, cold, plays, discount=0),
        "closest 10": cold_recall(
            vectors,
            closest_co_listens(listening.session, listening.track, cold),
            cold,
            plays,
            discount=0,
        ),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _row(name: str, value: str, started: float) -> None:
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{name:<44} {value:<44} {seconds:8.1f} s {_peak_mb():7.0f} MB\n")


def _recalls(name: str, listening: Listening, arguments: argparse.Namespace) -> None:
    config = replace(EncoderConfig(), epochs=arguments.epochs, seed=arguments.seed)
    started = time.perf_counter()
    recalls = judged(listening, arguments.pairs, config)
    for kind, recall in recalls.items():
        figures = (
            f"text {recall.text:.3f}  popular {recall.popularity:.3f}  x{recall.ratio:.2f}"
            f"  n={recall.tracks}"
        )
        _row(f"{name}, {kind}, Recall@{recall.k}", figures, started)


def _steps(listening: Listening, arguments: argparse.Namespace) -> None:
    """Time of each step on the whole catalogue."""
    started = time.perf_counter()
    pairs = listening.pairs(maximum=arguments.pairs)
    _row("pairs", f"{len(listening.track)} listens -> {len(pairs)} pairs", started)
    config = replace(EncoderConfig(), epochs=arguments.epochs, seed=arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        version = train_encoder(listening.documents, pairs, config, Path(folder))
        _row("train", f"{len(listening.documents)} documents, version {version}", started)
        encoder = load_encoder(str(Path(folder) / version))
    started = time.perf_counter()
    vectors = encode_changed(listening.documents, None, encoder)
    _row("encode", f"{vectors.encoded} encoded", started)
    started = time.perf_counter()
    again = encode_changed(listening.documents, vectors.table, encoder)
    _row("encode again", f"{again.encoded} encoded, {again.reused} reused", started)
    started = time.perf_counter()
    values = vector_values(vectors.table)
    nearest(values, values, 100, exclude=np.arange(len(values), dtype=np.int32))
    _row("neighbours of all, k = 100", f"{values.shape}", started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listeners", type=int, default=2_000)
    parser.add_argument("--tracks", type=int, default=8_000)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=EncoderConfig().epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hetrec", type=Path, default=HETREC)
    arguments = parser.parse_args()
    started = time.perf_counter()
    world = simulated(arguments.listeners, arguments.tracks, arguments.days)
    _row("simulate", f"{len(world.track)} listens", started)
    _steps(world, arguments)
    _recalls("simulator", world, arguments)
    if arguments.hetrec.is_dir():
        _recalls("HetRec", hetrec(arguments.hetrec), arguments)


if __name__ == "__main__":
    main()
