"""The form files of these tests; `origins` are filled in once the other sites run."""

LEAD = """
title = "Ask us"
intro = "We answer within a day."
origins = [{origins}]
{top}
[thanks]
title = "Thank you"
text = "We have your message."

[[fields]]
name = "name"
type = "text"
label = "Name"
required = true
prefill = true
to = "full_name"

[[fields]]
name = "email"
type = "email"
label = "E-mail"
help = "We answer to this address."
required = true
prefill = true
to = "email"

[[fields]]
name = "plan"
type = "select"
label = "Plan"
options = ["small", "large"]
prefill = true

[[fields]]
name = "colour"
type = "radio"
label = "Colour"
options = ["red", "blue"]
prefill = true

[[fields]]
name = "extras"
type = "checkboxes"
label = "Extras"
options = ["milk", "sugar", "lemon"]
prefill = true

[[fields]]
name = "note"
type = "textarea"
label = "Note"

[[fields]]
name = "privacy"
type = "consent"
label = "I agree."
required = true

[[fields]]
name = "source"
type = "hidden"
from_query = "utm_source"

[[fields]]
name = "click"
type = "hidden"
from_query = "gclid"

[[fields]]
name = "page"
type = "hidden"
from = "page"

[[fields]]
name = "referrer"
type = "hidden"
from = "referrer"
"""
HEBREW = """
title = "צרו קשר"
intro = "נענה בתוך יום עבודה."
submit = "שליחה"
language = "he"
origins = [{origins}]
{top}
[thanks]
title = "תודה"
text = "קיבלנו את ההודעה."

[[fields]]
name = "email"
type = "email"
label = "דואר אלקטרוני"
help = "נענה לכתובת הזו."
required = true
to = "email"

[[fields]]
name = "colour"
type = "radio"
label = "צבע"
options = ["אדום", "כחול"]
required = true
"""
THEME = """
[theme]
accent = "gold"
text = "#222"
background = "ivory"
radius = "0"
font = "Georgia, serif"
[theme.dark]
background = "#222"
"""
CHALLENGE = """
[spam]
challenge = "altcha"
"""
