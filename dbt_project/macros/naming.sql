{# A relation is layer.noun: feat_user_tracks in models/features is features.user_tracks. #}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- set prefix = node.name.split('_')[0] -%}
    {%- if custom_alias_name -%}
        {{ custom_alias_name | trim }}
    {%- elif prefix in ['stg', 'int', 'feat'] -%}
        {{ node.name[prefix | length + 1:] }}
    {%- else -%}
        {{ node.name }}
    {%- endif -%}
{%- endmacro %}
