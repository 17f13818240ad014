"""Examples for pages with script: fetch beside the plain HTML form, and React.

React's example is the one of `@formspree/react`'s guide with another endpoint; the rest of a form
that was made for it stays as it is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from formapp.forms.definition.model import FieldDefinition
from formapp.forms.fields.attributes import attributes
from formapp.forms.form import Form

_FETCH = """<script>
// Beside the HTML form above: it is sent without leaving the page.
{
  const form = document.querySelector(%(selector)s);
  const errors = document.createElement("ul");
  errors.setAttribute("role", "alert");
  form.querySelector("button").before(errors);

  // The same answers sent twice, after a lost connection, are one message by this key.
  let key, sent;

  form.noValidate = true; // the server says what is wrong, in one place
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const answers = {};
    for (const name of new Set(data.keys())) {
      const values = data.getAll(name);
      answers[name] = values.length > 1 ? values : values[0];
    }
    const body = JSON.stringify(answers);
    if (body !== sent) [key, sent] = [`${Date.now()}-${Math.random()}`, body];
    let result;
    try {
      const response = await fetch(form.action, {
        method: "POST",
        headers: {
          Accept: "application/json",
          "Content-Type": "application/json",
          "Idempotency-Key": key,
        },
        body,
      });
      result = await response.json();
    } catch {
      result = { error: "The message could not be sent. Please try again." };
    }
    if (result.ok) {
      const thanks = document.createElement("p");
      thanks.setAttribute("role", "status");
      thanks.textContent = %(thanks)s;
      form.replaceWith(thanks);
      return;
    }
    errors.replaceChildren();
    for (const control of form.elements) control.removeAttribute("aria-invalid");
    for (const { field, message } of result.errors ?? [{ message: result.error }]) {
      const controls = [...form.elements].filter((control) => control.name === field);
      for (const control of controls) control.setAttribute("aria-invalid", "true");
      const [first] = controls;
      const group = first?.closest("fieldset")?.querySelector("legend");
      const label = (group ?? first?.labels[0])?.textContent.trim();
      const item = document.createElement("li");
      item.textContent = label ? `${label}: ${message}` : message;
      errors.append(item);
    }
  });
}
</script>"""
_REACT = """import {{ useForm, ValidationError }} from "@formspree/react";

export default function {component}() {{
  const [state, handleSubmit] = useForm({name}, {{
    endpoint: {endpoint},
  }});
  if (state.succeeded) {{
    return <p>{thanks}</p>;
  }}
  return (
    <form onSubmit={{handleSubmit}}>
{fields}
      <ValidationError errors={{state.errors}} />
      <button type="submit" disabled={{state.submitting}}>
        {submit}
      </button>
    </form>
  );
}}"""
_JSX_NAMES = {
    "maxlength": "maxLength",
    "minlength": "minLength",
    "autocomplete": "autoComplete",
    "inputmode": "inputMode",
}
_ENDS = (".", "!", "?", ":")
_PLAIN_TEXT = re.compile(r"[^\s{}<>&](?:[^{}<>&\n]*[^\s{}<>&])?")
_PLAIN_VALUE = re.compile(r'[^"&\n]*')


def fetch_example(form: Form, address: str) -> str:
    """Return a script for beside the HTML form: JSON there and back, errors shown."""
    thanks = form.definition.thanks
    said = f"{thanks.title}. {thanks.text}".strip() if thanks.text else thanks.title
    return _FETCH % {
        "selector": _script_text(f"form[action='{address}/f/{form.name}']"),
        "thanks": _script_text(said),
    }


def react_example(form: Form, address: str) -> str:
    """Return a component that is written with `@formspree/react`, with this server's endpoint."""
    fields = (line for field in form.definition.fields for line in _field(form, field))
    return _REACT.format(
        component=_component(form.name),
        name=json.dumps(form.name),
        endpoint=json.dumps(address),
        thanks=_jsx_text(form.definition.thanks.title),
        fields="\n".join(f"      {line}" for line in fields),
        submit=_jsx_text(form.definition.submit),
    )


def _script_text(text: str) -> str:
    # `</script>` and `<!--` would end the element or hide its end.
    return json.dumps(text, ensure_ascii=False).replace("<", "\\u003c")


def _component(name: str) -> str:
    words = "".join(word.capitalize() for word in re.split(r"[^a-z0-9]+", name))
    return f"{'' if words[:1].isalpha() else 'The'}{words}Form"


def _field(form: Form, field: FieldDefinition) -> Iterator[str]:
    if field.type == "hidden":
        return
    element_id = f"{form.name}-{field.name}"
    if field.type in {"radio", "checkboxes"}:
        yield from _group(field)
    elif field.type in {"checkbox", "consent"}:
        given = {"type": "checkbox", "name": field.name, "value": field.tick_value}
        yield "<label>"
        yield f"  {_tag('input', given | _required(field))} {_jsx_text(field.label)}"
        yield "</label>"
    else:
        yield f"{_tag('label', {'htmlFor': element_id}, alone=False)}{_jsx_text(field.label)}</label>"
        yield from _control(field, element_id, form.language)
    # The message is a predicate, which follows the label.
    label = f"“{field.label}”" if field.label.endswith(_ENDS) else field.label
    error = {"prefix": label, "field": field.name}
    yield _tag("ValidationError", error).replace(" />", " errors={state.errors} />")


def _control(field: FieldDefinition, element_id: str, language: str) -> Iterator[str]:
    given = {"id": element_id, "name": field.name} | attributes(field, language)
    if field.type == "textarea":
        yield _tag("textarea", given)
    elif field.type == "select":
        yield _tag("select", given, alone=False)
        yield f'  <option value="">{_jsx_text(field.placeholder)}</option>'
        for option in field.options:
            start = _tag("option", {"value": option.value}, alone=False)
            yield f"  {start}{_jsx_text(option.label)}</option>"
        yield "</select>"
    else:
        kind = "text" if field.type == "url" else field.type
        yield _tag("input", {"type": kind} | given)


def _group(field: FieldDefinition) -> Iterator[str]:
    kind = "radio" if field.type == "radio" else "checkbox"
    yield "<fieldset>"
    yield f"  <legend>{_jsx_text(field.label)}</legend>"
    for option in field.options:
        given = {"type": kind, "name": field.name, "value": option.value}
        state = _required(field) if kind == "radio" else {}
        yield "  <label>"
        yield f"    {_tag('input', given | state)} {_jsx_text(option.label)}"
        yield "  </label>"
    yield "</fieldset>"


def _required(field: FieldDefinition) -> dict[str, Any]:
    return {"required": True} if field.required else {}


def _tag(name: str, given: Mapping[str, Any], *, alone: bool = True) -> str:
    parts = [_attribute(_JSX_NAMES.get(key, key), value) for key, value in given.items()]
    return f"<{' '.join([name, *parts])}{' /' if alone else ''}>"


def _attribute(name: str, value: Any) -> str:
    if value is True:
        return name
    if isinstance(value, int | float):
        return f"{name}={{{value}}}"
    if _PLAIN_VALUE.fullmatch(value):
        return f'{name}="{value}"'
    return f"{name}={{{json.dumps(value, ensure_ascii=False)}}}"


def _jsx_text(text: str) -> str:
    if not text or _PLAIN_TEXT.fullmatch(text):
        return text
    return f"{{{json.dumps(text, ensure_ascii=False)}}}"
