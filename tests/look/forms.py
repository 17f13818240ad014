"""Forms that show what the bundled ones don't, and a page that reserves the place of one."""

VISIT = """
title = "Book a visit"
intro = "We come to you."
[[fields]]
name = "name"
type = "text"
label = "Your name"
min_length = 2
required = true
to = "full_name"
[[fields]]
name = "email"
type = "email"
label = "E-mail"
help = "For the confirmation."
required = true
to = "email"
[[fields]]
name = "phone"
type = "tel"
label = "Phone"
region = "GB"
width = "half"
[[fields]]
name = "size"
type = "number"
label = "Length of the boat"
width = "half"
[[fields]]
name = "topic"
type = "select"
label = "What is it about?"
options = [{ value = "repair", label = "A repair" }, { value = "sale", label = "A sale" }, "Else"]
required = true
[[fields]]
name = "part"
type = "radio"
label = "What is broken?"
options = ["Engine", "Hull"]
required = true
show_if = { topic = "repair" }
[[fields]]
name = "power"
type = "text"
label = "How strong is the engine?"
help = "In horsepower."
required = true
show_if = { part = "Engine" }
[[fields]]
name = "same"
type = "checkbox"
label = "The boat is at my address"
section = "Where"
[[fields]]
name = "harbour"
type = "text"
label = "Harbour"
section = "Where"
required = true
show_if = { same = false }
[[fields]]
name = "dock"
type = "text"
label = "Dock"
max_length = 10
section = "At my address"
show_if = { same = true }
[[fields]]
name = "privacy"
type = "consent"
label = "I agree that my details are kept to answer me."
required = true
"""
STEPS = """
[[steps]]
title = "About you"
fields = ["name", "email", "phone", "size"]
[[steps]]
title = "The boat"
fields = ["topic", "part", "power"]
[[steps]]
title = "Where it is"
fields = ["same", "harbour", "dock", "privacy"]
"""

AROUND = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Boats</title>
<meta name="viewport" content="width=device-width"><body style="margin: 0 auto; max-width: 40rem">
<h1>Boats</h1><p>Ask us.</p><div style="min-height: {height}px">
<script src="{origin}/embed.js" data-form="{form}" data-heading="{heading}" async></script></div>
<p id="below">Slipway 3, Old Harbour.</p><footer>Open from Easter to October</footer></body></html>
"""
