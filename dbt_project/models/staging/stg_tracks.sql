with source as (
    {{ read_lake(source('raw', 'tracks')) }}
)

select
    track_id,
    title,
    artist_id,
    artist_name,
    album,
    released_on,
    duration_ms,
    explicit,
    genres,
    tags,
    tempo,
    energy,
    valence,
    danceability,
    acousticness,
    instrumentalness,
    loudness,
    known_at,
    day as known_on,
from source
