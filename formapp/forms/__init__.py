"""Forms: their definitions, validation, the stateless token, and from answers to a lead.

This room knows a form file, HTML controls and what a visitor may type. It knows nothing of the
database, of HTTP or of Wix: what leaves it are kept answers and a `formapp.lead.Lead`.
"""
