"""Five reports a day, one asset an area.

Belongs here: which report reads what, its check and metadata. Does not belong here: judging or drawing
(monitoring).
"""

from collections.abc import Callable
from datetime import timedelta

import dagster as dg
import duckdb
import pyarrow as pa

from ml.serving.batch import DAILY, read_features, read_recommendations
from ml.state.day_facts import catalogue_size, listens_between, outcomes_of, popular_tracks
from monitoring import (
    data_quality,
    embedding_drift,
    feature_drift,
    ranking_quality,
    score_drift,
)
from monitoring.areas import TITLES, AreaReport, Verdict
from monitoring.index import INDEX, write_index
from monitoring.key_figures import series_of
from monitoring.measures import DATA_QUALITY
from monitoring.profile import daily_profiles, head_tracks
from monitoring.reports import history, recent_reports
from orchestration.alerting import tell_of_act
from orchestration.defs.monitoring.inputs import Watched, watched
from orchestration.groups import in_group
from orchestration.keys import (
    CHAMPION,
    LISTENS_MODEL,
    LISTS_IN_FORCE,
    MONITORING,
    OUTCOMES,
    RECOMMENDATIONS,
    WAREHOUSE_POOL,
)
from orchestration.partitions import DAYS, ONE_RANGE, run_periods
from orchestration.plots import figures_markdown
from orchestration.report_links import report_url
from orchestration.resources import HomeResource, RegistryResource, WarehouseResource
from orchestration.settings import Settings
from orchestration.storing import store_numbers

Connection = duckdb.DuckDBPyConnection
CHECK = "verdict_is_not_act"
_CHECKED = (
    "The report asks for no decision. Fails as a warning: a drifting world is no fault of the run."
)
_POPULAR = 20
_NO_SCORES = pa.table({"rank": pa.array([], pa.int32()), "score": pa.array([], pa.float64())})


def _data_quality(on: Watched, connection: Connection) -> AreaReport:
    today, then = on.listens(connection)
    head = head_tracks(then)
    profile = daily_profiles(today, head, days=(on.day,))[0]
    days = daily_profiles(then, head)
    limits = on.calibration(
        DATA_QUALITY, lambda seed: data_quality.calibration_of(then, days, head, seed)
    )
    return data_quality.report(today, profile, then, days, on.target, limits)


def _feature_drift(on: Watched, connection: Connection) -> AreaReport:  # noqa: ARG001
    nothing = pa.table({})
    today = read_features(on.settings.recommendations, on.made_on)
    known = history(on.settings.reports, "feature_drift", on.day, on.target.model_version)
    return feature_drift.report(
        on.day,
        nothing if today is None else today,
        on.reference_features() or nothing,
        on.gain(),
        known,
        on.target,
    )


def _embedding_drift(on: Watched, connection: Connection) -> AreaReport:
    today, then = on.listens(connection)
    vectors = on.vectors(connection)
    reference = embedding_drift.reference_of(then, vectors)
    limits = on.calibration(
        reference.panel, lambda seed: embedding_drift.calibration_of(reference, vectors, seed)
    )
    return embedding_drift.report(on.day, today, reference, vectors, on.target, limits)


def _score_drift(on: Watched, connection: Connection) -> AreaReport:  # noqa: ARG001
    lists = read_recommendations(on.settings.recommendations, on.made_on)
    known = history(on.settings.reports, "score_drift", on.day, on.target.model_version)
    today = _NO_SCORES if lists is None else lists.select(["rank", "score"])
    reference = on.reference_scores()
    return score_drift.report(
        on.day,
        today,
        _NO_SCORES if reference is None else reference,
        known,
        on.target,
    )


def _ranking_quality(on: Watched, connection: Connection) -> AreaReport:
    lists = read_recommendations(on.settings.recommendations, on.day - timedelta(days=1))
    outcomes = outcomes_of(connection, on.day)
    today = listens_between(connection, on.day, on.end)
    streams = today.filter(today["is_stream"]).select(["user_id", "track_id"])
    judged = outcomes if len(outcomes) else (DAILY.empty_table() if lists is None else lists)
    return ranking_quality.report(
        on.day,
        judged,
        streams,
        catalogue_size(connection, on.day),
        popular_tracks(connection, on.day, _POPULAR),
        history(on.settings.reports, "ranking_quality", on.day),
        on.target,
        on.open_until(connection),
        on.meaning_of_scores(connection, outcomes),
    )


