"""Django as a good hand would write it: a ModelForm, CSRF protection on, answered after the commit.

`python -m tests.proofs.benchmarks.peers.django_site PORT`, with BENCHMARK_DATABASE and
BENCHMARK_SECRET.
"""

import sys

import django
import phonenumbers
from django import forms
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import path

from tests.proofs.benchmarks.peers.serving import APPS, MIDDLEWARE, common, serve

settings.configure(
    **common(),
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[*APPS, "tests.proofs.benchmarks.peers.leads"],
    MIDDLEWARE=MIDDLEWARE,
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
)
django.setup()

from tests.proofs.benchmarks.peers.leads.models import Lead  # noqa: E402 - needs the set-up

PAGE = (
    "<!doctype html><form method=post>{% csrf_token %}{{ form.as_p }}<button>Send</button></form>"
)


class LeadForm(forms.ModelForm):
    """The form; a phone number is checked as formapp checks it."""

    privacy = forms.BooleanField()

    class Meta:
        model = Lead
        fields = ("name", "email", "phone", "company", "message", "privacy")

    def clean_phone(self) -> str:
        """Return the number in E.164."""
        text = self.cleaned_data["phone"]
        if not text:
            return ""
        number = phonenumbers.parse(text, "GB")
        if not phonenumbers.is_valid_number(number):
            raise forms.ValidationError("Not a phone number.")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def contact(request: HttpRequest) -> HttpResponse:
    """Show the form; keep what was posted."""
    form = LeadForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return HttpResponseRedirect("/f/contact/thanks")
    page = engines["django"].from_string(PAGE)
    return HttpResponse(page.render({"form": form}, request), status=422 if form.errors else 200)


urlpatterns = [path("f/contact", contact)]

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Lead)
    serve(get_wsgi_application(), int(sys.argv[1]))
