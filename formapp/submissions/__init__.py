"""Submissions: what visitors sent, kept, and the ledger of its deliveries."""
