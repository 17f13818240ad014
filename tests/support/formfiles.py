"""Pieces of form files that many tests need."""

EMAIL = """
[[fields]]
name = "email"
type = "email"
label = "E-mail"
required = true
to = "email"
"""
"""The least that a form must ask for."""

NEWS = f"""{EMAIL}
[[fields]]
name = "news"
type = "consent"
label = "Send me the newsletter."
to = {{ label = "Newsletter" }}
"""
"""What a newsletter asks for."""
