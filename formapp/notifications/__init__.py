"""Notifications: a lead is accepted, and its owner hears of it; the visitor gets a reply."""
