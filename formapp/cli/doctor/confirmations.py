"""Double opt-in: whether mail can go out for the forms that ask for a confirmation."""

from collections.abc import Iterator, Mapping

from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.config.agreement import confirm_faults
from formapp.config.settings import Settings
from formapp.forms.form import Form
from formapp.mail import MailError, SmtpMailer

_SECONDS = 5


def check_confirmations(settings: Settings, forms: Mapping[str, Form]) -> Iterator[Finding]:
    """Settings that are missing are faults; a server that can't be reached from here is a hint."""
    asking = [name for name, form in forms.items() if form.definition.confirm]
    if not asking:
        return
    faults = confirm_faults(settings, {name: form.definition for name, form in forms.items()})
    for line in faults:
        yield fault("confirmations", line, "set it, or take [confirm] out of the form file")
    if faults or settings.smtp_url is None:
        return
    server = settings.smtp_url.get_secret_value()
    try:
        SmtpMailer(server, seconds=_SECONDS, longest=2 * _SECONDS).check()
    except MailError as error:
        advice = "see FORMAPP_SMTP_URL and the firewall; mails wait meanwhile"
        yield hint("confirmations", str(error), advice)
    else:
        yield ok("confirmations", f"the mail server answers, for {', '.join(asking)}")
