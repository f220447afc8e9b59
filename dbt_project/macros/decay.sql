{# Sums that halve every so many days. A column named *_h<days> carries its half-life in its name. #}

{% macro half_life(column) -%}
    {{- return(column.split('_h')[-1] | int) -}}
{%- endmacro %}

{# One known day's part of a decayed sum at valid_from 00:00 UTC. Fixed point, whole numbers of 1e-12: the
   sum of a group is the same in any order, so in any number of threads. #}
{% macro day_sum(column, condition) -%}
    sum(
        case when {{ condition }} then cast(pow(2, -age_days / {{ half_life(column) }}) * 1e12 as bigint) else 0 end
    ) / 1e12 as {{ column }}
{%- endmacro %}

{# The running decayed sum over the window `history`. Growth is measured from start_day: measured
   from a fixed day it would overflow to NaN within a few years. #}
{% macro running_sum(column) -%}
    sum({{ column }} * pow(2, (valid_from - {{ start_day() }})::double / {{ half_life(column) }}))
        over history
        * pow(2, -(valid_from - {{ start_day() }})::double / {{ half_life(column) }}) as {{ column }}
{%- endmacro %}

{# Days between an instant and the midnight at which the row becomes valid, whatever the time zone. #}
{% macro age_days(played_at, known_on) -%}
    ({{ midnight_epoch(known_on ~ ' + 1') }} - {{ instant_epoch(played_at) }}) / 86400.0
{%- endmacro %}

{% macro midnight_epoch(day) -%}
    {{ adapter.dispatch('midnight_epoch', 'segue')(day) }}
{%- endmacro %}

{% macro duckdb__midnight_epoch(day) -%}
    epoch(cast({{ day }} as timestamp))
{%- endmacro %}

{% macro instant_epoch(instant) -%}
    {{ adapter.dispatch('instant_epoch', 'segue')(instant) }}
{%- endmacro %}

{% macro duckdb__instant_epoch(instant) -%}
    epoch({{ instant }})
{%- endmacro %}

{# An instant as a whole number of microseconds since 1970, and back. #}
{% macro instant_micros(instant) -%}
    {{ adapter.dispatch('instant_micros', 'segue')(instant) }}
{%- endmacro %}

{% macro duckdb__instant_micros(instant) -%}
    epoch_us({{ instant }})
{%- endmacro %}

{% macro instant_of_micros(micros) -%}
    {{ adapter.dispatch('instant_of_micros', 'segue')(micros) }}
{%- endmacro %}

{% macro duckdb__instant_of_micros(micros) -%}
    make_timestamptz({{ micros }})
{%- endmacro %}

{# The last row of every key that the range touches, as it stood when the range began; `keys` are ids of
   key_numbers. #}
{% macro carried(keys) -%}
    {%- if is_incremental() -%}
    select
        {% for key in keys %}{{ key_number(key) }}, {% endfor %}earlier.* exclude ({{ keys | join(', ') }})
    from {{ this }} as earlier
    {% for key in keys -%}
    inner join {{ key_number(key) }}_numbers using ({{ key }})
    {% endfor -%}
    where
        valid_from <= {{ start_day() }}
        and ({{ key_numbers(keys) }}) in (select ({{ key_numbers(keys) }}) from daily)
    qualify row_number() over (partition by {{ key_numbers(keys) }} order by valid_from desc) = 1
    {%- else -%}
    select * from daily where false
    {%- endif -%}
{%- endmacro %}
