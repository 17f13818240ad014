"""Reading what people type, by the form's language.

Pure functions from text to a value. Each returns the value, or None where the text can't be read;
only `text.normalize` raises. A language is a BCP 47 tag (`de-CH`), a country an ISO 3166-1 alpha-2
code.
"""
