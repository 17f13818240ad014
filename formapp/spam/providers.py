"""The challenge services: what a page and a check need of each.

A service is only used if a form file names it. Sources: Cloudflare's pages "Content Security
Policy" and "Server-side validation" for Turnstile, hCaptcha's "Developer Guide", Google's
"Verifying the user's response" and FAQ for reCAPTCHA version 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_HCAPTCHA = "https://hcaptcha.com https://*.hcaptcha.com"


@dataclass(frozen=True, slots=True)
class Provider:
    """One service, with its name for people.

    Attributes:
        script: URL that the page loads; it fills the element of `css_class`.
        field: the control that sends the token.
        policy: additional directives of the page's content security policy.
        life: how long a token is valid.
    """

    title: str
    script: str
    css_class: str
    field: str
    policy: Mapping[str, str]
    verify_url: str
    life: timedelta


PROVIDERS: Mapping[str, Provider] = {
    "turnstile": Provider(
        title="Cloudflare Turnstile",
        script="https://challenges.cloudflare.com/turnstile/v0/api.js",
        css_class="cf-turnstile",
        field="cf-turnstile-response",
        policy={
            "script-src": "https://challenges.cloudflare.com",
            "frame-src": "https://challenges.cloudflare.com",
        },
        verify_url="https://challenges.cloudflare.com/turnstile/v0/siteverify",
        life=timedelta(seconds=300),
    ),
    "hcaptcha": Provider(
        title="hCaptcha",
        # Without the reCAPTCHA compatibility layer.
        script="https://js.hcaptcha.com/1/api.js?recaptchacompat=off",
        css_class="h-captcha",
        field="h-captcha-response",
        policy={
            "script-src": _HCAPTCHA,
            "frame-src": _HCAPTCHA,
            "style-src": _HCAPTCHA,
            "connect-src": _HCAPTCHA,
        },
        verify_url="https://api.hcaptcha.com/siteverify",
        life=timedelta(seconds=120),
    ),
    "recaptcha": Provider(
        title="reCAPTCHA",
        script="https://www.google.com/recaptcha/api.js",
        css_class="g-recaptcha",
        field="g-recaptcha-response",
        policy={
            "script-src": "https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/",
            "frame-src": "https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/",
            "connect-src": "https://www.google.com/recaptcha/",
        },
        verify_url="https://www.google.com/recaptcha/api/siteverify",
        life=timedelta(seconds=120),
    ),
}

ALTCHA_FIELD = "altcha"
"""The control in which ALTCHA's widget and our own script send the solution."""

CHALLENGE_NAMES = frozenset({ALTCHA_FIELD, *(each.field for each in PROVIDERS.values())})
"""Names that challenges send; they are no answers."""

CHALLENGE_CHECK = "challenge"
"""The kind of the job that checks a token; its content is `provider` and `token`."""


def pending_reason(name: str) -> str:
    """Return why a submission is in quarantine until this service has answered."""
    return f"{PROVIDERS[name].title} has not been asked yet"
