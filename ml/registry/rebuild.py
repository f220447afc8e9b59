"""A model again from its manifest and a warehouse: every step of a training run in order.

Belongs here: reading a plan back and running the steps that make a bundle. Does not belong here: the steps
(ml.ranking.steps), judging them, or where the warehouse comes from.
"""

import json
from dataclasses import fields
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from ml.embeddings.encoder import EncoderConfig
from ml.errors import SegueError
from ml.evaluation.splits import Windows
from ml.ranking.parameters import parameters_from
from ml.ranking.run import begin_run
from ml.ranking.steps import (
    fit_encoder,
    run_encoder,
    write_documents,
    write_examples,
    write_ranker,
    write_sources,
    write_vectors,
)
from ml.ranking.training import Sampling, TrainingPlan
from ml.registry.bundle import BundleFacts
from ml.registry.from_run import build_bundle, ranker_setting
from ml.state.read import read_state
from ml.tables import RECOMMENDED_SURFACES


class RebuildError(SegueError):
    """A manifest that does not say enough to build its model again."""


def plan_of(facts: BundleFacts) -> TrainingPlan:
    """The training plan that a manifest states.

    Raises:
        RebuildError: the bundle was made by a version of Segue that did not state it.
    """
    windows = {
        name: tuple(date.fromisoformat(day) for day in days) for name, days in facts.windows.items()
    }
    sampling = {field.name: int(_stated(facts, field.name)) for field in fields(Sampling)}
    parameters = {
        surface: parameters_from(json.loads(str(_stated(facts, ranker_setting(surface)))))
        for surface in RECOMMENDED_SURFACES
    }
    as_of = date.fromisoformat(facts.as_of)
    return TrainingPlan(as_of, Windows(**windows), facts.seed, Sampling(**sampling), parameters)


def _stated(facts: BundleFacts, name: str) -> str | int | float:
    if name not in facts.settings:
        raise RebuildError(
            f"expected the manifest to state {name!r}, found only {', '.join(sorted(facts.settings))}: an "
            f"earlier version of Segue made it; run `segue run train --as-of {facts.as_of}`"
        )
    return facts.settings[name]


def rebuild(
    connection: duckdb.DuckDBPyConnection,
    facts: BundleFacts,
    training: Path,
    bundles: Path,
    lake: pa.Table | None,
) -> str:
    """Train by the plan of `facts` into `training` and write the bundle to `bundles`; returns its version.

    `connection` to a warehouse built up to as_of; `lake` what its lake holds (ml.registry.lake_content).

    Raises:
        RebuildError: as `plan_of`.
    """
    run = begin_run(training, plan_of(facts))
    encoder = str(_stated(facts, "encoder"))
    config = EncoderConfig(name=encoder, seed=facts.seed)
    write_documents(connection, run)
    fit_encoder(connection, run, config)
    write_vectors(run, run_encoder(run, config), None)
    write_sources(connection, run)
    write_examples(connection, run)
    for surface in RECOMMENDED_SURFACES:
        write_ranker(run, surface, run.plan.ranker_parameters(surface))
    state = read_state(connection, run.plan.as_of)
    days = int(_stated(facts, "active_days"))
    return build_bundle(bundles, run, state, active_days=days, encoder=encoder, lake=lake)
