"""Delivery: applying one lead to exactly one Wix contact, whatever happens.

`deliver` is the unit of work. It claims (`claims`), finds what Wix has (`find`), decides (`decide`,
pure), calls the site's client (`sites`) and stores the result (`results`).
"""
