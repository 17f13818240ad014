"""Wix and another CRM: copying new contacts there, and keeping both sides equal.

A *book* pairs a Wix site with an external system; a *link* pairs one contact of each. Both sides
are a `System`, Wix included, so that deciding and applying know no side.
"""
