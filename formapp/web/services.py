"""What the views need, wired once by `formapp.app`."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from flask import Request, current_app, request

from formapp.confirmation.links import LinkSigner
from formapp.db.database import Database
from formapp.files.intake import FileIntake
from formapp.files.links import FileLinkSigner
from formapp.forms.form import Form
from formapp.forms.origins import origin_of
from formapp.forms.tokens import TokenSigner
from formapp.leads.accept import GroupCommit
from formapp.monitoring.metrics import Metrics
from formapp.monitoring.refused_origins import RefusedOrigins
from formapp.monitoring.visits import Visits
from formapp.signing import Signer
from formapp.spam.altcha import Challenges
from formapp.web.errors import RefusalError
from formapp.web.public.page_cache import PageTemplate
from formapp.web.public.uploads import Uploads
from formapp.web.rate_limit import Limits, network_of

EXTENSION = "formapp"


@dataclass(frozen=True, repr=False)
class Services:
    """The collaborators of the web side.

    Attributes:
        base_url: where visitors reach this server, without a slash at the end; None: the trusted
            host of each request.
        default_site: the site of forms that name none.
        sites: the names of all Wix sites.
        on_kept: called after each commit that created work for a worker.
        refused_origins: logs and counts posts from origins that aren't listed.
        visits: counts how often forms are shown and begun.
        api_tokens: let a program post without an origin.
        sign: makes the keyed hash of a counter's name.
        files: stores the files of posts; `kept_signer` signs the references to staged ones.
        file_links: verifies the links to files that owners have.
        site_key: this site's key at the owner's challenge service.
        metrics_token: required by `/metrics`; None: only this machine may read them.
        pages: the page cache; bounded, since visitors can't make up its keys.
    """

    forms: Mapping[str, Form]
    signer: TokenSigner
    links: LinkSigner
    database: Database
    intake: GroupCommit
    limits: Limits
    base_url: str | None
    default_site: str
    on_kept: Callable[[], None] | None
    refused_origins: RefusedOrigins
    visits: Visits
    challenges: Challenges
    sign: Callable[[str], str]
    files: FileIntake
    kept_signer: Signer
    file_links: FileLinkSigner
    api_tokens: tuple[str, ...] = ()
    site_key: str | None = None
    metrics_token: str | None = None
    sites: tuple[str, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    pages: dict[Hashable, PageTemplate] = field(default_factory=dict)

    def uploads(self, request: Request, form: Form) -> Uploads:
        """Return what takes the files of a post to this form."""
        address = network_of(request.remote_addr or "")
        return Uploads(form, self.files, self.kept_signer, address)

    def form(self, name: str) -> Form:
        """Return the form of this name, or raise RefusalError: 404."""
        if form := self.forms.get(name):
            return form
        raise RefusalError(404, "FORM_NOT_FOUND", "There is no form at this address.")

    @property
    def address(self) -> str:
        """The prefix of links to this server, without a slash at the end."""
        return self.base_url or request.host_url.rstrip("/")

    @property
    def origin(self) -> str:
        """The origin of `address`, as a browser sends it."""
        return _origin(self.address)


@lru_cache(maxsize=64)
def _origin(address: str) -> str:
    return origin_of(address) or address


def services() -> Services:
    """Return the services of the current app."""
    return cast("Services", current_app.extensions[EXTENSION])


def current_request() -> Request:
    """Return the request itself: Flask's proxy for it looks it up again at each use."""
    return cast("Request", request._get_current_object())  # type: ignore[attr-defined] # noqa: SLF001 - a proxy's documented method
