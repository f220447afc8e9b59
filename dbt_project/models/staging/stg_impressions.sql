with source as (
    {{ read_lake(source('raw', 'impressions')) }}
)

select
    request_id,
    position,
    user_id,
    surface,
    shown_at,
    track_id,
    score,
    propensity,
    model_version,
    arm,
    known_at,
    day as known_on,
from source
