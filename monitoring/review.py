"""Reports stay open until a person reviews them: the list of open ones and the record of reviews.

Belongs here: reports/reviews.jsonl, append-only, one line per review. Does not belong here: what a
decision sets in motion (orchestration).
"""

import fcntl
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from ml.errors import SegueError
from ml.lines import append_line, whole_objects
from monitoring.areas import AREAS, AreaReport
from monitoring.reports import day_folder, read_reports

REVIEWS = "reviews.jsonl"


class ReviewError(SegueError):
    """A review that cannot be recorded."""


class Decision(StrEnum):
    """What a person decides about the champion after reading a report."""

    KEEP = "keep"
    RETRAIN = "retrain"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Review:
    """A recorded review; `review_id` is `<day>/<area>`, so a report is reviewed once."""

    review_id: str
    day: date
    area: str
    verdict: str
    decision: Decision
    note: str
    reviewer: str
    at: datetime


def open_reports(reports: Path) -> tuple[AreaReport, ...]:
    """Reports that no review names: act, then watch, then ok; the newest day first in each."""
    return open_among(read_reports(reports), read_reviews(reports))


def open_among(reports: Sequence[AreaReport], reviews: Sequence[Review]) -> tuple[AreaReport, ...]:
    """Those of the reports that no review names, in the order of `open_reports`."""
    closed = {one.review_id for one in reviews}
    waiting = [one for one in reports if review_id(one.day, one.area) not in closed]
    return tuple(
        sorted(
            waiting,
            key=lambda one: (-one.verdict.rank, -one.day.toordinal(), AREAS.index(one.area)),
        )
    )


def read_reviews(reports: Path) -> tuple[Review, ...]:
    """Every recorded review in the order of recording.

    A line cut short by a killed process was never confirmed to anybody and is passed over.
    """
    path = reports / REVIEWS
    if not path.exists():
        return ()
    return tuple(_parsed(record) for record in whole_objects(path.read_bytes()))


def record_review(
    reports: Path,
    day: date,
    area: str,
    decision: str,
    note: str,
    reviewer: str,
    at: datetime,
) -> Review:
    """Close a report with a decision and return the review.

    The same decision again returns the first record. Raises ReviewError for an unknown decision or
    report, a time without a zone, or a report already closed with another decision.
    """
    review = prospective(reports, day, area, decision, note, reviewer, at)
    path = reports / REVIEWS
    with path.open("a+b") as file:
        # Two reviewers at once: the lock makes look-up and append one step.
        fcntl.flock(file, fcntl.LOCK_EX)
        for earlier in read_reviews(reports):
            if earlier.review_id == review.review_id:
                return _same(earlier, review)
        append_line(file, json.dumps(_record(review), sort_keys=True))
    return review


def prospective(
    reports: Path, day: date, area: str, decision: str, note: str, reviewer: str, at: datetime
) -> Review:
    """The review that `record_review` would record, or the same decision's earlier record.

    Nothing is written: a decision with consequences is checked before they begin. Raises as
    `record_review` does, and for a `retrain` or `rollback` without a note.
    """
    _check_asked(reports, day, area, decision, at)
    found = next(one for one in read_reports(reports) if (one.day, one.area) == (day, area))
    review = Review(
        review_id(day, area),
        day,
        area,
        found.verdict.value,
        Decision(decision),
        note,
        reviewer,
        at,
    )
    for earlier in read_reviews(reports):
        if earlier.review_id == review.review_id:
            return _same(earlier, review)
    if review.decision is not Decision.KEEP and not note.strip():
        raise ReviewError(
            f"expected a note that says why {decision}, found none: "
            f"run `segue review {day} {area} --decision {decision} --note WHY`"
        )
    return review


def _check_asked(reports: Path, day: date, area: str, decision: str, at: datetime) -> None:
    """Refuse what no review can be: of no report, with no decision, at no instant."""
    if decision not in tuple(Decision):
        raise ReviewError(
            f"expected a decision of {', '.join(Decision)}, found {decision!r}: "
            f"run `segue review {day} {area} --decision keep`"
        )
    if at.tzinfo is None:
        raise ReviewError(f"expected the time of review with a zone, found {at}")
    if area not in AREAS or not (day_folder(reports, day) / f"{area}.json").exists():
        raise ReviewError(
            f"expected a report, found none for {area} on {day}: run `segue review` to list "
            "what is open"
        )


def _same(earlier: Review, review: Review) -> Review:
    if earlier.decision is not review.decision:
        raise ReviewError(
            f"{review.area} of {review.day} was closed with {earlier.decision.value!r} by "
            f"{earlier.reviewer} at {earlier.at:%Y-%m-%d %H:%M}, found {review.decision.value!r}: "
            "a review stands; decide on the next report, or run `segue run train` or "
            "`segue rollback` now"
        )
    return earlier


def review_id(day: date, area: str) -> str:
    """The name of a report's review."""
    return f"{day}/{area}"


def _record(review: Review) -> dict[str, str]:
    return {
        "review_id": review.review_id,
        "day": review.day.isoformat(),
        "area": review.area,
        "verdict": review.verdict,
        "decision": review.decision.value,
        "note": review.note,
        "reviewer": review.reviewer,
        "at": review.at.isoformat(),
    }


def _parsed(record: Mapping[str, str]) -> Review:
    return Review(
        record["review_id"],
        date.fromisoformat(record["day"]),
        record["area"],
        record["verdict"],
        Decision(record["decision"]),
        record["note"],
        record["reviewer"],
        datetime.fromisoformat(record["at"]),
    )


def counts(reports: Sequence[AreaReport]) -> dict[str, int]:
    """How many reports ask for what, for a one-line summary."""
    return {
        verdict: sum(one.verdict.value == verdict for one in reports)
        for verdict in ("act", "watch", "ok")
    }
