"""Double opt-in: the mail that asks for a confirmation."""

from formapp.confirming.letter import write_letter
from formapp.confirming.runner import Confirmer, Means

__all__ = ["Confirmer", "Means", "write_letter"]
