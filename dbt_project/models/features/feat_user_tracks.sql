{%- set keys = ['user_id', 'track_id'] -%}
with {{ number_tables(keys, ref('int_listens')) }},

listens as (
    select
        listener,
        track,
        known_on,
        is_stream,
        is_skip,
        played_at,
        {{ age_days('played_at', 'known_on') }} as age_days,
    from {{ ref('int_listens') }}
    {{ join_numbers(keys) }}
    where {{ in_range('known_on') }}
),

daily as (
    select
        listener,
        track,
        known_on + 1 as valid_from,
        count(*) as plays,
        count(*) filter (where is_stream) as streams,
        count(*) filter (where is_skip) as skips,
        min(played_at) as first_played_at,
        max(played_at) as last_played_at,
        {{ day_sum('streams_h1', 'is_stream') }},
        {{ day_sum('streams_h3', 'is_stream') }},
        {{ day_sum('streams_h8', 'is_stream') }},
        {{ day_sum('streams_h22', 'is_stream') }},
        {{ day_sum('streams_h63', 'is_stream') }},
        {{ day_sum('streams_h180', 'is_stream') }},
        {{ day_sum('skips_h8', 'is_skip') }},
    from listens
    group by listener, track, known_on
),

carried as (
    {{ carried(keys) }}
),

changes as (
    select * from daily
    union all by name
    select * from carried
),

state as (
    select
        listener,
        track,
        valid_from,
        cast(sum(plays) over history as bigint) as plays,
        cast(sum(streams) over history as bigint) as streams,
        cast(sum(skips) over history as bigint) as skips,
        min(first_played_at) over history as first_played_at,
        max(last_played_at) over history as last_played_at,
        {{ running_sum('streams_h1') }},
        {{ running_sum('streams_h3') }},
        {{ running_sum('streams_h8') }},
        {{ running_sum('streams_h22') }},
        {{ running_sum('streams_h63') }},
        {{ running_sum('streams_h180') }},
        {{ running_sum('skips_h8') }},
    from changes
    window history as (
        partition by listener, track order by valid_from rows unbounded preceding
    )
)

select
    user_id,
    track_id,
    valid_from,
    plays,
    streams,
    skips,
    first_played_at,
    last_played_at,
    streams_h1,
    streams_h3,
    streams_h8,
    streams_h22,
    streams_h63,
    streams_h180,
    skips_h8,
from state
{{ join_numbers(keys, back=true) }}
where valid_from > {{ start_day() }}
