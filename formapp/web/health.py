"""For machines: liveness, readiness, metrics."""

import hmac
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request

from formapp.db.database import DatabaseUnavailableError
from formapp.db.revision import is_current
from formapp.monitoring.local_metrics import is_local
from formapp.web.errors import RefusalError
from formapp.web.hooks import REFUSED_HOST
from formapp.web.services import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    return jsonify(ok=True)


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """The database can be reached and its schema is current, else 503."""
    try:
        current = is_current(services().database)
    except DatabaseUnavailableError:
        return jsonify(ok=False, error="The database can't be reached."), 503
    if not current:
        return jsonify(ok=False, error="Run `formapp db upgrade`: the schema is not current."), 503
    return jsonify(ok=True), 200


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus; with the token if one is set, else for this machine alone."""
    app = services()
    if not _may_read(app.metrics_token):
        raise RefusalError(
            403, "FORBIDDEN", "To read the metrics, send the token set in FORMAPP_METRICS_TOKEN."
        )
    try:
        app.metrics.read_queue(app.database, datetime.now(UTC), app.sites)
    except DatabaseUnavailableError:
        raise RefusalError(503, "UNAVAILABLE", "The database can't be reached.") from None
    return Response(app.metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(token: str | None) -> bool:
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        return hmac.compare_digest(given.encode(), token.encode())
    host = request.environ.get(REFUSED_HOST, request.host)
    return is_local(request.environ, request.remote_addr or "", host)
