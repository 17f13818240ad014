"""The forms that the tests of the web side use."""

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.support import formfiles

LEAD = (
    """
title = "Every kind of field"
origins = ["https://www.example.com", "https://*.partner.example", "http://localhost:9000"]

[[fields]]
name = "name"
type = "text"
label = "Name"
required = true
to = "full_name"
"""
    + formfiles.EMAIL
    + """
[[fields]]
name = "phone"
type = "tel"
label = "Phone"
region = "GB"
to = "phone"

[[fields]]
name = "size"
type = "number"
label = "Size"

[[fields]]
name = "day"
type = "date"
label = "Day"

[[fields]]
name = "web"
type = "url"
label = "Web address"

[[fields]]
name = "topic"
type = "select"
label = "Topic"
options = ["tea", "coffee"]

[[fields]]
name = "colour"
type = "radio"
label = "Colour"
options = ["red", "blue"]

[[fields]]
name = "extras"
type = "checkboxes"
label = "Extras"
options = ["milk", "sugar", "lemon"]

[[fields]]
name = "news"
type = "checkbox"
label = "Newsletter"

[[fields]]
name = "privacy"
type = "consent"
label = "I agree."
required = true

[[fields]]
name = "message"
type = "textarea"
label = "Message"

[[fields]]
name = "source"
type = "hidden"
from_query = "utm_source"

[[fields]]
name = "page"
type = "hidden"
from = "page"

[[fields]]
name = "referrer"
type = "hidden"
from = "referrer"
"""
)
OTHER = f"""
title = "Nobody else's"
{formfiles.EMAIL}"""
AWAY = OTHER.replace(
    'title = "Nobody else\'s"\n',
    'title = "Away"\norigins = ["https://www.example.com"]\n'
    '[thanks]\nredirect = "https://www.example.com/thanks?from=form"\n',
)
ANYONE = OTHER.replace(
    'title = "Nobody else\'s"\n',
    'title = "Anyone"\norigins = ["*", "https://www.example.com"]\n',
)

ROOF = (
    OTHER.replace('title = "', 'origins = ["https://www.example.com"]\ntitle = "', 1)
    + """
[[fields]]
name = "photos"
type = "file"
label = "Photos"
accept = ["image/*", ".pdf", ".txt"]
max_size = "1 kB"
max_files = 3
strip_metadata = true

[[fields]]
name = "cv"
type = "file"
label = "CV"
"""
)


def load() -> dict[str, Form]:
    """The forms that the tests use, by name."""
    texts = {"lead": LEAD, "other": OTHER, "away": AWAY, "anyone": ANYONE, "roof": ROOF}
    return {name: compile_form(name, parse_form(name, text)) for name, text in texts.items()}
