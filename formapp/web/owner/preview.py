"""How a form looks, for a frame of an owner's page: it can't send, and isn't counted as shown."""

from dataclasses import replace

from flask import Response, request

from formapp.forms.form import Form
from formapp.forms.tokens import TokenContext, Use
from formapp.web.headers import page_headers
from formapp.web.public.attribution import action, is_embedded
from formapp.web.public.form_page import render_form
from formapp.web.responses import html_answer
from formapp.web.services import services

NOT_STORED = {"Cache-Control": "private, no-store"}


def show_preview(form: Form) -> Response:
    """Show a form as it looks hosted, or embedded (`?_use=embed`).

    Only the form's origins may frame its own pages, and this server is not among them.
    """
    app = services()
    # No links to other languages: they lead to pages that may not be in this frame.
    form = replace(form, localized={form.language: form})
    use: Use = "embed" if is_embedded(request) else "page"
    context = TokenContext(app.signer, form.name, form.version, use)
    page = render_form(
        form,
        form.bind(token=context),
        use=use,
        action=action(request, form, context),
        is_preview=True,
    )
    policy = page_headers(
        app.origin,
        ancestors=("'self'",),
        challenge=form.definition.spam.challenge,
        is_preview=True,
    )
    return html_answer(page, policy=policy, headers=NOT_STORED)
