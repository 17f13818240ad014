"""ISO 3166-1 alpha-2 country codes. Babel and phonenumbers list unassigned ones too, such as XK."""

import pycountry

COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
