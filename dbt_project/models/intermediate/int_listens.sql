{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    on_schema_change='fail',
    full_refresh=false,
    pre_hook="{{ open_range('known_on', reads=none) }}",
    post_hook="{{ close_range() }}",
) }}

-- Windows over strings cost two to three times those over integers, and every column that a window carries
-- is sorted with it: a listener and a track go by a number of this run, an instant by its microseconds, and
-- the listens themselves are read a second time, last, by their file and record.
with {{ number_tables(['user_id', 'track_id'], ref('stg_listens')) }},

arrivals as (
    select
        file,
        record,
        listener,
        track,
        listen_id,
        session_id,
        {{ instant_micros('played_at') }} as heard_at,
        known_on,
    from {{ ref('stg_listens') }}
    {{ join_numbers(['user_id', 'track_id']) }}
    where {{ in_range('known_on') }}
),

-- The pre-hook has deleted the range: what the table holds was known before it.
history as not materialized (
    {% if is_incremental() -%}
    select * from {{ this }}
    {%- else -%}
    select
        * exclude (file, record),
        cast(null as integer) as position,
        true as is_first,
        cast(null as timestamp with time zone) as run_started_at,
    from {{ ref('stg_listens') }}
    where false
    {%- endif %}
),

-- Only what was played later than the longest gap before the range's earliest listen can make a listen
-- late or go on with it: of a long history a day reads its end.
recent as (
    select history.*
    from history
    where
        run_started_at is not null
        and played_at >= (
            select min(played_at) - interval 30 minutes
            from {{ ref('stg_listens') }}
            where {{ in_range('known_on') }}
        )
),

-- Where a listener's last derived session stands: it may go on in the range.
last_heard as (
    select
        listener,
        max(known_on) as known_on,
        {{ instant_micros('max(played_at)') }} as heard_at,
        {{ instant_micros('max_by(run_started_at, played_at)') }} as run_started,
    from recent
    inner join listener_numbers using (user_id)
    group by listener
),

-- Read anew: a relation that is used twice is kept whole in memory.
days_heard as (
    select listener, known_on, max({{ instant_micros('played_at') }}) as heard_at
    from {{ ref('stg_listens') }}
    inner join listener_numbers using (user_id)
    where {{ in_range('known_on') }} and session_id is null
    group by listener, known_on
    union all
    select listener, known_on, heard_at from last_heard
),

known_days as (
    select
        listener,
        known_on,
        max(heard_at) over (
            partition by listener order by known_on
            rows between unbounded preceding and 1 preceding
        ) as heard_until,
    from days_heard
),

-- Late is what was played before something that an earlier day already knew. The late listens of one
-- known day form runs of their own and never join, split or move an earlier session.
queued as (
    select
        arrivals.*,
        cast(null as bigint) as run_started,
        case when session_id is null and heard_at < heard_until then known_on end as late_on,
    from arrivals
    left join known_days using (listener, known_on)
    union all by name
    select *, cast(null as date) as late_on from last_heard
),

spaced as (
    select
        * exclude (listen_id),
        lag(heard_at) over in_order as previously_heard_at,
        row_number() over in_order as number,
        row_number() over (
            partition by listener, track order by known_on, heard_at, listen_id
        ) = 1 as is_first_of_range,
    from queued
    window in_order as (
        partition by listener, late_on, session_id order by known_on, heard_at, listen_id
    )
),

runs as (
    select
        * exclude (run_started, previously_heard_at),
        max(
            case
                when previously_heard_at is null then coalesce(run_started, heard_at)
                when heard_at - previously_heard_at > {{ 30 * 60 * 1000000 }} then heard_at
            end
        ) over (
            partition by listener, late_on, session_id order by number rows unbounded preceding
        ) as run_started,
    from spaced
),

-- A run longer than twelve hours is cut into sessions of twelve hours. Sessions that the source names
-- have no run.
slices as (
    select
        * exclude (run_started),
        case when session_id is null then run_started end as run_started,
        case
            when session_id is null then (heard_at - run_started) // {{ 12 * 3600 * 1000000 }}
        end as slice,
    from runs
    where record is not null
),

heard_before as (
    select distinct listener, track
    from history
    {{ join_numbers(['user_id', 'track_id']) }}
    where is_first
),

sessions as (
    select
        slices.file,
        slices.record,
        slices.run_started,
        slices.slice,
        slices.late_on,
        slices.is_first_of_range and heard_before.track is null as is_first,
        row_number() over (
            partition by slices.listener, late_on, session_id, run_started, slice order by number
        ) - 1 as place,
    from slices
    left join heard_before using (listener, track)
),

sessioned as (
    select
        arrivals.* exclude (session_id, file, record),
        coalesce(
            arrivals.session_id,
            concat_ws('/', user_id, run_started // 1000000, slice, 'late-' || late_on)
        ) as session_id,
        {{ instant_of_micros('sessions.run_started') }} as run_started_at,
        sessions.place,
        sessions.is_first,
    from {{ ref('stg_listens') }} as arrivals
    inner join sessions using (file, record)
    where {{ in_range('known_on') }}
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
    where known_on < {{ end_day() }} and track_id in (select track_id from track_numbers)
    qualify row_number() over (
        partition by track_id, known_on
        order by known_at desc, title, album, artist_id
    ) = 1
),

earlier_sessions as (
    select user_id, session_id, max(position) + 1 as listens
    from (
        select user_id, session_id, position from recent
        union all
        select user_id, session_id, position from history
        where
            run_started_at is null
            and session_id in (
                select session_id from {{ ref('stg_listens') }}
                where {{ in_range('known_on') }} and session_id is not null
            )
    )
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
    sessioned.is_first,
    sessioned.run_started_at,
from sessioned
left join earlier_sessions using (user_id, session_id)
left join track_versions
    on sessioned.track_id = track_versions.track_id
    and sessioned.known_on >= track_versions.known_on
    and sessioned.known_on < track_versions.replaced_on
