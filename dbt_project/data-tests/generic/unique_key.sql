{# The columns together name one row, and none of them is null. `since` is a day expression: only
   rows of the range being built are checked, older ones were when they were built. #}
{% test unique_key(model, columns, since=none) %}
with checked as (
    select {{ columns | join(', ') }}
    from {{ model }}
    {% if since -%}
    where {{ in_range(since) }}
    {%- endif %}
),

-- Keys of equal hash are few, where there are any: the keys themselves are counted among these alone.
suspects as (
    select hash({{ columns | join(', ') }}) as digest
    from checked
    group by digest
    having count(*) > 1
)

select {{ columns | join(', ') }}, count(*) as copies
from checked
where
    hash({{ columns | join(', ') }}) in (select digest from suspects)
    {% for column in columns -%}
    or {{ column }} is null
    {% endfor %}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in columns -%}
    or {{ column }} is null
    {% endfor %}
{% endtest %}