_QUESTIONS = {
    "data_quality": "Are the day's listens what they usually are?",
    "feature_drift": "Do the ranker's inputs look like those it was trained with?",
    "embedding_drift": "Do listeners play in the same region of the catalogue, and stay themselves?",
    "score_drift": "Does the ranker speak in the same voice as on its first day?",
    "ranking_quality": "Did the lists in force name what was played on the day?",
}
_DEPS: dict[str, list[dg.AssetKey]] = {
    "data_quality": [LISTENS_MODEL, CHAMPION],
    "feature_drift": [RECOMMENDATIONS, CHAMPION],
    "embedding_drift": [LISTENS_MODEL, CHAMPION],
    "score_drift": [RECOMMENDATIONS, CHAMPION],
    "ranking_quality": [OUTCOMES, LISTENS_MODEL, LISTS_IN_FORCE],
}


def verdict_check(report: AreaReport) -> dg.AssetCheckResult:
    """Fails as a warning when the report asks for a decision."""
    return dg.AssetCheckResult(
        passed=report.verdict is not Verdict.ACT,
        check_name=CHECK,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"verdict": report.verdict.value, "reasons": "; ".join(report.reasons) or "none"},
    )


def described(report: AreaReport, settings: Settings) -> dict[str, object]:
    """The verdict first, then why, then where to read."""
    reasons = "\n".join(f"* {reason}" for reason in report.reasons) or "* nothing unusual"
    recent = recent_reports(settings.reports, report.area, report.day)
    shown = series_of(report.area, recent)
    # Numbers of their own: the UI plots them over the partitions.
    today = {one.figure.measure: one.values[-1] for one in shown if one.days[-1] == report.day}
    return {
        "verdict": report.verdict.value,
        "why": dg.MetadataValue.md(f"**{report.verdict.value}** ({report.status})\n\n{reasons}"),
        "key_figures": dg.MetadataValue.md(figures_markdown(shown)),
        "report": dg.MetadataValue.url(report_url(settings, report.html)),
        "all_days": dg.MetadataValue.url(report_url(settings, settings.reports / INDEX)),
        "file": dg.MetadataValue.path(str(report.html)),
        "kilobytes": report.kilobytes,
        "model_version": report.model_version or "none",
        **today,
    }


def _area(area: str, write: Callable[[Watched, Connection], AreaReport]) -> dg.AssetsDefinition:
    key = MONITORING[area]

    @dg.asset(
        key=key,
        **in_group("monitoring"),
        description=f"{TITLES[area]}. {_QUESTIONS[area]} A page with a verdict that a person reviews.",
        kinds={"evidently"},
        deps=_DEPS[area],
        partitions_def=DAYS,
        backfill_policy=ONE_RANGE,
        pool=WAREHOUSE_POOL,
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key, description=_CHECKED)],
    )
    def report_of_the_day(
        context: dg.AssetExecutionContext,
        home: HomeResource,
        registry: RegistryResource,
        warehouse: WarehouseResource,
    ) -> dg.MaterializeResult:
        for period in run_periods(context):
            with warehouse.writer() as connection:
                report = write(watched(home.settings, registry, period), connection)
                store_numbers(connection, report)
            tell_of_act(home.settings, report, home.now())
        write_index(home.settings.reports)
        return dg.MaterializeResult(
            metadata=described(report, home.settings), check_results=[verdict_check(report)]
        )

    return report_of_the_day


data_quality_report = _area("data_quality", _data_quality)
feature_drift_report = _area("feature_drift", _feature_drift)
embedding_drift_report = _area("embedding_drift", _embedding_drift)
score_drift_report = _area("score_drift", _score_drift)
ranking_quality_report = _area("ranking_quality", _ranking_quality)
