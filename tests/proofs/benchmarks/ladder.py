"""The ladder of accepting: what each layer of formapp's own way costs, in microseconds.

WSGI calls in this process, without a server or a network. Each rung does what the one below does
and one thing more; the rungs take turns in every round.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.test import create_environ

from formapp.app import create_app
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from formapp.forms.posted import Posted
from formapp.web.public.accept import Post, _read, _submission, accept_post
from formapp.web.public.body import clean_body, read_body
from formapp.web.services import services
from tests.proofs.benchmarks.bodies import FORM, FORMS, SECRET, bodies, form, own_token
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NEVER, NotHereError, Stage

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CALLS = 400
BASE = "http://127.0.0.1"
SUBMIT = "forms.submit"
View = Callable[[], object]


def run(setting: Setting) -> Report:
    """Climb."""
    report = Report(
        "The ladder: microseconds a layer of accepting",
        ("rung", "µs in all", "µs more than the rung below"),
        notes=["WSGI calls in one process; the commit is durable. No server, no network."],
    )
    with Stage() as stage, ExitStack() as beside:
        rungs: dict[str, tuple[Flask, View | None]] = {"bare Flask": (_bare(), None)}
        app = _app(stage, "sqlite", beside)
        rungs |= {name: (app, view) for name, view in _views().items()}
        for kind in setting.kinds:
            try:
                at = app if kind == "sqlite" else _app(stage, kind, beside)
            except NotHereError as error:
                report.missing[f"commit, {KINDS[kind]}"] = str(error)
                continue
            rungs[f"commit, {KINDS[kind]}"] = (at, _commit)
            rungs[f"whole answer, {KINDS[kind]}"] = (
                at,
                _answered,
            )
        numbers, calls = count(1), setting.part(CALLS, 10)
        seen = play(
            {name: partial(_climb, *rung, calls, numbers) for name, rung in rungs.items()},
            setting.rounds,
        )
    _tabulate(report, seen)
    return report


def _bare() -> Flask:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/f/<name>", view_func=_answer, methods=["POST"])
    return app


def _answer(name: str = "") -> Response:
    return Response(status=303, headers={"Location": "/f/contact/thanks"})


def _app(stage: Stage, kind: str, beside: ExitStack) -> Flask:
    url = stage.database(kind)
    database = beside.enter_context(closing(Database(url)))
    upgrade(database)
    given = {
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "BASE_URL": BASE,
        "FORMS": str(FORMS),
        "LIMIT_PER_ADDRESS": NEVER,
        "LIMIT_PER_FORM": NEVER,
    }
    settings = Settings.read({f"FORMAPP_{name}": text for name, text in given.items()}, web=True)
    return create_app(settings, database=database)


def _views() -> dict[str, View]:
    """The rungs below the commit: name to what the view does."""
    return {
        "formapp's frame": lambda: None,
        "parse": lambda: read_body(request),
        "validate": _valid,
        "token, origin and limits": _validated(_post),
        "lead and record": lambda: _submission(_post()),
    }


def _valid() -> None:
    _validate(form().reader.sort(*clean_body(read_body(request))))


def _validate(posted: Posted) -> None:
    form().reader.read(posted, default_site="main", page=None, referrer=None)


def _validated(view: Callable[[], Post]) -> View:
    """The view and validation: a body can be read only once."""

    def both() -> None:
        _validate(view().posted)

    return both


def _post() -> Post:
    post, _ = _read(request, services().form(FORM), services())
    return post


def _answered() -> Response:
    return accept_post(request, form(), services())


def _commit() -> None:
    services().intake.keep(_submission(_post()))


def _climb(app: Flask, view: View | None, calls: int, numbers: Iterator[int]) -> float:
    """Seconds a call: the median, since a call that the machine interrupted says nothing."""
    if view is not None:
        app.view_functions[SUBMIT] = partial(_viewed, view)
    environs = _environs(calls, f"l{next(numbers)}")
    took: list[float] = []
    for environ in environs:
        started = time.perf_counter()
        with closing(app(environ, _check)) as answer:  # type: ignore[type-var] # it has `close`
            b"".join(answer)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _viewed(view: View, name: str) -> Response:
    done = view()
    return done if isinstance(done, Response) else _answer(name)


def _check(status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
    if not status.startswith("303"):
        raise ValueError(f"a rung answered {status}")
    return bytes


def _environs(calls: int, batch: str) -> "list[WSGIEnvironment]":
    """Requests that were read already, as a server hands them over."""
    common = create_environ(
        f"/f/{FORM}?_use=page",
        BASE,
        method="POST",
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": BASE, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
    )
    common["REMOTE_ADDR"] = "127.0.0.1"
    prepared = [body.encode() for body in bodies(calls, batch, own_token)]
    return [
        {**common, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        for body in prepared
    ]


def _tabulate(report: Report, seen: dict[str, list[float]]) -> None:
    below: Sequence[float] = ()
    for name, seconds in seen.items():
        if name.startswith("commit"):
            below = seen["lead and record"]
        more = spread([a - b for a, b in zip(seconds, below, strict=True)]) if below else None
        said = spread(seconds).said(0, 1e6)
        report.rows.append((name, said, more.said(0, 1e6) if more else ""))
        below = seconds
