{{ config(pre_hook="{{ open_range('known_on') }}") }}

with days as (
    select cast(known_on as date) as known_on
    from generate_series({{ start_day() }}, {{ end_day() }} - 1, interval 1 day) as day (known_on)
),

listens as (
    select * from {{ ref('int_listens') }}
    where {{ in_range('known_on') }}
),

totals as (
    select
        known_on,
        count(*) as listens,
        count(distinct user_id) as listeners,
        count(distinct track_id) as tracks,
        count(*) filter (where is_stream) as streams,
        count(*) filter (where is_skip) as skips,
        count(*) filter (where not is_first) as repeats,
        count(*) filter (where is_first) as new_tracks,
        count(*) filter (where position = 0) as sessions,
        count(*) filter (where request_id is not null) as requested_listens,
        count(*) filter (
            where {{ midnight_epoch('known_on') }} > {{ instant_epoch('played_at') }}
        ) as late_listens,
        coalesce(sum(ms_played), 0) / 3.6e6 as hours_played,
    from listens
    group by known_on
)

select
    days.known_on,
    coalesce(totals.listens, 0) as listens,
    coalesce(totals.listeners, 0) as listeners,
    coalesce(totals.tracks, 0) as tracks,
    coalesce(totals.streams, 0) as streams,
    coalesce(totals.skips, 0) as skips,
    totals.skips / totals.listens as skip_rate,
    totals.repeats / totals.listens as repeat_share,
    coalesce(totals.new_tracks, 0) as new_tracks,
    coalesce(totals.sessions, 0) as sessions,
    coalesce(totals.requested_listens, 0) as requested_listens,
    coalesce(totals.late_listens, 0) as late_listens,
    coalesce(totals.hours_played, 0) as hours_played,
from days
left join totals using (known_on)
order by days.known_on
