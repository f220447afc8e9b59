"""The lists in force on a day: those the day before published.

Belongs here: the one asset that stands for them. Does not belong here: making them (defs/serving).
"""

import dagster as dg

from orchestration.keys import LISTS_IN_FORCE, OWNER, RECOMMENDATIONS
from orchestration.partitions import DAY_BEFORE, DAYS

lists_in_force = dg.AssetSpec(
    LISTS_IN_FORCE,
    group_name="serving",
    description=(
        "The lists that listeners see on the day: published by the run of the day before. "
        "Nothing is computed here; it ties the outcomes of a day to the recommendations they answer."
    ),
    owners=[OWNER],
    kinds={"parquet"},
    partitions_def=DAYS,
    deps=[dg.AssetDep(RECOMMENDATIONS, partition_mapping=DAY_BEFORE)],
)
