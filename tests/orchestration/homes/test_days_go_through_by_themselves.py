"""Dagster's own daemon lives days on schedule, and a review from the UI trains."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from ml.registry.records import read_records
from monitoring.review import read_reviews
from orchestration.days import lived_days
from orchestration.decisions import REVIEW_TAG
from orchestration.home import read_home
from orchestration.review_job import OP
from orchestration.settings import Settings
from tests.orchestration.homes.conftest import DAY
from tests.orchestration.homes.running_ui import RunningUi, segue_ui, until

pytestmark = pytest.mark.e2e

DAYS = [DAY, DAY + timedelta(days=1)]


@pytest.fixture(scope="module")
def ui(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUi]:
    """`segue ui` on a home with a champion, two days after its schedule was turned on."""
    home = Path(shutil.copytree(trained, tmp_path_factory.mktemp("scheduled") / "home"))
    with segue_ui(home) as running:
        running.start_schedule("daily")

        def two_days() -> list[dg.DagsterRun] | None:
            runs = running.runs("daily")
            failed = [one.run_id for one in runs if one.status is dg.DagsterRunStatus.FAILURE]
            assert not failed, (home / "ui.log").read_text()[-3000:]
            done = [one for one in runs if one.status is dg.DagsterRunStatus.SUCCESS]
            return done if len(done) >= len(DAYS) else None

        until(two_days, "two days on schedule")
        yield running


def test_two_days_go_through_in_order_without_a_person(ui: RunningUi) -> None:
    runs = ui.runs("daily")[:2]
    assert [one.tags["dagster/partition"] for one in runs] == [day.isoformat() for day in DAYS]
    assert {one.tags["dagster/schedule_name"] for one in runs} == {"daily"}


def test_they_leave_lists_and_reports(ui: RunningUi) -> None:
    settings = Settings(ui.home)
    assert lived_days(settings)[:2] == DAYS
    assert read_home(settings).bootstrap_end == DAY - timedelta(days=1)
    for day in DAYS:
        assert (settings.recommendations / f"day={day}" / "part.parquet").is_file()


def test_a_review_from_the_form_trains_and_the_record_of_the_gate_names_it(ui: RunningUi) -> None:
    form = {
        "day": DAYS[0].isoformat(),
        "area": "data_quality",
        "decision": "retrain",
        "note": "a new catalogue",
        "reviewer": "ada",
    }
    asked = ui.launch("review", config={"ops": {OP: {"config": form}}})
    assert ui.ended(asked).status is dg.DagsterRunStatus.SUCCESS
    name = f"{DAYS[0]}/data_quality"
    [training] = [one for one in ui.runs("train") if one.tags.get(REVIEW_TAG) == name]
    assert training.status is dg.DagsterRunStatus.SUCCESS
    assert name in [one.review_id for one in read_reviews(Settings(ui.home).reports)]
    [record] = [
        one
        for one in read_records(Settings(ui.home).decisions)
        if one.get("run_id") == training.run_id
    ]
    assert record["asked_by"].startswith("ada decided to retrain after data_quality")
