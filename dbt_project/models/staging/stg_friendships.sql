with source as (
    {{ read_lake(source('raw', 'friendships')) }}
)

select
    user_id,
    friend_id,
    known_at,
    day as known_on,
from source
