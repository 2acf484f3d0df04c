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
    """Scripts faults. Each ``..._next`` applies to the next ``times`` requests, in the order of these calls.

    With ``operation``, only requests for this operation count.
    """

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
        """Respond with an error.

        Args:
            times: The number of requests.
            status: The HTTP status. Default: the status of ``code`` in the API's catalogue, or 503.
            code: The error code. Default: a code that fits the status.
            details: The problems of each member of the request: ``{"name": ["Required"]}``.
            body: Bytes, a string or a JSON value, which replaces the envelope.
            headers: Headers to add to the response.
            operation: Only requests for this operation.
            after_commit: Execute the request first.

        Raises:
            ValueError: ``times`` is below 1, there is no such operation, ``body`` and ``details`` are both given, or
                the response cannot be sent.
        """
        if status is None:
            status = ERROR_STATUS.get(code, 503) if code is not None else 503
        if body is not None and details is not None:
            raise ValueError("body replaces the envelope, which contains details; pass only one of them")
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
        """Reset the connection instead of a response.

        Args:
            times: The number of requests.
            after_commit: Execute the request first.
            operation: Only requests for this operation.

        Raises:
            ValueError: ``times`` is below 1, or there is no such operation.
        """
        self._add(faults.Drop(after_commit=after_commit), times, operation)

    def delay_next(
        self, seconds: float, times: int = 1, *, after_commit: bool = False, operation: OperationName = None
    ) -> None:
        """Delay the response.

        Args:
            seconds: The delay in seconds of real time.
            times: The number of requests.
            after_commit: Execute the request before the delay. Otherwise it is executed after the delay, and its
                idempotency key is in use during the delay.
            operation: Only requests for this operation.

        Raises:
            ValueError: ``times`` is below 1, or there is no such operation.
        """
        self._add(faults.Delay(seconds=seconds, after_commit=after_commit), times, operation)

    def stall_body_next(self, times: int = 1, *, seconds: float | None = None, operation: OperationName = None) -> None:
        """Execute the request and send half of the response.

        Args:
            times: The number of requests.
            seconds: Seconds of real time after which the rest is sent; ``None`` for never.
            operation: Only requests for this operation.

        Raises:
            ValueError: ``times`` is below 1, or there is no such operation.
        """
        self._add(faults.StallBody(seconds=seconds), times, operation)

    def cut_body_next(self, times: int = 1, *, operation: OperationName = None) -> None:
        """Execute the request, send half of the response and close the connection.

        Args:
            times: The number of requests.
            operation: Only requests for this operation.

        Raises:
            ValueError: ``times`` is below 1, or there is no such operation.
        """
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
        """Respond with exactly this, without executing the request.

        Args:
            status: The HTTP status, 200 to 599.
            body: Bytes, a string or a JSON value.
            headers: The headers of the response.
            times: The number of requests.
            operation: Only requests for this operation.

        Raises:
            ValueError: ``times`` is below 1, there is no such operation, or the response cannot be sent.
        """
        self._add(faults.RawAnswer(status=status, body=_content(body), headers=dict(headers or {})), times, operation)

    def fault(self, chooser: faults.Chooser | None) -> None:
        """Choose a fault for every request without a scripted one::

            fake.fault(lambda request: Drop(after_commit=True) if random.random() < 0.3 else None)

        Args:
            chooser: A function from a ``RecordedRequest`` to a fault, or to ``None`` for no fault. ``None`` removes it.
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
            raise ValueError(f"there is no operation {name!r}; the operations are {', '.join(_NAMES)}")
        self._script.add(fault, times, name)


def _content(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else msgspec.json.encode(body)


_NAMES = tuple(operation.name for operation in ALL)
