{# The range of known days a run builds: [start_day, end_day). One record a relation in
   intermediate.built_ranges says what it holds; it changes in the transaction of the rows. #}

{% macro start_day() -%}
    date '{{ range_day("start_day") }}'
{%- endmacro %}

{% macro end_day() -%}
    date '{{ range_day("end_day") }}'
{%- endmacro %}

{% macro range_day(name) -%}
    {%- set day = var(name, none) -%}
    {%- if day is none and execute -%}
        {{ exceptions.raise_compiler_error(
            "expected the variables start_day and end_day (YYYY-MM-DD, end_day excluded), found no "
            ~ name ~ "; give --vars '{start_day: ..., end_day: ...}'") }}
    {%- endif -%}
    {{- return(day or '1970-01-01') -}}
{%- endmacro %}

{% macro in_range(column) -%}
    {{ column }} >= {{ start_day() }} and {{ column }} < {{ end_day() }}
{%- endmacro %}

{% macro create_built_ranges() -%}
    create schema if not exists intermediate;
    create table if not exists intermediate.built_ranges (
        relation varchar primary key, first_day date not null, end_day date not null
    );
{%- endmacro %}

{% macro built_range(relation) -%}
    {%- set rows = run_query(
        "select first_day, end_day from intermediate.built_ranges where relation = '"
        ~ relation ~ "'").rows -%}
    {{- return(rows[0] if rows else none) -}}
{%- endmacro %}

{# Pre-hook: refuses a range that would leave a hole, then deletes the rows the range rebuilds. #}
{% macro open_range(column, offset=0, reads='intermediate.listens') -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set relation = this.schema ~ '.' ~ this.identifier -%}
        {%- do refuse_bad_range(relation) -%}
        {%- do refuse_hole(relation, built_range(relation)) -%}
        {%- if reads -%}
            {%- do refuse_unread(relation, reads, built_range(reads)) -%}
        {%- endif -%}
        {%- if load_cached_relation(this) is not none -%}
            delete from {{ this }} where {{ column }} >= {{ start_day() }} + {{ offset }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# Post-hook: remembers what the relation now holds. #}
{% macro close_range() -%}
    {%- if execute and not flags.EMPTY -%}
        insert into intermediate.built_ranges values
            ('{{ this.schema }}.{{ this.identifier }}', {{ start_day() }}, {{ end_day() }})
        on conflict (relation) do update set
            first_day = least(first_day, excluded.first_day), end_day = excluded.end_day
    {%- endif -%}
{%- endmacro %}

{% macro refuse_bad_range(relation) -%}
    {%- set start = modules.datetime.date.fromisoformat(range_day('start_day') | string) -%}
    {%- set end = modules.datetime.date.fromisoformat(range_day('end_day') | string) -%}
    {%- set days = (end - start).days -%}
    {%- if days < 1 -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ": expected start_day before end_day, found [" ~ start ~ ", " ~ end ~ ")") }}
    {%- elif days > var('longest_range') -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ": expected a range of at most " ~ var('longest_range') ~ " days, found " ~ days
            ~ " in [" ~ start ~ ", " ~ end ~ "); launch it as several ranges, the first ending at "
            ~ (start + modules.datetime.timedelta(days=var('longest_range')))) }}
    {%- endif -%}
{%- endmacro %}

{% macro refuse_hole(relation, built) -%}
    {%- set start = range_day('start_day') | string -%}
    {%- set end = range_day('end_day') | string -%}
    {%- if built and start > built['end_day'] | string -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ": a gap is refused, nothing was deleted. Built up to " ~ built['end_day']
            ~ " (excluded), asked for [" ~ start ~ ", " ~ end ~ "); launch the range start_day="
            ~ built['end_day'] ~ " end_day=" ~ end) }}
    {%- elif built and end < built['end_day'] | string and not var('truncate') -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ": a range that does not end at the latest built day is refused, nothing was "
            ~ "deleted. Built up to " ~ built['end_day'] ~ " (excluded), asked for [" ~ start ~ ", "
            ~ end ~ "); launch the range start_day=" ~ start ~ " end_day=" ~ built['end_day']
            ~ ". Longer than " ~ var('longest_range') ~ " days? Add truncate: true and launch the "
            ~ "rest after it") }}
    {%- endif -%}
{%- endmacro %}

{% macro refuse_unread(relation, reads, built) -%}
    {%- set start = range_day('start_day') | string -%}
    {%- set end = range_day('end_day') | string -%}
    {%- if not built or end > built['end_day'] | string or start < built['first_day'] | string -%}
        {{ exceptions.raise_compiler_error(
            relation ~ ": expected " ~ reads ~ " to hold [" ~ start ~ ", " ~ end ~ "), found "
            ~ ("[" ~ built['first_day'] ~ ", " ~ built['end_day'] ~ ")" if built else "nothing")
            ~ "; launch " ~ reads ~ " and " ~ relation ~ " together") }}
    {%- endif -%}
{%- endmacro %}

{# Whether this relation holds every day before the range: a table that is made anew each time then reads
   of the listens no more than the range's. #}
{% macro holds_the_past() -%}
    {%- if not execute or flags.EMPTY or load_cached_relation(this) is none -%}
        {{- return(false) -}}
    {%- endif -%}
    {%- set built = built_range(this.schema ~ '.' ~ this.identifier) -%}
    {{- return(built is not none and built['end_day'] | string >= range_day('start_day') | string) -}}
{%- endmacro %}

{# When ids were first seen in listens; of days before the range as this relation tells where it can. #}
{% macro seen_in_listens(key, listens) -%}
    select {{ key }}, known_at, known_on from {{ listens }}
    {%- if holds_the_past() %}
    where {{ in_range('known_on') }}
    union all
    select {{ key }}, first_known_at as known_at, first_known_on as known_on from {{ this }}
    where first_known_on < {{ start_day() }}
    {%- endif -%}
{%- endmacro %}
