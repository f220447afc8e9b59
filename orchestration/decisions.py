"""What a review sets in motion: the record, and a training or a step back in the review's name.

Belongs here: consequences, each taken once a review. Does not belong here: the record itself
(monitoring.review), the job with its form (review_job).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from ml.errors import SegueError
from monitoring.index import write_index
from monitoring.reports import read_reports
from monitoring.review import Decision, Review, record_review
from orchestration.resources import RegistryResource
from orchestration.running import Launch, execute
from orchestration.settings import Settings

REVIEW_TAG = "segue/review"
DECISION_TAG = "segue/decision"
WHY_TAG = "segue/why"
_STANDING = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS,
)


@dataclass(frozen=True, slots=True)
class ReviewLaunch(Launch):
    """A run with configuration of its own and more tags."""

    ops: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)

    def tags(self) -> dict[str, str]:
        """Those of any run, and the review's."""
        return {**Launch.tags(self), **self.named}

    def run_config(self) -> Mapping[str, Any]:
        """Quiet logs, and the form of the review."""
        config = Launch.run_config(self)
        return {**config, "ops": dict(self.ops)} if self.ops else config


def review_tags(review: Review) -> dict[str, str]:
    """Tags of every run that a review causes: by them the lineage reads report, decision, run."""
    return {
        REVIEW_TAG: review.review_id,
        DECISION_TAG: review.decision.value,
        WHY_TAG: f"{review.reviewer} decided to {review.decision.value} after {review.area} of "
        f"{review.day}: {review.note or 'no note'}",
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a review led to: the training's run, the version that serves again (None = neither, or this
    review had it done before)."""

    review: Review
    run_id: str | None = None
    version: str | None = None


def carry_out(
    settings: Settings, registry: RegistryResource, instance: dg.DagsterInstance, review: Review
) -> Outcome:
    """Record the review, bring the page of all days up to date and do what it decides.

    A step back goes first: where it is refused, nothing is recorded. A training goes last: a review
    stands while it runs, and the same review again trains where the first training failed.

    Raises:
        SegueError: no version to step back to, or the training failed.
    """
    version = (
        step_back(settings, registry, review) if review.decision is Decision.ROLLBACK else None
    )
    close(settings, review)
    run_id = train_for(settings, instance, review) if review.decision is Decision.RETRAIN else None
    return Outcome(review, run_id, version)


def close(settings: Settings, review: Review) -> Review:
    """Record the review and bring the page of all days up to date."""
    recorded = record_review(
        settings.reports,
        review.day,
        review.area,
        review.decision.value,
        review.note,
        review.reviewer,
        review.at,
    )
    write_index(settings.reports)
    return recorded


def step_back(settings: Settings, registry: RegistryResource, review: Review) -> str | None:
    """Roll back in the review's name and return the version that serves again, None where this review
    has done so before; what a kill left of that is finished.

    Raises:
        SegueError: the report is not about the model that serves, or there is none to step back to.
    """
    from orchestration.cli import rolling_back

    models = registry.open()
    mark = f"(review {review.review_id})"
    history = models.history()
    if any(mark in one.reason for one in history):
        if mark in history[-1].reason:
            rolling_back.finish(settings, models, history[-1])
        return None
    _check_about(settings, models.champion(), review)
    why = f"{review.note} {mark}"
    stepped = rolling_back.step_back(settings, models, "", why, review.reviewer, review.at)
    return stepped.version


def _check_about(settings: Settings, champion: str | None, review: Review) -> None:
    """A second report about a model that was stepped back from must not take its successor too."""
    about = next(
        one.model_version
        for one in read_reports(settings.reports)
        if (one.day, one.area) == (review.day, review.area)
    )
    if champion is not None and about != champion:
        raise SegueError(
            f"expected a report about {champion}, which serves, found {review.review_id}: the report is "
            f"about {about or 'no model'}, {champion} serves since; close it with keep, or run "
            "`segue rollback --why WHY`"
        )


def train_for(settings: Settings, instance: dg.DagsterInstance, review: Review) -> str | None:
    """Train in the review's name and return the run's id, None where this review has trained before.

    The run goes in this process and ends before the review's: the home runs one job at a time.
    """
    if answering(instance, review, "train") is not None:
        return None
    return execute(settings, ReviewLaunch("train", named=review_tags(review)))


def answering(instance: dg.DagsterInstance, review: Review, job: str | None = None) -> str | None:
    """A run in the review's name, of any job or of one, that succeeded, runs or waits (None = none). A
    failed one does not count: the review may be carried out again."""
    wanted = dg.RunsFilter(
        job_name=job, tags={REVIEW_TAG: review.review_id}, statuses=list(_STANDING)
    )
    runs = instance.get_runs(wanted, limit=1)
    return runs[0].run_id if runs else None
