"""Logs: one line an event on standard error, for people or as JSON, with the ids of the moment.

Modules log through the standard library. Every line written during a request has its `request_id`,
and every line written during a delivery its `delivery` and `submission`. No line contains an
answer: exceptions show their type and place, never their text.
"""

import logging
import sys
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from formapp.printable import printable

Style = Literal["console", "json"]


def configure(style: Style = "console", level: int = logging.INFO) -> None:
    """Send all logs to standard error in this style."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_exception_text,
    ]
    colours = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    rendering: list[Processor] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False), _printable_line]
        if style == "json"
        else [_printable_event, colours]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        ),
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # With 1,000 waiting requests, waitress logs a line for each request.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def _printable_event(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Other servers' words may hold a terminal's commands."""
    return {
        key: printable(value) if isinstance(value, str) else value for key, value in event.items()
    }


def _printable_line(_logger: WrappedLogger, _name: str, line: Any) -> str:
    return printable(line)


def _without_exception_text(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """In place of a traceback, whose last line may quote an answer: the type and the place."""
    record = event.get("_record")
    information = record.exc_info if isinstance(record, logging.LogRecord) else None
    event.pop("exc_info", None)
    if isinstance(information, tuple) and information[0]:
        place = information[2]
        while place and place.tb_next:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
        event["defect"] = f"{information[0].__name__} at {where}"
    if isinstance(record, logging.LogRecord):
        record.exc_info = None
        record.exc_text = None
    return event
