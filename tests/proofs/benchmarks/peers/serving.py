"""One server for all: waitress with the numbers of `formapp.server`, which is not imported here.

The peers' environment has no formapp.
"""

import os
from typing import TYPE_CHECKING, Any

from waitress import create_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
# As `django-admin startproject` writes them, without the admin.
APPS = tuple(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages"))
MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
)


def serve(app: "WSGIApplication | Any", port: int) -> None:
    """Serve on 127.0.0.1 until the process is ended."""
    server = create_server(
        app,
        host="127.0.0.1",
        port=port,
        threads=THREADS,
        connection_limit=1000,
        asyncore_use_poll=True,
        channel_timeout=20,
        cleanup_interval=5,
        ident=None,
    )
    server.run()


def database(url: str) -> dict[str, Any]:
    """Django's settings for formapp's kind of address: both kinds tuned, and durable."""
    kind, _, rest = url.partition("://")
    if kind == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": rest.removeprefix("/"),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 5,
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
            },
        }
    user, _, place = rest.partition("@")
    address, _, name = place.partition("/")
    host, _, port = address.partition(":")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "HOST": host,
        "PORT": port,
        "CONN_MAX_AGE": None,
    }


def common() -> dict[str, Any]:
    """Settings of both Django peers: production, secret from the environment."""
    return {
        "DEBUG": False,
        "SECRET_KEY": os.environ["BENCHMARK_SECRET"],
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "DATABASES": {"default": database(os.environ["BENCHMARK_DATABASE"])},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": True,
        "LOGGING_CONFIG": None,
    }
