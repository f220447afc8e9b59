"""The job `review`: a decision on a report, from the UI's form or the command line.

Belongs here: the form, the op and its traces in Dagster. Does not belong here: consequences
(decisions).
"""

from datetime import date
from enum import Enum

import dagster as dg
from pydantic import Field

from ml.errors import SegueError
from monitoring.areas import AREAS, TITLES
from monitoring.review import Decision, prospective
from orchestration.decisions import Outcome, ReviewLaunch, carry_out, review_tags
from orchestration.keys import CHAMPION, MONITORING
from orchestration.resources import HomeResource, RegistryResource

# Dagster's form shows the names of an enum: they are the words of the command line.
Area = Enum("Area", {area: area for area in AREAS})  # type: ignore[misc]
Choice = Enum("Choice", {one.value: one.value for one in Decision})  # type: ignore[misc]
OP = "review_report"
FORM = ("day", "area", "decision", "note", "reviewer")


class ReviewForm(dg.Config):
    """What a person decides after reading a report."""

    day: str = Field(description="Day of the report, YYYY-MM-DD.")
    area: Area = Field(description=f"Area of the report: {', '.join(AREAS)}.")
    decision: Choice = Field(
        description="keep: the model goes on. retrain: the train job starts, the gate decides about its "
        "model. rollback: the model before the champion serves again at once."
    )
    note: str = Field(default="", description="Why; needed for retrain and rollback.")
    reviewer: str = Field(description="Your name, as the record shall show it.")


@dg.op(
    name=OP,
    description="Closes a report with a decision and does what was decided. The report asset and, after "
    "a rollback, the champion show it.",
)
def review_report(
    context: dg.OpExecutionContext,
    config: ReviewForm,
    home: HomeResource,
    registry: RegistryResource,
) -> None:
    """Check the form, then record and carry out."""
    review = prospective(
        home.settings.reports,
        _day(config.day),
        config.area.value,
        config.decision.value,
        config.note,
        config.reviewer.strip(),
        home.now(),
    )
    # Before anything starts: the sensor must see that this review is being answered.
    context.instance.add_run_tags(context.run_id, review_tags(review))
    outcome = carry_out(home.settings, registry, context.instance, review)
    for event in traces(outcome):
        context.log_event(event)
    context.log.info(words(outcome))


@dg.job(
    name="review",
    executor_def=dg.in_process_executor,
    description="Closes a report with a decision: keep, retrain or rollback. In the launchpad, press "
    "Scaffold missing config and fill in the form; `segue review` does the same.",
)
def review_job() -> None:
    """One op."""
    review_report()


def launch_of(
    day: date, area: str, decision: str, note: str, reviewer: str, tags: dict[str, str]
) -> ReviewLaunch:
    """The job with its form filled in."""
    form = dict(zip(FORM, (day.isoformat(), area, decision, note, reviewer), strict=True))
    return ReviewLaunch("review", ops={OP: {"config": form}}, named=tags)


def words(outcome: Outcome) -> str:
    """What came of the review, in one line."""
    review = outcome.review
    said = f"{TITLES[review.area]} of {review.day} closed by {review.reviewer}: {review.decision.value}"
    if outcome.run_id:
        return f"{said}; trained in run {outcome.run_id[:8]}"
    if outcome.version:
        return f"{said}; {outcome.version} serves again"
    return said if review.decision is Decision.KEEP else f"{said}; done before"


def traces(outcome: Outcome) -> list[dg.AssetObservation | dg.AssetMaterialization]:
    """The review on its report's page in the UI, and a step back on the champion's."""
    review = outcome.review
    told: list[dg.AssetObservation | dg.AssetMaterialization] = [
        dg.AssetObservation(
            MONITORING[review.area],
            partition=review.day.isoformat(),
            description=words(outcome),
            metadata={
                "review": review.review_id,
                "decision": review.decision.value,
                "reviewer": review.reviewer,
                "note": review.note or "none",
                "training": outcome.run_id or "none",
            },
        )
    ]
    if outcome.version:
        told.append(
            dg.AssetMaterialization(
                CHAMPION,
                description=words(outcome),
                metadata={"version": outcome.version, "review": review.review_id},
            )
        )
    return told


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        # Without the cause: an alert tells the innermost one's words.
        raise SegueError(f"expected a day as YYYY-MM-DD, found {text!r}") from None
