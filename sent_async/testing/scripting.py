"""The methods of ``FakeSent`` that script faults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..operation import Operation
from ..operations import ALL, ERROR_STATUS
from . import faults

OperationName = str | Operation[Any] | None
"""``"createTemplate"``, or ``operations.CREATE_TEMPLATE``; ``None`` for any request."""


class FaultScripting(ABC):
    """Each ``..._next`` holds for the next ``times`` requests, of any or one operation, in the order of the calls."""

    @property
    @abstractmethod
    def _script(self) -> faults.Script: ...

    def fail_next(
        self,
        times: int = 1,
        *,
        status: int | None = None,
        code: str | None = None,
        details: Mapping[str, Sequence[str]] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        operation: OperationName = None,
        after_commit: bool = False,
    ) -> None:
        """Respond with an error instead of doing the work, or after the work.

        ``status`` defaults to the one the catalogue gives for ``code``, or 503; ``code`` to one that goes with the
        status. ``details`` says what is wrong with each member of the request: ``{"name": ["Required"]}``. ``body``
        (bytes, a string, or anything to be sent as JSON) replaces the envelope.
        """
        if status is None:
            status = ERROR_STATUS.get(code, 503) if code is not None else 503
        if body is not None and details is not None:
            raise ValueError("body replaces the envelope, which details belong to; give one of them")
        fault = faults.Fail(
            status=status,
            code=code,
            details=details,
            body=None if body is None else _content(body),
            headers=dict(headers or {}),
            after_commit=after_commit,
        )
        self._add(fault, times, operation)

    def drop_next(self, times: int = 1, *, after_commit: bool = False, operation: OperationName = None) -> None:
        """Reset the connection before the work, or after the work and before the response."""
        self._add(faults.Drop(after_commit=after_commit), times, operation)

    def delay_next(
        self, seconds: float, times: int = 1, *, after_commit: bool = False, operation: OperationName = None
    ) -> None:
        """Delay the headers: before the work, which holds its idempotency key meanwhile, or after the work."""
        self._add(faults.Delay(seconds=seconds, after_commit=after_commit), times, operation)

    def stall_body_next(self, times: int = 1, *, seconds: float | None = None, operation: OperationName = None) -> None:
        """Do the work and send half of the response. The rest follows after ``seconds``, or never."""
        self._add(faults.StallBody(seconds=seconds), times, operation)

    def cut_body_next(self, times: int = 1, *, operation: OperationName = None) -> None:
        """Do the work, send half of the response and close the connection."""
        self._add(faults.CutBody(), times, operation)

    def answer_next(
        self,
        status: int,
        body: object = b"",
        headers: Mapping[str, str] | None = None,
        *,
        times: int = 1,
        operation: OperationName = None,
    ) -> None:
        """Respond with exactly this, and do no work. ``body`` is bytes, a string, or anything to be sent as JSON."""
        self._add(faults.RawAnswer(status=status, body=_content(body), headers=dict(headers or {})), times, operation)

    def fault(self, chooser: faults.Chooser | None) -> None:
        """Call ``chooser`` for every request without a scripted fault. It returns a fault or ``None``::

        fake.fault(lambda request: Drop(after_commit=True) if random.random() < 0.3 else None)
        """
        self._script.chooser = chooser

    @property
    def waiting_faults(self) -> Sequence[faults.Scripted]:
        """The scripted faults that still apply to requests, in their order."""
        return tuple(self._script.scripted)

    @property
    def pending_faults(self) -> int:
        """The number of requests that scripted faults still apply to."""
        return self._script.pending

    def clear_faults(self) -> None:
        """Remove all faults and the chooser."""
        self._script.clear()

    def _add(self, fault: faults.Fault, times: int, operation: OperationName) -> None:
        name = operation.name if isinstance(operation, Operation) else operation
        if name is not None and name not in _NAMES:
            raise ValueError(f"no operation is called {name!r}; there are {', '.join(_NAMES)}")
        self._script.add(fault, times, name)


def _content(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)


_NAMES = tuple(operation.name for operation in ALL)
