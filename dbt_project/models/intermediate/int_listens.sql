{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    on_schema_change='fail',
    full_refresh=false,
    pre_hook="{{ open_range('known_on', reads=none) }}",
    post_hook="{{ close_range() }}",
) }}

-- Windows over strings or intervals cost two to three times those over integers: a listen goes by its
-- place in the order of arrival, a listener by their first listen of the range, an instant by its
-- microseconds. Places are counted within a known day, each given room for 2^32 listens: sorting the
-- days apart takes a third less memory.
with arrivals as (
    select
        *,
        (known_on - {{ start_day() }}) * 4294967296 + row_number() over (
            partition by known_on order by played_at, listen_id
        ) as arrival,
    from {{ ref('stg_listens') }}
    where {{ in_range('known_on') }}
),

listeners as (
    select user_id, min(arrival) as listener
    from arrivals
    group by user_id
),

-- The pre-hook has deleted the range: what the table holds was known before it.
history as (
    {% if is_incremental() -%}
    select listeners.listener, earlier.*
    from {{ this }} as earlier
    inner join listeners using (user_id)
    {%- else -%}
    select
        cast(null as bigint) as listener,
        *,
        cast(null as integer) as position,
        cast(null as timestamp with time zone) as run_started_at,
    from arrivals
    where false
    {%- endif %}
),

-- Where a listener's last derived session stands: it may go on in the range.
last_heard as (
    select
        listener,
        max(known_on) as known_on,
        {{ instant_micros('max(played_at)') }} as heard_at,
        {{ instant_micros('max_by(run_started_at, played_at)') }} as run_started,
        cast(0 as bigint) as arrival,
    from history
    where run_started_at is not null
    group by listener
),

unsessioned as (
    select
        listeners.listener,
        arrivals.arrival,
        arrivals.known_on,
        {{ instant_micros('arrivals.played_at') }} as heard_at,
        cast(null as bigint) as run_started,
    from arrivals
    inner join listeners using (user_id)
    where arrivals.session_id is null
    union all by name
    select * from last_heard
),

known_days as (
    select
        listener,
        known_on,
        max(max(heard_at)) over (
            partition by listener order by known_on
            rows between unbounded preceding and 1 preceding
        ) as heard_until,
    from unsessioned
    group by listener, known_on
),

-- Late is what was played before something that an earlier day already knew. The late listens of one
-- known day form runs of their own and never join, split or move an earlier session.
queued as (
    select
        unsessioned.*,
        case when heard_at < heard_until then known_on end as late_on,
    from unsessioned
    inner join known_days using (listener, known_on)
),

spaced as (
    select
        *,
        lag(heard_at) over (
            partition by listener, late_on order by arrival
        ) as previously_heard_at,
    from queued
),

runs as (
    select
        * exclude (run_started),
        max(
            case
                when previously_heard_at is null then coalesce(run_started, heard_at)
                when heard_at - previously_heard_at > {{ 30 * 60 * 1000000 }} then heard_at
            end
        ) over (
            partition by listener, late_on order by arrival rows unbounded preceding
        ) as run_started,
    from spaced
),

-- A run longer than twelve hours is cut into sessions of twelve hours.
slices as (
    select
        *,
        (heard_at - run_started) // {{ 12 * 3600 * 1000000 }} as slice,
    from runs
    where arrival > 0
),

-- Windows and joins carry only what they need; the listens themselves are joined last.
sessions as (
    select
        arrival,
        run_started,
        slice,
        late_on,
        row_number() over (
            partition by listener, late_on, run_started, slice order by arrival
        ) - 1 as place,
    from slices
    union all
    select
        arrivals.arrival,
        cast(null as bigint) as run_started,
        cast(null as bigint) as slice,
        cast(null as date) as late_on,
        row_number() over (
            partition by listeners.listener, arrivals.session_id order by arrivals.arrival
        ) - 1 as place,
    from arrivals
    inner join listeners using (user_id)
    where arrivals.session_id is not null
),

sessioned as (
    select
        arrivals.* exclude (session_id),
        coalesce(
            arrivals.session_id,
            concat_ws(
                '/', user_id, run_started // 1000000, slice, 'late-' || late_on
            )
        ) as session_id,
        {{ instant_of_micros('sessions.run_started') }} as run_started_at,
        sessions.place,
    from arrivals
    inner join sessions using (arrival)
),

-- The artist is the one known by the end of the listen's own known day.
track_versions as (
    select
        track_id,
        artist_id,
        known_on,
        lead(known_on, 1, date '9999-12-31') over (
            partition by track_id order by known_on
        ) as replaced_on,
    from {{ ref('stg_tracks') }}
    where known_on < {{ end_day() }} and track_id in (select track_id from arrivals)
    qualify row_number() over (
        partition by track_id, known_on
        order by known_at desc, title, album, artist_id
    ) = 1
),

first_of_pair as (
    select min(arrival) as arrival
    from arrivals
    where (user_id, track_id) not in (select (user_id, track_id) from history)
    group by user_id, track_id
),

earlier_sessions as (
    select user_id, session_id, max(position) + 1 as listens
    from history
    group by user_id, session_id
)

select
    sessioned.listen_id,
    sessioned.user_id,
    sessioned.track_id,
    track_versions.artist_id,
    sessioned.played_at,
    sessioned.ms_played,
    sessioned.surface,
    sessioned.request_id,
    sessioned.known_at,
    sessioned.known_on,
    sessioned.session_id,
    cast(coalesce(earlier_sessions.listens, 0) + sessioned.place as integer) as position,
    coalesce(sessioned.ms_played >= 30000, true) as is_stream,
    coalesce(sessioned.ms_played < 30000, false) as is_skip,
    sessioned.arrival in (select arrival from first_of_pair) as is_first,
    sessioned.run_started_at,
from sessioned
left join earlier_sessions using (user_id, session_id)
left join track_versions
    on sessioned.track_id = track_versions.track_id
    and sessioned.known_on >= track_versions.known_on
    and sessioned.known_on < track_versions.replaced_on
