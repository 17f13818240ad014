"""A Wagtail form page with the same fields, CSRF protection on, kept as Wagtail keeps them.

`python -m tests.proofs.benchmarks.peers.wagtail_site PORT`, with BENCHMARK_DATABASE and
BENCHMARK_SECRET. The page is at `/contact/`.
"""

import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

from tests.proofs.benchmarks.peers.serving import APPS, MIDDLEWARE, common, serve

_WAGTAIL = ("contrib.forms", "users", "documents", "images", "search", "admin")
_PAGE = "{% csrf_token %}{{ form.as_p }}"
# Wagtail's models can be built on only by an app with migrations: made while the server starts.
_MIGRATIONS = Path(tempfile.mkdtemp(prefix="formapp-bench-")) / "pages_migrations"
_MIGRATIONS.mkdir()
(_MIGRATIONS / "__init__.py").touch()
sys.path.append(str(_MIGRATIONS.parent))
settings.configure(
    **common(),
    ROOT_URLCONF=__name__,
    MIGRATION_MODULES={"pages": _MIGRATIONS.name},
    INSTALLED_APPS=[
        "tests.proofs.benchmarks.peers.pages",
        *(f"wagtail.{name}" for name in _WAGTAIL),
        "wagtail",
        "modelcluster",
        "taggit",
        "django_tasks",
        *APPS,
    ],
    MIDDLEWARE=MIDDLEWARE,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "form.html": f"<!doctype html><form method=post>{_PAGE}</form>",
                            "landing.html": "<!doctype html><h1>Thank you</h1>",
                        },
                    ),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    STATIC_URL="/static/",
    WAGTAIL_SITE_NAME="Benchmark",
    WAGTAILADMIN_BASE_URL="http://127.0.0.1",
    # The same form page is asked for all the time: its route is kept, as in production.
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
)
django.setup()

from wagtail.models import Page  # noqa: E402 - needs the set-up

from tests.proofs.benchmarks.peers.pages.models import FormField, FormPage  # noqa: E402 - the same

FIELDS = {
    "name": ("singleline", True),
    "email": ("email", True),
    "phone": ("singleline", False),
    "company": ("singleline", False),
    "message": ("multiline", True),
    "privacy": ("checkbox", True),
}
urlpatterns = [path("", include("wagtail.urls"))]


def make() -> None:
    """Make the tables, and the page under the site's root."""
    call_command("makemigrations", "pages", verbosity=0)
    call_command("migrate", verbosity=0)
    home = Page.objects.get(url_path="/home/")
    page = FormPage(title="contact", slug="contact")
    page.form_fields = [
        FormField(label=name, field_type=kind, required=required, sort_order=number)
        for number, (name, (kind, required)) in enumerate(FIELDS.items())
    ]
    home.add_child(instance=page)


if __name__ == "__main__":
    make()
    serve(get_wsgi_application(), int(sys.argv[1]))
