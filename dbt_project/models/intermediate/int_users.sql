{{ config(post_hook="{{ close_range() }}") }}

with versions as (
    select * from {{ ref('stg_users') }}
    where known_on < {{ end_day() }}
),

listens as (
    {{ seen_in_listens('user_id', ref('int_listens')) }}
),

friendships as (
    select * from {{ ref('stg_friendships') }}
    where known_on < {{ end_day() }}
),

latest as (
    select * from versions
    qualify row_number() over (
        partition by user_id order by known_at desc, country, birth_year, signed_up_on
    ) = 1
),

sightings as (
    select user_id, known_at, known_on from versions
    union all
    select user_id, known_at, known_on from listens
    union all
    select user_id, known_at, known_on from friendships
    union all
    select friend_id, known_at, known_on from friendships
),

first_known as (
    select user_id, min(known_on) as first_known_on, min(known_at) as first_known_at
    from sightings
    group by user_id
)

select
    first_known.user_id,
    latest.country,
    latest.birth_year,
    latest.signed_up_on,
    coalesce(latest.known_at, first_known.first_known_at) as known_at,
    first_known.first_known_on,
    first_known.first_known_at,
from first_known
left join latest using (user_id)
order by first_known.first_known_on, first_known.user_id
