{# Reading day-partitioned Parquet: the only way in from outside the warehouse. #}

{# The files of one source, or no rows of its declared columns while there is no file yet. With `places`
   each row has two columns more that name it by where it lies: file, a number of its path, and record. #}
{% macro read_lake(table, places=false) -%}
    {%- set glob = lake_glob(table.schema, table.identifier) -%}
    {%- if execute and not lake_has_files(glob) -%}
        {%- set columns = lake_columns(table.schema, table.identifier) -%}
        select
            {% for column in columns -%}
            cast(null as {{ column.data_type }}) as {{ column.name }},
            {% endfor -%}
            cast(null as date) as day,
            {% if places -%}
            cast(null as ubigint) as file,
            cast(null as bigint) as record,
            {%- endif %}
        where false
    {%- else -%}
        select *{{ ', ' ~ adapter.dispatch('row_place', 'segue')() if places }}
        from {{ adapter.dispatch('read_day_files', 'segue')(glob) }}
    {%- endif -%}
{%- endmacro %}

{% macro lake_glob(source_name, table_name) -%}
    {#- Values of another type than a path would fail later and further away. -#}
    {%- set folder = 'artifacts' if source_name == 'serving' else 'lake' -%}
    {%- set root = var(folder, none) -%}
    {%- if execute and root is none -%}
        {{ exceptions.raise_compiler_error(
            "expected the variable '" ~ folder ~ "' (an absolute folder), found none; give --vars '{"
            ~ folder ~ ": ...}'") }}
    {%- endif -%}
    {{- return((root or '') ~ '/' ~ table_name ~ '/day=*/*.parquet') -}}
{%- endmacro %}

{% macro lake_has_files(glob) -%}
    {%- set found = run_query("select count(*) from glob('" ~ glob | replace("'", "''") ~ "')") -%}
    {{- return(found.columns[0][0] > 0) -}}
{%- endmacro %}

{% macro lake_columns(source_name, table_name) -%}
    {%- set nodes = graph.sources.values()
        | selectattr('source_name', 'equalto', source_name)
        | selectattr('name', 'equalto', table_name) | list -%}
    {{- return(nodes[0].columns.values() | list) -}}
{%- endmacro %}

{% macro duckdb__read_day_files(glob) -%}
    read_parquet(
        '{{ glob | replace("'", "''") }}', hive_partitioning = true, hive_types = {'day': 'date'}
    )
{%- endmacro %}

{# The path's hash and not DuckDB's file_index, which counts the files that a filter left. #}
{% macro duckdb__row_place() -%}
    hash(filename) as file, file_row_number as record
{%- endmacro %}
