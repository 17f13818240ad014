"""What the views need, wired once by `formapp.app`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from flask import current_app, request

from formapp.confirmation.links import LinkSigner
from formapp.db.database import Database
from formapp.forms.form import Form
from formapp.forms.origins import origin_of
from formapp.forms.tokens import TokenSigner
from formapp.leads.accept import GroupCommit
from formapp.monitoring.metrics import Metrics
from formapp.spam import Challenges
from formapp.web.public.page_cache import PageCache
from formapp.web.rate_limit import Limits
from formapp.web.refusal import RefusalError

EXTENSION = "formapp"


@dataclass(frozen=True, repr=False)
class Services:
    """The collaborators of the web side.

    Attributes:
        intake: keeps submissions in `database`.
        on_kept: called after each commit that left something to deliver.
        base_url: where visitors reach this server, without a slash at the end; None: by whatever
            trusted name a request comes.
        default_site: the site of forms that name none.
        metrics_token: asked for by `/metrics`; None: this machine only.
        challenges: makes and checks proofs of work.
        sign: makes a keyed hash of what is counted.
        site_key: what the owner's challenge service knows this site by.
    """

    forms: Mapping[str, Form]
    signer: TokenSigner
    links: LinkSigner
    database: Database
    intake: GroupCommit
    limits: Limits
    base_url: str | None
    default_site: str
    on_kept: Callable[[], None]
    challenges: Challenges
    sign: Callable[[str], str]
    site_key: str | None = None
    metrics_token: str | None = None
    metrics: Metrics = field(default_factory=Metrics)
    kept_pages: PageCache = field(default_factory=PageCache)

    def form(self, name: str) -> Form:
        """The form of this name.

        Raises:
            RefusalError: 404, there is none.
        """
        form = self.forms.get(name)
        if form is None:
            raise RefusalError(404, "FORM_NOT_FOUND", "There is no form at this address.")
        return form

    @property
    def address(self) -> str:
        """What links to this server begin with, without a slash at the end."""
        return self.base_url or request.host_url.rstrip("/")

    @property
    def origin(self) -> str:
        """The origin of `address`, as a browser sends it."""
        return _origin(self.address)


@lru_cache(maxsize=64)
def _origin(address: str) -> str:
    return origin_of(address) or address


def services() -> Services:
    """The services of the app at hand."""
    return cast("Services", current_app.extensions[EXTENSION])
