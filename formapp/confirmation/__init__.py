"""Double opt-in: a lead counts once its sender has confirmed it by the link of a mail."""
