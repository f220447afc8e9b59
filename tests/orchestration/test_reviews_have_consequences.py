"""A decision from the form or the command line is recorded and done, once, in the review's name."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from monitoring.areas import ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from monitoring.review import Decision, read_reviews, record_review
from orchestration.cli.main import app
from orchestration.decisions import DECISION_TAG, REVIEW_TAG, answering
from orchestration.keys import CHAMPION, MONITORING
from orchestration.resources import RESOURCES, RegistryResource
from orchestration.review_job import OP, review_job
from orchestration.sensors import train_when_monitoring_asks
from orchestration.settings import Settings, child_environment, prepare_process

DAY = date(2026, 3, 10)
AT = datetime(2026, 3, 11, 9, tzinfo=UTC)
AREA = "score_drift"
NAME = f"{DAY}/{AREA}"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the tables of MLflow and Dagster: making them takes seconds, a copy none."""
    from mlflow import MlflowClient

    settings = Settings(tmp_path_factory.mktemp("empty") / "home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in child_environment(settings).items():
            patch.setenv(name, value)
        prepare_process(settings)
        MlflowClient(settings.mlflow_uri).search_experiments()
        with dg.DagsterInstance.get() as instance:
            instance.get_runs(limit=1)
    return settings.home


@pytest.fixture
def home(empty: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with one report that asks for a decision."""
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    shutil.copytree(empty, settings.home)
    statistic = Statistic("shift", 2.0, 1.0, AREA, Verdict.ACT, "the scores moved", 2.0, 1.0)
    write_report(AREA, DAY, None, [statistic], ReportTarget(settings.reports, None, "m1"))
    return settings


@pytest.fixture
def instance(home: Settings) -> Iterator[dg.DagsterInstance]:
    """The home's own: the training that a review starts opens it too."""
    with dg.DagsterInstance.get() as found:
        yield found


def served(home: Settings, *seeds: int) -> list[str]:
    """Versions that served one after the other."""
    from ml.registry.bundle import BundleFacts, write_bundle

    registry, versions = RegistryResource().open(), []
    for seed in seeds:
        facts = BundleFacts("2026-03-01", seed, "0.1.0", {"home": ("age",)}, {}, {}, {})

        def write(folder: Path) -> None:
            (folder / "numbers.npy").write_bytes(b"123")

        version = write_bundle(home.bundles, write, facts)
        registry.log_run(version, {"seed": seed}, {}, {})
        registry.promote(version, "passed the gate", AT)
        versions.append(version)
    return versions


def submitted(
    instance: dg.DagsterInstance, decision: str, note: str = "it moved", **other: Any
) -> dg.ExecuteInProcessResult:
    """The job as the form starts it."""
    form = {
        "day": DAY.isoformat(),
        "area": AREA,
        "decision": decision,
        "note": note,
        "reviewer": "ada",
        **other,
    }
    return review_job.execute_in_process(
        run_config={"ops": {OP: {"config": form}}},
        resources={name: RESOURCES[name] for name in ("home", "registry")},
        instance=instance,
        raise_on_error=False,
    )


def said(result: dg.ExecuteInProcessResult) -> str:
    from orchestration.notify import failure_text

    return failure_text(result.all_events)


def test_a_review_from_the_form_closes_the_report_and_shows_on_its_asset(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    result = submitted(instance, "keep", "a holiday")
    assert result.success
    [review] = read_reviews(home.reports)
    assert (review.review_id, review.decision, review.reviewer, review.note) == (
        NAME,
        Decision.KEEP,
        "ada",
        "a holiday",
    )
    [seen] = instance.fetch_observations(MONITORING[AREA], limit=5).records
    assert seen.partition_key == DAY.isoformat()
    assert seen.asset_observation.metadata["decision"].value == "keep"
    assert "keep by ada" in (home.reports / "index.html").read_text()


def test_the_run_carries_the_reviews_name(home: Settings, instance: dg.DagsterInstance) -> None:
    run_id = submitted(instance, "keep").run_id
    tags = instance.get_run_by_id(run_id).tags
    assert (tags[REVIEW_TAG], tags[DECISION_TAG]) == (NAME, "keep")


def test_the_form_offers_the_areas_and_decisions_and_refuses_others(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError, match="maybe"):
        submitted(instance, "maybe")
    fields = review_job.get_node_named(OP).definition.config_schema.config_type.fields
    offered = {value.config_value for value in fields["decision"].config_type.enum_values}
    assert offered == {"keep", "retrain", "rollback"}
    assert all(field.description for field in fields.values())
    assert read_reviews(home.reports) == ()


def test_what_is_wrong_in_the_form_is_said_and_nothing_is_recorded(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    assert "expected a note that says why rollback" in said(submitted(instance, "rollback", ""))
    assert "expected a day as YYYY-MM-DD" in said(submitted(instance, "keep", day="10.3."))
    assert "found none for score_drift on 2026-03-11" in said(
        submitted(instance, "keep", day="2026-03-11")
    )
    assert read_reviews(home.reports) == ()


def test_a_rollback_lets_the_model_before_serve_and_names_the_review(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    first, _ = served(home, 1, 2)
    assert submitted(instance, "rollback").success
    models = RegistryResource().open()
    assert models.champion() == first
    last = models.history()[-1]
    assert last.reason.endswith(f": it moved (review {NAME})")
    assert last.by == "ada"
    [event] = instance.fetch_materializations(CHAMPION, limit=5).records
    assert event.asset_materialization.metadata["version"].value == first


def test_the_same_rollback_again_takes_no_second_step_back(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    _, second, _ = served(home, 1, 2, 3)
    assert submitted(instance, "rollback").success
    assert submitted(instance, "rollback").success
    assert RegistryResource().open().champion() == second
    assert len(read_reviews(home.reports)) == 1


def test_a_rollback_that_is_refused_leaves_the_report_open(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    [only] = served(home, 1)
    assert "found none: it is the first" in said(submitted(instance, "rollback"))
    assert RegistryResource().open().champion() == only
    assert read_reviews(home.reports) == ()


def trainings(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    return list(instance.get_runs(dg.RunsFilter(job_name="train")))


def test_retrain_starts_the_training_in_the_reviews_name(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    """A home with nothing to train on: the training starts, fails and says why."""
    result = submitted(instance, "retrain")
    assert "train failed" in said(result)
    assert "run `segue run bootstrap`" in said(result)
    [run] = trainings(instance)
    assert (run.tags[REVIEW_TAG], run.tags[DECISION_TAG]) == (NAME, "retrain")
    assert "ada decided to retrain after score_drift of 2026-03-10" in run.tags["segue/why"]
    assert [one.decision for one in read_reviews(home.reports)] == [Decision.RETRAIN]
    [review] = read_reviews(home.reports)
    assert answering(instance, review) is None


def test_the_command_line_starts_the_same_job(home: Settings, instance: dg.DagsterInstance) -> None:
    first, _ = served(home, 1, 2)
    wanted = [str(DAY), AREA, "--decision", "rollback", "--note", "worse", "--reviewer", "ada"]
    result = CliRunner().invoke(app, ["review", *wanted])
    assert result.exit_code == 0, result.output
    assert RegistryResource().open().champion() == first
    [run] = instance.get_runs()
    assert (run.job_name, run.tags[REVIEW_TAG]) == ("review", NAME)


def test_the_command_line_checks_before_a_run_begins(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    result = CliRunner().invoke(app, ["review", str(DAY), AREA, "--decision", "retrain"])
    assert result.exit_code == 1
    assert list(instance.get_runs()) == []
    assert read_reviews(home.reports) == ()


def test_keeping_needs_no_run(home: Settings, instance: dg.DagsterInstance) -> None:
    result = CliRunner().invoke(app, ["review", str(DAY), AREA, "--decision", "keep"])
    assert result.exit_code == 0
    assert list(instance.get_runs()) == []
    assert len(read_reviews(home.reports)) == 1
    assert (home.reports / "index.html").is_file()


def test_the_sensor_starts_what_no_run_answers_yet_and_carries_the_review(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    record_review(home.reports, DAY, AREA, "retrain", "it moved", "ada", AT)
    with dg.build_sensor_context(instance=instance) as tick:
        asked = train_when_monitoring_asks(tick)
        assert isinstance(asked, dg.RunRequest)
        assert asked.tags[REVIEW_TAG] == NAME
        run = dg.DagsterRun("review", tags={REVIEW_TAG: NAME}, status=dg.DagsterRunStatus.STARTED)
        instance.add_run(run)
        assert isinstance(train_when_monitoring_asks(tick), dg.SkipReason)


def test_the_list_shows_what_asks_with_its_reasons_before_what_does_not(home: Settings) -> None:
    quiet = Statistic("shift", 0.0, 1.0, AREA, Verdict.OK, "", 1.0, 1.0)
    for area in ("feature_drift", "embedding_drift"):
        write_report(area, DAY, None, [quiet], ReportTarget(home.reports, None, "m1"))
    told = CliRunner().invoke(app, ["review"]).output
    assert "3 open reports" in told
    assert told.index("the scores moved") < told.index("feature_drift, embedding_drift")
    assert f"segue review {DAY} {AREA} --decision" in told
