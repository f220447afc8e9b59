"""The registry's two assets on stored evidence: who serves after a decision."""

import json
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from ml.errors import SegueError
from ml.ranking.run import current_run
from ml.registry.bundle import BundleError
from ml.registry.evidence import Invariant
from ml.registry.pointer import read_pointer
from ml.registry.records import append_record, read_records
from orchestration.cli.answers import answering_bundle
from orchestration.defs.registry.assets import decided as decided_again
from orchestration.defs.registry.recording import record_once
from orchestration.resources import RegistryResource, WarehouseResource
from orchestration.settings import Settings
from tests.orchestration.deciding import (
    FIRST_TEST_DAY,
    bundle,
    decided,
    evidence,
    first_champion,
    home,
    materialized,
    tables,
    training,
)

__all__ = ["home", "tables"]


def test_a_first_model_that_beats_popularity_serves(home: Settings) -> None:
    version = first_champion(home)
    registry = RegistryResource().open()
    assert registry.champion() == version
    [first] = registry.history()
    assert first.reason.startswith("passed the gate against popularity: NDCG@10 home +0.4000")
    assert (first.against, first.by) == (None, "")


def test_a_first_model_that_does_not_leaves_the_home_without_a_champion(home: Settings) -> None:
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    version = bundle(home, 1, as_of)
    training(home, as_of, evidence(version, as_of, 0.05), None)
    result = decided()
    assert result.success
    assert materialized(result) == {"registry/promotion_decision"}
    assert RegistryResource().open().champion() is None


def test_a_worse_challenger_leaves_the_old_model_serving_and_the_run_green(home: Settings) -> None:
    old = first_champion(home)
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    new = bundle(home, 2, as_of)
    rival = evidence(old, FIRST_TEST_DAY - timedelta(days=7), 0.5)
    training(home, as_of, evidence(new, as_of, 0.4), rival)
    result = decided()
    assert result.success
    assert materialized(result) == {"registry/promotion_decision"}
    registry = RegistryResource().open()
    assert registry.champion() == old
    assert len(registry.history()) == 1
    stored = home.training / f"as_of={as_of}" / "evaluation" / "decision.json"
    assert json.loads(stored.read_text())["promote"] is False


def test_a_better_challenger_serves_and_the_history_says_against_whom(home: Settings) -> None:
    old = first_champion(home)
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    new = bundle(home, 2, as_of)
    rival = evidence(old, FIRST_TEST_DAY - timedelta(days=7), 0.5)
    training(home, as_of, evidence(new, as_of, 0.6), rival)
    assert materialized(decided()) == {"registry/promotion_decision", "registry/champion"}
    registry = RegistryResource().open()
    assert registry.champion() == new
    last = registry.history()[-1]
    assert last.reason.startswith(f"passed the gate against {old}: NDCG@10 home +0.1000")
    assert last.against == old


def test_a_training_that_makes_the_champion_again_changes_nothing(home: Settings) -> None:
    version = first_champion(home)
    assert decided().success
    registry = RegistryResource().open()
    assert registry.champion() == version
    assert len(registry.history()) == 1


def test_a_training_that_makes_the_champion_again_leaves_its_decision_in_mlflow(
    home: Settings,
) -> None:
    first_champion(home)
    assert decided().success
    [document] = (home.home / "mlflow").rglob("decision.md")
    assert document.read_text().startswith("**Promote**")
    assert [one["kind"] for one in read_records(home.decisions)] == [
        "decision",
        "promotion",
        "decision",
    ]


def test_a_promotion_killed_before_its_record_is_recorded_by_the_next_decision(
    home: Settings,
) -> None:
    version = first_champion(home)
    lines = home.decisions.read_text().splitlines(keepends=True)
    home.decisions.write_text(lines[0])
    assert decided().success
    [record] = [one for one in read_records(home.decisions) if one["kind"] == "promotion"]
    [promotion] = RegistryResource().open().history()
    assert record == {"kind": "promotion", **promotion.to_dict()}
    assert promotion.version == version


def test_one_listener_has_a_mean_and_no_bounds_in_mlflow(home: Settings) -> None:
    """The comparison is of one request."""
    version = first_champion(home)
    registry = RegistryResource().open()
    [run] = registry._client.search_runs(
        [registry._client.get_experiment_by_name("segue").experiment_id]
    )
    assert run.data.tags["bundle"] == version
    assert run.data.metrics["home/ndcg_at_10"] == 1.0
    assert not [name for name in run.data.metrics if name.endswith(("_low", "_high"))]


def test_the_champions_bundle_verifies(home: Settings) -> None:
    first_champion(home)
    checks = {one.check_name: one for one in decided().get_asset_check_evaluations()}
    assert checks.keys() == {"invariants_hold", "bundle_verifies"}
    assert all(one.passed for one in checks.values())
    assert checks["bundle_verifies"].metadata["files verified"].value == 1


def test_a_broken_invariant_is_recorded_and_stops_the_run_before_it_serves(home: Settings) -> None:
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    version = bundle(home, 1, as_of)
    whole = evidence(version, as_of, 0.5)
    broken = {"online_matches_batch": Invariant(False, "7 of 1000 requests alike")}
    training(home, as_of, replace(whole, invariants={**whole.invariants, **broken}), None)
    result = decided()
    assert not result.success
    [check] = [one for one in result.get_asset_check_evaluations() if not one.passed]
    assert "online matches batch: 7 of 1000" in str(check.metadata["broken"].value)
    assert RegistryResource().open().champion() is None
    [record] = read_records(home.decisions)
    assert record["promote"] is False


