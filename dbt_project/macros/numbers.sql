{# Ids as numbers of one run: groups, windows and joins over them cost half of those over strings. The numbers
   differ from run to run and never leave it. #}

{# user_id goes by listener, track_id by track, artist_id by artist. #}
{% macro key_number(key) -%}
    {{- return({'user_id': 'listener', 'track_id': 'track', 'artist_id': 'artist'}[key]) -}}
{%- endmacro %}

{% macro key_numbers(keys) -%}
    {%- set numbers = [] -%}
    {%- for key in keys -%}
        {%- do numbers.append(key_number(key)) -%}
    {%- endfor -%}
    {{- return(numbers | join(', ')) -}}
{%- endmacro %}

{# One common table a key, <number>_numbers, of the ids that the relation holds in the range. #}
{% macro number_tables(keys, relation) -%}
    {%- for key in keys -%}
{{ key_number(key) }}_numbers as (
    select {{ key }}, cast(row_number() over () as integer) as {{ key_number(key) }}
    from (
        select distinct {{ key }}
        from {{ relation }}
        where {{ in_range('known_on') }} and {{ key }} is not null
    )
){{ ',\n\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Joins that turn ids into their numbers, or with `back` numbers into their ids. #}
{% macro join_numbers(keys, back=false) -%}
    {%- for key in keys -%}
    inner join {{ key_number(key) }}_numbers using ({{ key_number(key) if back else key }})
    {{ '' if loop.last else '\n    ' }}
    {%- endfor -%}
{%- endmacro %}
