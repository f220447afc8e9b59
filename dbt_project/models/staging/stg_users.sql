with source as (
    {{ read_lake(source('raw', 'users')) }}
)

select
    user_id,
    country,
    birth_year,
    signed_up_on,
    known_at,
    day as known_on,
from source
