"""Double opt-in: the mail that asks for a confirmation."""
