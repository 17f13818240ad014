"""A form that takes files."""

FORM = """
title = "A photo of the roof"

[[fields]]
name = "email"
type = "email"
label = "E-mail"
to = "email"

[[fields]]
name = "photos"
type = "file"
label = "Photos"
max_files = 3
"""
