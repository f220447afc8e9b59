with source as (
    {{ read_lake(source('serving', 'recommendations')) }}
)

select
    request_id,
    user_id,
    surface,
    rank,
    track_id,
    score,
    propensity,
    sources,
    reasons,
    model_version,
    state_day,
    valid_on,
    day as known_on,
from source
