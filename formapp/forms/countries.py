"""ISO 3166-1 alpha-2 country codes. Babel and phonenumbers also list unassigned ones, such as XK."""

import pycountry

COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
