"""The lists in force on a day: those the day before published.

Belongs here: the one asset that stands for them. Does not belong here: making them (defs/serving).
"""

import dagster as dg

from orchestration.groups import in_group
from orchestration.keys import LISTS_IN_FORCE, RECOMMENDATIONS
from orchestration.partitions import DAY_BEFORE, DAYS

lists_in_force = dg.AssetSpec(
    LISTS_IN_FORCE,
    **in_group("serving"),
    description=(
        "The lists that listeners see on the day: published by the run of the day before. "
        "Nothing is computed here; it ties the outcomes of a day to the recommendations they answer."
    ),
    kinds={"parquet"},
    partitions_def=DAYS,
    deps=[dg.AssetDep(RECOMMENDATIONS, partition_mapping=DAY_BEFORE)],
)
