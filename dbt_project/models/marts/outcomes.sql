{{ config(pre_hook="{{ open_range('valid_on') }}") }}

with recommendations as (
    select * from {{ ref('stg_recommendations') }}
    where {{ in_range('valid_on') }} and {{ in_range('known_on + 1') }}
),

listens as (
    select * from {{ ref('int_listens') }}
    where
        {{ in_range('known_on') }}
        and {{ instant_epoch('played_at') }} >= {{ midnight_epoch('known_on') }}
),

impressions as (
    select distinct request_id, track_id
    from {{ ref('stg_impressions') }}
    where {{ in_range('known_on') }}
),

heard as (
    select user_id, track_id, known_on, count(*) filter (where is_stream) as streams,
        count(*) filter (where is_skip) as skips
    from listens
    group by user_id, track_id, known_on
),

clicks as (
    select distinct request_id, track_id
    from listens
    where request_id is not null
),

first_heard as (
    select user_id, track_id, min(valid_from) as heard_from
    from {{ ref('feat_user_tracks') }}
    where (user_id, track_id) in (select user_id, track_id from recommendations)
    group by user_id, track_id
)

select
    recommendations.valid_on,
    recommendations.request_id,
    recommendations.user_id,
    recommendations.surface,
    recommendations.rank,
    recommendations.track_id,
    recommendations.score,
    recommendations.propensity,
    recommendations.model_version,
    coalesce(heard.streams, 0) as streams,
    coalesce(heard.skips, 0) as skips,
    coalesce(heard.streams, 0) > 0 as is_hit,
    coalesce(first_heard.heard_from <= recommendations.valid_on, false) as is_repeat,
    impressions.track_id is not null as is_shown,
    clicks.track_id is not null as is_clicked,
from recommendations
left join heard
    on recommendations.user_id = heard.user_id
    and recommendations.track_id = heard.track_id
    and recommendations.valid_on = heard.known_on
left join first_heard
    on recommendations.user_id = first_heard.user_id
    and recommendations.track_id = first_heard.track_id
left join impressions
    on recommendations.request_id = impressions.request_id
    and recommendations.track_id = impressions.track_id
left join clicks
    on recommendations.request_id = clicks.request_id
    and recommendations.track_id = clicks.track_id
order by recommendations.valid_on, recommendations.request_id, recommendations.rank
