"""A form that takes files."""

from tests.support.forms import EMAIL_FIELD

FORM = f"""
title = "A photo of the roof"
{EMAIL_FIELD}
[[fields]]
name = "photos"
type = "file"
label = "Photos"
max_files = 3
"""
