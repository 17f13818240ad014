"""What the `[notify]` and `[reply]` tables of the form files need."""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.cli.doctor.installation import check_mail_server, fetch
from formapp.config.agreement import notify_faults
from formapp.config.settings import Settings
from formapp.forms.definition.model import FormDefinition
from formapp.notifications.chat import is_address

_TEST = "send a sample with `formapp notify test FORM`"


def check_notifications(
    settings: Settings, forms: Mapping[str, FormDefinition], has: Callable[[str], bool]
) -> Iterator[Finding]:
    """Missing settings are faults; a server that can't be reached from here is a hint.

    It asks servers for their page and sends nothing. `has` says whether no setting that begins
    with a name is faulty.
    """
    using = {name: form for name, form in forms.items() if form.notify or form.reply}
    if not using:
        return
    wrong = [line for line in notify_faults(settings, using) if has(_setting_of(line))]
    for line in wrong:
        yield fault("notifications", line, "set it, or take it out of the form file")
    found = [*_check_mail(settings, using), *_check_chats(settings), *_check_webhooks(using)]
    yield from found
    if not wrong and not found:
        yield ok("notifications", f"channels of {', '.join(using)} are set; {_TEST}")


def _setting_of(line: str) -> str:
    return line.partition(":")[0].removeprefix("FORMAPP_")


def _check_mail(settings: Settings, using: Mapping[str, FormDefinition]) -> Iterator[Finding]:
    by_mail = any(form.reply or (form.notify and form.notify.email) for form in using.values())
    if not by_mail or settings.smtp_url is None:
        return
    yield from check_mail_server(settings.smtp_url.get_secret_value(), "notifications")


def _check_chats(settings: Settings) -> Iterator[Finding]:
    for name, url in settings.chats.items():
        if not is_address(url):
            message = f"Apprise can't read the address of {name} in FORMAPP_NOTIFY_CHAT"
            yield fault("notifications", message, "see https://appriseit.com for its form")


def _check_webhooks(using: Mapping[str, FormDefinition]) -> Iterator[Finding]:
    urls = {form.notify.webhook for form in using.values() if form.notify and form.notify.webhook}
    for url in sorted(urls):
        if fetch(url) is None:
            message = f"the webhook's server {urlsplit(url).hostname} doesn't answer from here"
            yield hint("notifications", message, "check its address and the firewall")
