"""How good the new models are against everything simpler.

Belongs here: the evaluation report. Does not belong here: metrics (ml.evaluation), rows of the warehouse
(figures, beside this module) or the comparison with the champion (comparison, beside this module).
"""

import dagster as dg

from ml.evaluation.table import to_markdown
from ml.files import replace_text
from ml.ranking.contexts import read_contexts
from ml.ranking.model import RankerParameters
from ml.ranking.report import PAGE, verdicts_markdown, write_report
from ml.ranking.run import TrainingRun, current_run
from ml.ranking.verdicts import evaluate, headline
from orchestration.defs.evaluation.figures import TABLE, table_metadata, tabulate
from orchestration.groups import in_group
from orchestration.keys import (
    CANDIDATE_RECALL,
    EVALUATION_REPORT,
    HOME_RANKER,
    LISTENS_MODEL,
    NOW_PLAYING_RANKER,
    STATE,
    TRACK_VECTORS,
    TRAINING_EXAMPLES,
    WAREHOUSE_POOL,
)
from orchestration.report_links import evaluation_page, report_url
from orchestration.resources import HomeResource, WarehouseResource
from orchestration.settings import Settings

_MODELS = (HOME_RANKER, NOW_PLAYING_RANKER)
THREADS = RankerParameters().threads


@dg.asset(
    key=EVALUATION_REPORT,
    **in_group("evaluation"),
    description=(
        "Rankers, every single generator and the baselines on the same test requests: metrics per "
        "request, then per user, with 95 % bootstrap intervals over users; by slice, on new tracks only, "
        "day by day, beyond accuracy, and what the rankers rest on. One page, and rows in evaluation.figures."
    ),
    kinds={"parquet"},
    deps=[
        TRAINING_EXAMPLES,
        CANDIDATE_RECALL,
        TRACK_VECTORS,
        LISTENS_MODEL,
        *_MODELS,
        *STATE,
    ],
    pool=WAREHOUSE_POOL,
)
def evaluation_report(home: HomeResource, warehouse: WarehouseResource):
    """Judge every model on the test days."""
    run = current_run(home.settings.training)
    with warehouse.reader() as connection:
        catalogue, contexts = read_contexts(connection, run)
    rows = evaluate(run, catalogue, contexts, THREADS)
    with warehouse.writer() as connection:
        written = tabulate(connection, run)
    test = run.plan.days("test")
    return dg.MaterializeResult(
        metadata={
            "verdict": dg.MetadataValue.md(verdicts_markdown(run)),
            "models": table_metadata(rows),
            "comparison": dg.MetadataValue.md(to_markdown(rows)),
            "test days": f"{test[0]} to {test[-1]}",
            f"rows in {TABLE}": written,
            **published(run, home.settings),
            **{name: value for name, value in headline(run).items() if "ndcg" in name},
        }
    )


def published(run: TrainingRun, settings: Settings) -> dict[str, dg.MetadataValue]:
    """Write the page, and a copy among the reports, where `segue ui` serves it; links to both."""
    page = write_report(run)
    served = evaluation_page(settings, run.plan.as_of)
    replace_text(served, page.read_text(encoding="utf-8"))
    return {
        "report": dg.MetadataValue.url(report_url(settings, served)),
        "file": dg.MetadataValue.path(str(run.evaluation / PAGE)),
    }
