"""The groups of the graph: what each is for, and the words that its assets carry in the UI.

Belongs here: groups, tags and the owner. Does not belong here: what a single asset is (the assets).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.keys import OWNER


@dataclass(frozen=True, slots=True)
class Group:
    """`domain` is the part of the graph, `stage` the job that makes the group (history is made by
    `bootstrap` once and by `daily` from then on)."""

    domain: str
    stage: str
    purpose: str


GROUPS: Mapping[str, Group] = {
    "raw": Group("data", "daily", "What arrived on a day, judged row by row and kept as Parquet."),
    "staging": Group(
        "data", "daily", "The raw tables as views, with the day each row became known."
    ),
    "intermediate": Group(
        "data", "daily", "Listens with session and artist; latest tracks and users."
    ),
    "features": Group(
        "data", "daily", "What is known of listeners and tracks at the end of a day."
    ),
    "marts": Group(
        "data", "daily", "A day in figures, and what became of the lists that were shown."
    ),
    "embeddings": Group("model", "train", "Track texts, the text encoder and its vectors."),
    "candidates": Group(
        "model", "train", "Which tracks come into question, and how many are missed."
    ),
    "ranking": Group("model", "train", "In which order they are shown: examples and rankers."),
    "evaluation": Group(
        "model", "train", "How good the new models are, against everything simpler."
    ),
    "registry": Group(
        "model", "train", "Whether the new model may serve, why, and which one serves."
    ),
    "serving": Group("answers", "daily", "The lists of the day, made by the model that serves."),
    "monitoring": Group(
        "monitoring", "daily", "Five reports a day, each with a verdict to review."
    ),
}
# Metadata of every asset: groups have no page of their own words in Dagster 1.13.
PURPOSE = "what this group is for"


def in_group(name: str) -> dict[str, Any]:
    """What every asset of a group is declared with: group, owner, tags, and what the group is for."""
    return {"group_name": name, "owners": [OWNER], "tags": tags_of(name), "metadata": told_of(name)}


def tags_of(name: str) -> dict[str, str]:
    """Tags by which the catalogue is filtered."""
    return {"domain": GROUPS[name].domain, "stage": GROUPS[name].stage}


def told_of(name: str) -> dict[str, str]:
    """Metadata of the definition."""
    return {PURPOSE: GROUPS[name].purpose}
