"""JSON lines for machines: one event a line, with the job, round and cycle that it belongs to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from hansa.protocol.text import redact
from hansa.runtime.files import private_file

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def open_log(
    file: Path | str | None = None, moment: Mapping[str, Any] | None = None, **bound: Any
) -> structlog.stdlib.BoundLogger:
    """A logger to `file` (appended; a new one is its owner's alone), or standard error.

    HANSA_LOG sets the level: debug, info, warning or error. Each logger has an output of its own, so that several in
    one process don't mix. URLs are told by scheme, host and port alone. moment: what each line tells beside what is
    bound, as it is when the line is written.
    """
    level = LEVELS.get(os.environ.get("HANSA_LOG", "info").lower(), LEVELS["info"])
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        structlog.WriteLogger(_output(file)),
        processors=[
            _with({} if moment is None else moment),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.EventRenamer("event"),
            structlog.processors.JSONRenderer(default=_shown),
            lambda logger, method, line: redact(str(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return logger.bind(**bound)


def _with(moment: Mapping[str, Any]) -> Processor:
    def add(logger: Any, method: str, event: EventDict) -> EventDict:
        return {**moment, **event}

    return add


def _output(file: Path | str | None) -> TextIO:
    if file is None:
        return sys.stderr
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(private_file(path, os.O_WRONLY | os.O_APPEND), "a", buffering=1)


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value)
