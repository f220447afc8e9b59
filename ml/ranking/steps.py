"""The steps of a training run, each reading what earlier ones stored and storing its own result.

Belongs here: one function a step, called by one asset each. Does not belong here: the computations
(ml.ranking.training, ml.embeddings, ml.candidates) or judging (ml.ranking.verdicts).
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml.candidates.plan import grounded
from ml.embeddings.documents import track_documents
from ml.embeddings.encoder import Encoder, EncoderConfig, load_encoder, train_encoder
from ml.embeddings.pairs import co_listen_pairs
from ml.embeddings.vectors import encode_changed, matrix
from ml.files import replace_table, replace_text
from ml.ranking.examples import read_examples
from ml.ranking.judging import DEPTH
from ml.ranking.model import Ranker, RankerParameters, load_ranker
from ml.ranking.order import POPULARITY, Choice, best_single, choose, read_choice
from ml.ranking.run import TrainingRun
from ml.ranking.selection import select
from ml.ranking.surface import SurfaceSources, read_sources
from ml.ranking.training import (
    SERVE,
    SPLITS,
    StateOf,
    baseline_lists,
    fit_input,
    fit_sources,
    split_examples,
)
from ml.state.drawn import Drawn, draw
from ml.state.log import Log
from ml.state.read import read_state, read_track_versions
from ml.state.read_log import read_log
from ml.state.state import State
from ml.tables import RECOMMENDED_SURFACES

CUTS = (*SPLITS, SERVE)
MAXIMUM_PAIRS = 60_000


def replace_folder(target: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder aside, then put it in `target`'s place: a kill leaves no half folder."""
    aside = target.with_name(f".{target.name}.aside")
    if aside.exists():
        shutil.rmtree(aside)
    aside.mkdir(parents=True)
    write(aside)
    if target.exists():
        shutil.rmtree(target)
    aside.replace(target)