def test_every_decision_is_a_record_and_rows_of_the_warehouse(home: Settings) -> None:
    old = first_champion(home)
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    new = bundle(home, 2, as_of)
    rival = evidence(old, FIRST_TEST_DAY - timedelta(days=7), 0.5)
    training(home, as_of, evidence(new, as_of, 0.4), rival)
    assert decided().success
    kinds = [
        (one["kind"], one.get("challenger") or one["version"])
        for one in read_records(home.decisions)
    ]
    assert kinds == [("decision", old), ("promotion", old), ("decision", new)]
    with WarehouseResource().reader() as connection:
        decisions = connection.execute(
            "select challenger, champion, promote, as_of from registry.decisions order by decided_at"
        ).fetchall()
        failed = connection.execute(
            "select rule, surface, figure, threshold from registry.rulings "
            "where outcome = 'fail' and kind = 'primary' and figure is not null"
        ).fetchall()
    assert decisions == [
        (old, None, True, FIRST_TEST_DAY - timedelta(days=7)),
        (new, old, False, as_of),
    ]
    assert failed == [("not worse than the champion", "home", pytest.approx(-0.1), -0.002)]


def test_a_decision_whose_run_was_killed_is_recorded_once(home: Settings) -> None:
    record = {
        "kind": "decision",
        "at": "now",
        "run_id": "",
        "asked_by": "a person",
        "promote": True,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        dead, whole = (
            instance.add_run(dg.DagsterRun(job_name="train", status=status))
            for status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
        )
        record_once(instance, home.decisions, {**record, "run_id": dead.run_id})
        record_once(instance, home.decisions, {**record, "run_id": whole.run_id, "at": "later"})
        assert [one["at"] for one in read_records(home.decisions)] == ["now"]
        # Another decision, and the same one after a run that lived, are recorded.
        record_once(instance, home.decisions, {**record, "run_id": whole.run_id, "promote": False})
        record_once(instance, home.decisions, {**record, "run_id": whole.run_id, "promote": False})
    assert [one["promote"] for one in read_records(home.decisions)] == [True, False, False]


def test_a_run_killed_after_its_promotion_comes_to_its_own_decision_again(home: Settings) -> None:
    version = first_champion(home)
    [told] = [one for one in read_records(home.decisions) if one["kind"] == "decision"]
    run = current_run(home.training)
    with dg.DagsterInstance.ephemeral() as instance:
        for status, promotes in (("FAILURE", True), ("SUCCESS", False)):
            dead = dg.DagsterRun(job_name="train", status=dg.DagsterRunStatus(status))
            append_record(home.decisions, {**told, "run_id": instance.add_run(dead).run_id})
            again = decided_again(instance, run, home, version)
            assert again.promote is promotes
            assert (again.champion is None) is promotes
            assert not promotes or again.to_dict() == {name: told[name] for name in again.to_dict()}


def test_the_policy_of_the_home_decides(home: Settings) -> None:
    old = first_champion(home)
    home.promotion_policy.write_text(
        '[primary]\nmargin = 0.2\nold_after_days = 5\nreason = "a trial"'
    )
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    new = bundle(home, 2, as_of)
    rival = evidence(old, FIRST_TEST_DAY - timedelta(days=7), 0.5)
    training(home, as_of, evidence(new, as_of, 0.4), rival)
    assert decided().success
    assert RegistryResource().open().champion() == new


def test_the_pointer_names_what_serves_and_is_healed_by_the_next_decision(home: Settings) -> None:
    version = first_champion(home)
    pointer = read_pointer(home.champion_pointer)
    assert pointer.version == version
    assert pointer.since == RegistryResource().open().history()[0].at
    home.champion_pointer.unlink()
    assert decided().success
    assert read_pointer(home.champion_pointer) == pointer


def test_a_file_changed_in_the_champions_bundle_stops_the_run_by_name(home: Settings) -> None:
    version = first_champion(home)
    (home.bundles / version / "numbers.npy").write_bytes(b"124")
    result = decided()
    assert not result.success
    error = result.failure_data_for_node("registry__promotion_decision").error.cause
    assert error.cls_name == BundleError.__name__
    assert f"bundle {version}: numbers.npy differs from its hash" in error.message
    assert "segue run train --as-of 2026-03-02" in error.message


def test_a_file_changed_in_the_challengers_bundle_stops_the_run_before_it_serves(
    home: Settings,
) -> None:
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    version = bundle(home, 1, as_of)
    training(home, as_of, evidence(version, as_of, 0.5), None)
    (home.bundles / version / "more.npy").write_bytes(b"1")
    result = decided()
    assert not result.success
    assert "more.npy is not in the manifest" in str(
        result.failure_data_for_node("registry__promotion_decision").error.cause.message
    )
    assert RegistryResource().open().champion() is None


def test_before_any_promotion_a_file_of_requests_is_answered_by_the_judged_model_and_that_is_said(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    as_of = FIRST_TEST_DAY + timedelta(days=1)
    version = bundle(home, 1, as_of)
    training(home, as_of, evidence(version, as_of, 0.0), None)
    assert decided().success
    assert RegistryResource().open().champion() is None
    assert answering_bundle(home) == home.bundles / version
    assert "did not promote" in capsys.readouterr().out.replace("\n", " ")


def test_without_any_training_a_file_of_requests_names_the_command_that_begins_one(
    settings: Settings,
) -> None:
    with pytest.raises(SegueError, match="segue run train"):
        answering_bundle(settings)
