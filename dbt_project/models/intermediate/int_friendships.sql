with known as (
    select * from {{ ref('stg_friendships') }}
    where known_on < {{ end_day() }}
)

select
    user_id,
    friend_id,
    min(known_on) as first_known_on,
from known
group by user_id, friend_id
order by user_id, friend_id
