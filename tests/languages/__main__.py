"""`python -m tests.languages`: bring all catalogues up to what the code says, and compile them.

It prints what lacks a translation and then ends with 1. A further language is a folder with an
empty `.po` file: `formapp/translations/it/LC_MESSAGES/formapp.po`.
"""

import sys

from tests.support.catalogues import update

if missing := list(update()):
    sys.exit("\n".join(missing))
