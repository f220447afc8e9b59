{%- set keys = ['user_id'] -%}
with {{ number_tables(keys, ref('int_listens')) }},

listens as (
    select
        listener,
        known_on,
        is_stream,
        is_skip,
        is_first,
        position,
        played_at,
        {{ age_days('played_at', 'known_on') }} as age_days,
    from {{ ref('int_listens') }}
    {{ join_numbers(keys) }}
    where {{ in_range('known_on') }}
),

daily as (
    select
        listener,
        known_on + 1 as valid_from,
        count(*) as plays,
        count(*) filter (where is_stream) as streams,
        count(*) filter (where is_skip) as skips,
        count(*) filter (where position = 0) as sessions,
        count(*) filter (where is_first) as new_tracks,
        1 as active_days,
        max(played_at) as last_played_at,
        {{ day_sum('streams_h3', 'is_stream') }},
        {{ day_sum('streams_h22', 'is_stream') }},
        {{ day_sum('streams_h180', 'is_stream') }},
        {{ day_sum('plays_h22', 'true') }},
        {{ day_sum('skips_h22', 'is_skip') }},
        {{ day_sum('repeats_h22', 'not is_first') }},
    from listens
    group by listener, known_on
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
        valid_from,
        cast(sum(plays) over history as bigint) as plays,
        cast(sum(streams) over history as bigint) as streams,
        cast(sum(skips) over history as bigint) as skips,
        cast(sum(sessions) over history as bigint) as sessions,
        cast(sum(new_tracks) over history as bigint) as new_tracks,
        cast(sum(active_days) over history as bigint) as active_days,
        max(last_played_at) over history as last_played_at,
        {{ running_sum('streams_h3') }},
        {{ running_sum('streams_h22') }},
        {{ running_sum('streams_h180') }},
        {{ running_sum('plays_h22') }},
        {{ running_sum('skips_h22') }},
        {{ running_sum('repeats_h22') }},
    from changes
    window history as (
        partition by listener order by valid_from rows unbounded preceding
    )
)

select
    user_id,
    valid_from,
    plays,
    streams,
    skips,
    sessions,
    new_tracks,
    active_days,
    last_played_at,
    streams_h3,
    streams_h22,
    streams_h180,
    plays_h22,
    skips_h22,
    repeats_h22,
from state
{{ join_numbers(keys, back=true) }}
where valid_from > {{ start_day() }}