def write_documents(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> pa.Table:
    """Track documents at every cut; returns those that will serve."""
    for cut in CUTS:
        versions = read_track_versions(connection, run.plan.cut(cut), run.plan.as_of)
        replace_table(run.documents(cut), track_documents(versions))
    return pq.read_table(run.documents(SERVE))


def has_text(documents: pa.Table) -> bool:
    """Whether any track has words."""
    return bool(pc.any(pc.greater(pc.utf8_length(documents["document"]), 0)).as_py())


def fit_encoder(
    connection: duckdb.DuckDBPyConnection, run: TrainingRun, config: EncoderConfig
) -> str | None:
    """Train the run's own encoder on what is known before the first label day.

    Returns its version, or None where there is no text or `config` names a ready encoder.
    """
    documents = pq.read_table(run.documents("train"))
    if not has_text(documents) or config.name != "own":
        return None
    drawn = run_draw(connection, run)
    log = read_log(connection, read_state(connection, run.plan.cut("train"), drawn), drawn)
    pairs = co_listen_pairs(
        log.user, log.track, log.played_at, log.session, seed=config.seed, maximum=MAXIMUM_PAIRS
    )
    version = train_encoder(documents, pairs, config, run.encoders)
    replace_text(run.encoders / "current", version)
    return version


def run_encoder(run: TrainingRun, config: EncoderConfig) -> Encoder | None:
    """The encoder of the run, None where there is no text."""
    if not has_text(pq.read_table(run.documents("train"))):
        return None
    own = own_encoder(run) if config.name == "own" else None
    return load_encoder(config.name if own is None else str(own))


def own_encoder(run: TrainingRun) -> Path | None:
    """The folder of the encoder that the run trained, None where it took another or has no text."""
    current = run.encoders / "current"
    return run.encoders / current.read_text() if current.is_file() else None


def write_vectors(
    run: TrainingRun, encoder: Encoder | None, previous: pa.Table | None
) -> tuple[int, int]:
    """Text vectors at every cut; returns how many documents were (encoded, reused)."""
    encoded = reused = 0
    if encoder is None:
        return 0, 0
    for cut in CUTS:
        result = encode_changed(pq.read_table(run.documents(cut)), previous, encoder)
        replace_table(run.vectors(cut), result.table)
        previous = result.table
        encoded, reused = encoded + result.encoded, reused + result.reused
    return encoded, reused


def cut_vectors(run: TrainingRun, cut: str) -> NDArray[np.float32] | None:
    """Vectors (tracks known before as_of, d) at a cut, in the catalogue's order."""
    if not run.vectors(cut).is_file():
        return None
    track_ids = pq.read_table(run.documents(SERVE))["track_id"]
    return matrix(pq.read_table(run.vectors(cut)), track_ids)


def run_draw(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> Drawn:
    """The days and listeners that the run learns from and is judged on."""
    sampling = run.plan.sampling
    return draw(
        connection,
        run.plan.as_of,
        latest=sampling.latest_listens,
        most=sampling.drawn_listens,
        seed=run.plan.seed,
    )


def states_of(connection: duckdb.DuckDBPyConnection, drawn: Drawn) -> StateOf:
    """A function that reads the state of a day once, with the drawn listeners' pairs, and keeps it."""
    known: dict[date, State] = {}

    def state_of(day: date) -> State:
        if day not in known:
            known[day] = read_state(connection, day, drawn)
        return known[day]

    return state_of


def write_sources(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> None:
    """Fit every generator of both surfaces at every cut."""
    drawn = run_draw(connection, run)
    state_of = states_of(connection, drawn)
    log = read_log(connection, state_of(run.plan.as_of), drawn)
    # What the ranker is trained on is what serves: a source that had no ground then has none later.
    begin = run.plan.cut("train")
    first = state_of(begin)
    for cut in CUTS:
        state = state_of(run.plan.cut(cut))
        data = fit_input(state, log, cut_vectors(run, cut), run.plan.seed, begin)
        for surface in RECOMMENDED_SURFACES:
            sources = fit_sources(surface, data, grounded(surface, first))
            replace_folder(run.sources(cut, surface), sources.write)


def cut_sources(run: TrainingRun, cut: str, surface: str, state: State) -> SurfaceSources:
    """The generators fitted at a cut, in the order of the cut's own catalogue `state`."""
    vectors = cut_vectors(run, cut)
    size = state.catalogue.size
    known = None if vectors is None else vectors[:size]
    return read_sources(run.sources(cut, surface), surface, known, size)


def write_examples(connection: duckdb.DuckDBPyConnection, run: TrainingRun) -> None:
    """Examples of both surfaces and three splits, and the baselines' lists on the test requests."""
    drawn = run_draw(connection, run)
    final = read_state(connection, run.plan.as_of, drawn)
    log = read_log(connection, final, drawn)
    for split in SPLITS:
        # The states of one split at a time: at 20 million listens each holds 0.2 GB.
        state_of = states_of(connection, drawn)
        for surface in RECOMMENDED_SURFACES:
            _write_split(run, surface, split, log, final.user_ids, state_of)
            if split == "test":
                _write_baselines(run, surface, log, final.user_ids, state_of)


def _write_split(
    run: TrainingRun,
    surface: str,
    split: str,
    log: Log,
    user_ids: pa.StringArray,
    state_of: StateOf,
) -> None:
    sources = cut_sources(run, split, surface, state_of(run.plan.cut(split)))
    vectors = cut_vectors(run, split)
    examples = split_examples(sources, split, run.plan, log, user_ids, vectors, state_of)
    replace_folder(run.examples(surface, split), examples.write)


def _write_baselines(
    run: TrainingRun, surface: str, log: Log, user_ids: pa.StringArray, state_of: StateOf
) -> None:
    test = state_of(run.plan.cut("test"))
    data = fit_input(test, log, cut_vectors(run, "test"), run.plan.seed)
    table = baseline_lists(surface, data, run.plan, log, user_ids, state_of, DEPTH)
    replace_table(run.baselines(surface), table)


def untrainable(run: TrainingRun, surface: str) -> str | None:
    """Why no ranker can be trained for the surface, None where one can."""
    for split in ("train", "validation"):
        examples = read_examples(run.examples(surface, split))
        known = np.asarray(examples.requests["is_known"].to_numpy(zero_copy_only=False))
        if surface == "home" and not known.any():
            return f"no {split} request is by a listener with history: Home cannot be personal here"
        if not len(examples.rows) or not int(pc.max(examples.rows["grade"]).as_py() or 0):
            return f"no {split} request has a candidate that was played"
    return None


def write_ranker(
    run: TrainingRun, surface: str, parameters: RankerParameters
) -> tuple[Ranker | None, Choice]:
    """Train the surface's ranker, choose on validation its generators and what serves, and store both.

    The ranker is None (and no file) where it cannot be trained or is not shown to be above the best single
    generator.
    """
    path = run.ranker(surface)
    path.parent.mkdir(parents=True, exist_ok=True)
    validation = read_examples(run.examples(surface, "validation"))
    ranker: Ranker | None = None
    off: tuple[str, ...] = ()
    if untrainable(run, surface) is None:
        train = read_examples(run.examples(surface, "train"))
        needed = frozenset({POPULARITY, *list(best_single(validation, surface))[:1]})
        ranker, off = select(train, validation, surface, parameters, needed=needed)
    choice = choose(ranker, validation, surface, seed=run.plan.seed, off=off)
    choice.write(run.choice(surface))
    if ranker is None or not choice.by_ranker:
        path.unlink(missing_ok=True)
        return None, choice
    ranker.save(path)
    return ranker, choice


def stored_ranker(run: TrainingRun, surface: str, threads: int) -> Ranker | None:
    """The surface's ranker, None where a generator serves."""
    path = run.ranker(surface)
    return load_ranker(path, threads) if path.is_file() else None


def serving_sources(run: TrainingRun, surface: str, state: State) -> SurfaceSources:
    """The generators that will serve: fitted at as_of, without those that were switched off."""
    sources = cut_sources(run, SERVE, surface, state)
    off = read_choice(run.choice(surface)).off
    kept = {name: one for name, one in sources.generators.items() if name not in off}
    return replace(sources, generators=kept)
