-- No listen of the range has the id of any older listen. Ingestion promises it; that the range holds no id
-- twice is checked beside the model.
select earlier.listen_id, earlier.known_on
from {{ ref('int_listens') }} as earlier
where
    earlier.known_on < {{ start_day() }}
    and earlier.listen_id in (
        select listen_id from {{ ref('int_listens') }} where {{ in_range('known_on') }}
    )
