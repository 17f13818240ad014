"""All pages of the inbox: each of these modules adds its routes to the blueprint."""

from formapp.web.owner import export, forms, lead, overview
from formapp.web.owner.inbox import init_app

__all__ = ["export", "forms", "init_app", "lead", "overview"]
