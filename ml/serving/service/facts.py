"""The model in service in figures.

Belongs here: what /v1/model says. Does not belong here: which model serves (loading).
"""

from ml.ranking.judging import RANKER
from ml.serving.service.loading import Served


def model_facts(served: Served) -> dict[str, object]:
    """Fields of schemas.ModelAnswer."""
    facts, state = served.manifest.facts, served.recommender.state
    surfaces = {
        name: {
            "answered_by": "ranker" if model.ranker is not None else model.leader,
            "leader": model.leader,
            "strangers": "ranker" if model.strangers == RANKER else model.strangers,
            "generators": list(model.sources.generators),
            "features": len(model.ranker.names) if model.ranker is not None else 0,
        }
        for name, model in served.recommender.surfaces.items()
    }
    return {
        "model_version": served.version,
        "state_day": served.state_day,
        "valid_on": state.valid_on,
        "as_of": facts.as_of,
        "code_version": facts.code_version,
        "loaded_at": served.loaded_at,
        "tracks": state.catalogue.size,
        "listeners": len(state.user_ids),
        "text_queries": served.encoder is not None,
        "surfaces": surfaces,
    }
