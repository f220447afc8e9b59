-- No listen of the range has the id of any other listen, however old. Ingestion promises it.
select listen_id, count(*) as copies
from {{ ref('int_listens') }}
where
    listen_id in (select listen_id from {{ ref('int_listens') }} where {{ in_range('known_on') }})
group by listen_id
having count(*) > 1
