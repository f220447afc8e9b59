{# The columns together name one row, and none of them is null. `since` is a day expression: only
   rows of the range being built are checked, older ones were when they were built. #}
{% test unique_key(model, columns, since=none) %}
select {{ columns | join(', ') }}, count(*) as copies
from {{ model }}
{% if since -%}
where {{ in_range(since) }}
{% endif -%}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {% for column in columns -%}
    or {{ column }} is null
    {% endfor %}
{% endtest %}
