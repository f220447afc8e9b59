"""When monitoring asks for a new model: one pure function for the sensor.

Belongs here: the rule. Does not belong here: starting the training (orchestration) or promoting its
result (ml.registry): a retrained model still passes the gate.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from monitoring.areas import TITLES, AreaReport, Verdict
from monitoring.review import Decision, Review

# A fault in the data is mended at its source: training on it would make it permanent.
RETRAINING_AREAS = ("feature_drift", "score_drift", "ranking_quality")
# After a training its model is given this many days before reports may ask for the next one, and after a
# review the area as many before its reports count again.
COOL_DOWN_DAYS = 3


def retraining_wanted(
    reports: Sequence[AreaReport],
    reviews: Sequence[Review],
    last_training_day: date | None,
    answered: Collection[str] = (),
) -> str | None:
    """Why a training is wanted, or None.

    Wanted when a review of a later day than the last training decides `retrain`, or when one of
    RETRAINING_AREAS says `act` COOL_DOWN_DAYS or more after it: `act` stands for two windows already
    (monitoring.verdict). `last_training_day` is the last data day of the latest training, promoted or
    not (None = none yet: every day counts). A review quiets its area for as long, from the report's day
    on: a person has looked. Reviews whose ids are `answered` have their training and ask for no other.
    """
    open_ = [one for one in reviews if one.review_id not in answered]
    latest = latest_retrain(open_, last_training_day)
    if latest is not None:
        return f"{latest.reviewer} decided to retrain after {latest.area} of {latest.day}"
    asking = [
        one
        for one in reports
        if one.area in RETRAINING_AREAS
        and one.verdict is Verdict.ACT
        and _is_rested(one.day, last_training_day)
        and not any(_quiets(review, one) for review in reviews)
    ]
    if not asking:
        return None
    first = min(asking, key=lambda one: (one.day, RETRAINING_AREAS.index(one.area)))
    return f"{TITLES[first.area]} of {first.day} said act"


def _quiets(review: Review, report: AreaReport) -> bool:
    since = (report.day - review.day).days
    return review.area == report.area and 0 <= since < COOL_DOWN_DAYS


def _is_rested(day: date, last_training_day: date | None) -> bool:
    return last_training_day is None or day >= last_training_day + timedelta(days=COOL_DOWN_DAYS)


def latest_retrain(reviews: Sequence[Review], last_training_day: date | None) -> Review | None:
    """The latest review that decides `retrain` for a day later than the last training; None = none."""
    since = last_training_day or date.min
    asked = [one for one in reviews if one.decision is Decision.RETRAIN and one.day > since]
    return max(asked, key=lambda one: (one.day, one.at), default=None)
