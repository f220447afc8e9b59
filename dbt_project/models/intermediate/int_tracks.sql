{{ config(post_hook="{{ close_range() }}") }}

with versions as (
    select * from {{ ref('stg_tracks') }}
    where known_on < {{ end_day() }}
),

listens as (
    {{ seen_in_listens('track_id', ref('int_listens')) }}
),

latest as (
    select * from versions
    qualify row_number() over (
        partition by track_id order by known_at desc, title, album, artist_id
    ) = 1
),

sightings as (
    select track_id, known_at, known_on from versions
    union all
    select track_id, known_at, known_on from listens
),

first_known as (
    select track_id, min(known_on) as first_known_on, min(known_at) as first_known_at
    from sightings
    group by track_id
)

select
    first_known.track_id,
    latest.title,
    latest.artist_id,
    latest.artist_name,
    latest.album,
    latest.released_on,
    latest.duration_ms,
    latest.explicit,
    latest.genres,
    latest.tags,
    latest.tempo,
    latest.energy,
    latest.valence,
    latest.danceability,
    latest.acousticness,
    latest.instrumentalness,
    latest.loudness,
    coalesce(latest.known_at, first_known.first_known_at) as known_at,
    first_known.first_known_on,
    first_known.first_known_at,
from first_known
left join latest using (track_id)
order by first_known.first_known_on, first_known.track_id
