with source as (
    {{ read_lake(source('raw', 'listens'), places=true) }}
)

select
    listen_id,
    user_id,
    track_id,
    played_at,
    ms_played,
    surface,
    session_id,
    request_id,
    known_at,
    day as known_on,
    file,
    record,
from source
