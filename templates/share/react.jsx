{#- The example of `@formspree/react`'s guide, with this server as the endpoint.
    Context: `form`, `address` (of this server). -#}
{%- macro attrs(given) -%}
{%- for name, value in given.items() %} {{ value | jsx_attribute(name) }}{% endfor -%}
{%- endmacro -%}
import { useForm, ValidationError } from "@formspree/react";

export default function {{ component }}() {
  const [state, handleSubmit] = useForm({{ form.name | json_text }}, {
    endpoint: {{ address | json_text }},
  });
  if (state.succeeded) {
    return <p>{{ form.definition.thanks.title | jsx_text }}</p>;
  }
  return (
    <form onSubmit={handleSubmit}>
{% for field in fields if field.type != "hidden" %}
{% set id = form.name ~ "-" ~ field.name %}
{% set required = {"required": true} if field.required else {} %}
{% if field.type in ["radio", "checkboxes"] %}
      <fieldset>
        <legend>{{ field.label | jsx_text }}</legend>
{% for option in field.options %}
{% set given = {"name": field.name, "value": option.value} %}
        <label>
{% if field.type == "radio" %}
          <input{{ attrs(dict({"type": "radio"}, **dict(given, **required))) }} /> {{ option.label | jsx_text }}
{% else %}
          <input{{ attrs(dict({"type": "checkbox"}, **given)) }} /> {{ option.label | jsx_text }}
{% endif %}
        </label>
{% endfor %}
      </fieldset>
{% elif field.type in ["checkbox", "consent"] %}
      <label>
        <input{{ attrs(dict({"type": "checkbox", "name": field.name, "value": field.tick_value}, **required)) }} /> {{ field.label | jsx_text }}
      </label>
{% else %}
{% set given = dict({"id": id, "name": field.name}, **attributes(field)) %}
      <label htmlFor="{{ id }}">{{ field.label | jsx_text }}</label>
{% if field.type == "textarea" %}
      <textarea{{ attrs(given) }} />
{% elif field.type == "select" %}
      <select{{ attrs(given) }}>
        <option value="">{{ field.placeholder | jsx_text }}</option>
{% for option in field.options %}
        <option{{ attrs({"value": option.value}) }}>{{ option.label | jsx_text }}</option>
{% endfor %}
      </select>
{% else %}
      <input{{ attrs(dict({"type": input_type(field)}, **given)) }} />
{% endif %}
{% endif %}
{# The message is a predicate and follows the label. #}
      <ValidationError{{ attrs({"prefix": quoted(field.label), "field": field.name}) }} errors={state.errors} />
{% endfor %}
      <ValidationError errors={state.errors} />
      <button type="submit" disabled={state.submitting}>
        {{ form.definition.submit | jsx_text }}
      </button>
    </form>
  );
}
