"""What the views need, wired once by `formapp.app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from flask import current_app

from formapp.forms import Form, TokenSigner
from formapp.submissions.database import Database
from formapp.web.limits import Limits
from formapp.web.measures import Measures
from formapp.web.refusal import Refusal

EXTENSION = "formapp"


@dataclass(frozen=True, repr=False)
class Services:
    """The collaborators of the web side.

    Attributes:
        on_kept: called after each commit that left something to deliver.
        trusted_hosts: host names without ports, lower case.
        base_url: where visitors reach this server, without a slash at the end.
        default_site: the site of forms that name none.
        metrics_token: asked for by `/metrics`; None: this machine only.
    """

    forms: Mapping[str, Form]
    signer: TokenSigner
    database: Database
    limits: Limits
    base_url: str
    trusted_hosts: frozenset[str]
    default_site: str
    on_kept: Callable[[], None]
    metrics_token: str | None = None
    measures: Measures = field(default_factory=Measures)

    def form(self, name: str) -> Form:
        """The form of this name.

        Raises:
            Refusal: 404, there is none.
        """
        form = self.forms.get(name)
        if form is None:
            raise Refusal(404, "FORM_NOT_FOUND", "There is no form at this address.")
        return form

    @property
    def origin(self) -> str:
        """Scheme, host and port of `base_url`."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}".lower()


def services() -> Services:
    """The services of the app at hand."""
    return cast("Services", current_app.extensions[EXTENSION])
