"""Every asset key that is not a dbt model's: [layer, noun].

Belongs here: names. Does not belong here: what they mean (the assets).
"""

import dagster as dg

RAW = {
    name: dg.AssetKey(["raw", name])
    for name in ("listens", "tracks", "users", "friendships", "impressions")
}

TRACK_DOCUMENTS = dg.AssetKey(["embeddings", "track_documents"])
TEXT_ENCODER = dg.AssetKey(["embeddings", "text_encoder"])
TRACK_VECTORS = dg.AssetKey(["embeddings", "track_vectors"])
CANDIDATE_MODELS = dg.AssetKey(["candidates", "candidate_models"])
CANDIDATE_RECALL = dg.AssetKey(["candidates", "candidate_recall"])
TRAINING_EXAMPLES = dg.AssetKey(["ranking", "training_examples"])
HOME_RANKER = dg.AssetKey(["ranking", "home_ranker"])
NOW_PLAYING_RANKER = dg.AssetKey(["ranking", "now_playing_ranker"])
EVALUATION_REPORT = dg.AssetKey(["evaluation", "evaluation_report"])
CHAMPION_COMPARISON = dg.AssetKey(["evaluation", "champion_comparison"])
PROMOTION_DECISION = dg.AssetKey(["registry", "promotion_decision"])
CHAMPION = dg.AssetKey(["registry", "champion"])
RECOMMENDATIONS = dg.AssetKey(["serving", "recommendations"])
# The lists of the day before, as the world and the warehouse see them: no step of its own, so that one
# dbt run can stand before and after the recommendations without being cut in two.
LISTS_IN_FORCE = dg.AssetKey(["serving", "lists_in_force"])
MONITORING = {
    name: dg.AssetKey(["monitoring", name])
    for name in (
        "data_quality",
        "feature_drift",
        "embedding_drift",
        "score_drift",
        "ranking_quality",
    )
}

LISTENS_MODEL = dg.AssetKey(["intermediate", "listens"])
TRACKS_MODEL = dg.AssetKey(["intermediate", "tracks"])
OUTCOMES = dg.AssetKey(["marts", "outcomes"])
STATE = (
    *(
        dg.AssetKey(["features", name])
        for name in ("user_tracks", "user_artists", "tracks", "users")
    ),
    dg.AssetKey(["intermediate", "friendships"]),
)

OWNER = "team:recommendations"
WAREHOUSE_POOL = "warehouse"
