"""`formapp notify`: trying the channels of a form, and notifying again."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace

import click

from formapp.cli.channels import Channels, make_channels
from formapp.cli.output import echo
from formapp.cli.sites import now_in_utc as _now
from formapp.cli.wiring import opened_database
from formapp.config.agreement import notify_faults
from formapp.config.settings import SettingsError
from formapp.forms.definition.explain import suggestion
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import load_definitions
from formapp.leads.errors import LeadError
from formapp.leads.ids import find_submission
from formapp.leads.renotify import find_failed, renotify
from formapp.mail.definition import mailbox_of
from formapp.notifications.channel import NotSentError, Send, WithheldError
from formapp.notifications.plan import CHANNELS, receivers
from formapp.notifications.sample import sample_lead
from formapp.notifications.webhook import TEST


@click.group("notify")
def command() -> None:
    """Try how a form notifies, and notify of a lead again."""


@command.command("test")
@click.argument("form", metavar="FORM")
@click.option("--to", metavar="ADDRESS", help="Who gets the visitor's reply; else the first owner.")
def test(form: str, to: str | None) -> None:
    """Send a sample lead by every channel of a form, and print what each answered.

    Nothing is stored. Exits with 1 if a channel failed.
    """
    with opened_database() as (settings, database):
        forms = load_definitions(settings.forms)
        definition = _find(forms, form)
        if faults := notify_faults(settings, {form: definition}):
            raise SettingsError(faults)
        visitor = _visitor(definition, to)
        channels = make_channels(settings, database, _now)
        lead = sample_lead(form, definition, settings.default_site, _now(), email=visitor)
        failures = 0
        for name, send, receiver in _tries(definition, channels):
            try:
                send(lead, definition, receiver)
            except (NotSentError, WithheldError) as error:
                failures += 1
                echo(f"{name}: failed: {error}")
            else:
                echo(f"{name}: sent")
    if failures:
        sys.exit(1)


@command.command("resend")
@click.argument("submission_ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="Of all leads whose notifications have failed.")
@click.option("--form", help="With --failed: only this form's.")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    type=click.Choice(sorted(set(CHANNELS.values()))),
    help="Only by this channel; may be repeated.",
)
def resend(
    submission_ids: tuple[str, ...], *, failed: bool, form: str | None, channels: tuple[str, ...]
) -> None:
    """Notify of leads again: by what has failed, else by all channels but the visitor's reply."""
    if bool(submission_ids) == failed or (form and not failed):
        raise click.UsageError("give one or more IDs, or --failed (with --form if you like)")
    with opened_database(LeadError) as (settings, database):
        if form:
            _find(load_definitions(settings.forms), form)
        chosen = (
            find_failed(database, form)
            if failed
            else [find_submission(database, each) for each in submission_ids]
        )
        for submission_id in chosen:
            used = renotify(database, submission_id, channels, _now())
            echo(f"{submission_id} is sent again by {', '.join(used)}")
    if not chosen:
        echo("Nothing to send again: no notification has failed.")


def _find(forms: Mapping[str, FormDefinition], name: str) -> FormDefinition:
    if name in forms:
        return forms[name]
    hint = suggestion(name, forms) or f"there are {', '.join(forms)}"
    raise click.ClickException(f"there is no form {name}; {hint}")


def _visitor(definition: FormDefinition, to: str | None) -> str:
    """Return the address that gets the reply of the sample."""
    if not definition.notify and not definition.reply:
        raise click.ClickException("the form has neither [notify] nor [reply]: nothing to try")
    owners = definition.notify.email if definition.notify else ()
    address = to or (owners[0] if owners else None)
    if address is None and definition.reply:
        raise click.ClickException("give --to ADDRESS: who gets the reply of [reply]?")
    try:
        return mailbox_of(address or "visitor@example.com", "owner@example.com")
    except ValueError as error:
        raise click.ClickException(f"--to {error}") from None


def _tries(definition: FormDefinition, made: Channels) -> Iterator[tuple[str, Send, str | None]]:
    """Yield name, function and `to` of each receiver; settings were checked."""
    for job in receivers(definition):
        to, channel = job.content.get("to"), CHANNELS[job.kind]
        if channel == "mail" and made.mail:
            yield f"mail to {to}", made.mail.send, to
        elif channel == "webhook" and made.webhook:
            yield "webhook", replace(made.webhook, kind=TEST).send, None
        elif channel == "reply" and made.replies:
            yield "reply", made.replies.send, None
        elif channel == "chat" and made.chat:
            for name in [to] if to else made.chat.urls:
                yield f"chat {name}", made.chat.send, name
