"""A decision from the form or the command line is recorded and done, once, in the review's name."""

import dagster as dg
import pytest
from typer.testing import CliRunner

from ml.registry.models import ALIAS, MODEL, ModelRegistry
from ml.registry.pointer import read_pointer
from ml.registry.records import read_records
from monitoring.areas import ReportTarget, Statistic, Verdict
from monitoring.reports import write_report
from monitoring.review import Decision, read_reviews, record_review
from orchestration.cli.main import app
from orchestration.cli.rolling_back import version_before
from orchestration.decisions import DECISION_TAG, REVIEW_TAG, answering
from orchestration.keys import CHAMPION, MONITORING
from orchestration.resources import RegistryResource
from orchestration.review_job import OP, review_job
from orchestration.sensors import train_when_monitoring_asks
from orchestration.settings import Settings
from tests.orchestration.reviewed import (
    AREA,
    AT,
    DAY,
    NAME,
    empty,
    home,
    instance,
    report,
    said,
    served,
    submitted,
)

__all__ = ["empty", "home", "instance"]


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


def killed_before_its_alias(registry: ModelRegistry, version: str, back_to: str) -> None:
    """The step back of the review, with the alias where it was."""
    reason = f"rolled back from {version}: it moved (review {NAME})"
    registry.promote(back_to, reason, AT, against=version, by="ada")
    number = str(registry._find(version).version)
    registry._client.set_registered_model_alias(MODEL, ALIAS, number)
    assert registry.champion() == version


def test_a_rollback_killed_before_its_alias_is_finished_by_the_same_review(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    first, second = served(home, 1, 2)
    models = RegistryResource().open()
    killed_before_its_alias(models, second, first)
    assert version_before(models, "") == (second, first)
    assert submitted(instance, "rollback").success
    assert models.champion() == first
    assert read_pointer(home.champion_pointer).version == first
    assert [one.version for one in models.history()] == [first, second, first]
    [record] = read_records(home.decisions)
    assert (record["kind"], record["version"], record["against"]) == ("rollback", first, second)
    assert submitted(instance, "rollback").success
    assert len(read_records(home.decisions)) == 1


def test_a_second_report_about_the_model_that_was_stepped_back_from_takes_no_second_step(
    home: Settings, instance: dg.DagsterInstance
) -> None:
    _, second, third = served(home, 1, 2, 3)
    report(home, third, "feature_drift")
    assert submitted(instance, "rollback").success
    told = said(submitted(instance, "rollback", area="feature_drift"))
    assert f"the report is about {third}, {second} serves since; close it with keep" in told
    assert "segue rollback --why" in told
    assert RegistryResource().open().champion() == second
    assert [one.area for one in read_reviews(home.reports)] == [AREA]
    assert submitted(instance, "keep", area="feature_drift").success


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


def test_a_review_cut_after_a_brace_of_its_note_is_passed_over(home: Settings) -> None:
    note = "see {that}"
    kept = record_review(home.reports, DAY, AREA, "keep", note, "ada", AT)
    path = home.reports / "reviews.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"}") + 1])
    assert read_reviews(home.reports) == ()
    assert record_review(home.reports, DAY, AREA, "keep", note, "ada", AT) == kept
    assert read_reviews(home.reports) == (kept,)


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
