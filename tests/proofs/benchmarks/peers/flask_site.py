"""The floor: a Flask app that checks the same form and keeps nothing.

As one would write it by hand: a WTForms class with the same six fields, the token and the limits by
the same libraries, formapp's own server. It runs in formapp's environment.

`python -m tests.proofs.benchmarks.peers.flask_site PORT`, with BENCHMARK_SECRET.
"""

import hashlib
import os
import sys

import phonenumbers
from flask import Flask, Response, abort, request
from itsdangerous import BadData, URLSafeTimedSerializer
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from wtforms import BooleanField, EmailField, Form, StringField, TelField, TextAreaField
from wtforms.fields import Field
from wtforms.validators import DataRequired, Email, Length, Optional, ValidationError

from formapp.server import Server, listen

DAY = 86_400


class ContactForm(Form):  # type: ignore[misc, unused-ignore] # WTForms' types come and go
    """The bundled contact form by hand."""

    name = StringField(validators=[DataRequired(), Length(max=200)])
    email = EmailField(validators=[DataRequired(), Length(max=320), Email()])
    phone = TelField(validators=[Optional(), Length(max=50)])
    company = StringField(validators=[Optional(), Length(max=200)])
    message = TextAreaField(validators=[DataRequired(), Length(max=1000)])
    privacy = BooleanField(validators=[DataRequired()])

    def validate_phone(self, field: Field) -> None:
        """A number of Great Britain, or one with a country code."""
        number = phonenumbers.parse(field.data, "GB")
        if not phonenumbers.is_valid_number(number):
            raise ValidationError("not a phone number")


def signer(secret: str) -> URLSafeTimedSerializer:
    """What signs and reads the token, with SHA-256 as formapp does."""
    return URLSafeTimedSerializer(
        secret,
        salt="floor",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )


def create_app(secret: str) -> Flask:
    """The app: `POST /f/contact` is checked, `GET /f/contact` is a page of `BENCHMARK_BYTES`."""
    app = Flask(__name__, static_folder=None)
    tokens = signer(secret)
    limiter, many = FixedWindowRateLimiter(MemoryStorage()), parse("1000000/minute")
    page = "x" * int(os.environ.get("BENCHMARK_BYTES", "1"))

    @app.get("/f/contact")
    def show() -> str:
        return page

    @app.post("/f/contact")
    def contact() -> Response:
        try:
            tokens.loads(request.form["_token"], max_age=DAY)
        except BadData:
            abort(403)
        form = ContactForm(request.form)
        if not form.validate():
            abort(422)
        limited = [("address", request.remote_addr or ""), ("form", "contact")]
        if not all(limiter.hit(many, *each) for each in limited):
            abort(429)
        return Response(status=303, headers={"Location": "/f/contact/thanks"})

    return app


if __name__ == "__main__":
    Server(create_app(os.environ["BENCHMARK_SECRET"]), listen("127.0.0.1", int(sys.argv[1]))).run()
