"""Delivery: bringing one lead to Wix, as exactly one contact.

Everything that decides is pure (`contact_info`, `merge`, `decide`, `retry`); `deliver` alone acts.
"""
