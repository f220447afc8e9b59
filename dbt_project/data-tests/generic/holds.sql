{# Every expression is true of every row; an unknown one (null) counts as broken. `since` is a day
   expression: only rows of the range being built are checked. #}
{% test holds(model, expressions, since=none) %}
select *
from {{ model }}
where
    {% if since -%}
    {{ in_range(since) }} and
    {% endif -%}
    not coalesce(
        {% for expression in expressions -%}
        ({{ expression }}) {{ 'and ' if not loop.last }}
        {%- endfor %},
        false
    )
{% endtest %}
