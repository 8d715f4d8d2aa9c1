"""Exchanges with a point over kept connections, from any number of threads."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from authz import clock
from authz.middleware.answer import TIMEOUT
from authz.middleware.options import Options, Token
from authz.middleware.trip import Allowed, Trip, fits, headers, reply, too_long
from authz.middleware.wire import Call, Fault, Reply


class Transport:
    """No redirect is followed, no cookie kept, no proxy taken from the environment."""

    def __init__(self, options: Options, token: Token, tls: ssl.SSLContext | None) -> None:
        """``tls`` for certificates of one's own; else those that the system trusts."""
        self._patience = options.patience
        self._limits = options.limits
        self._token = token
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=options.limits.lanes,
            keepalive_expiry=30.0,
            network_backend=_Backend(),
        )

    def exchange(self, call: Call, until: float) -> Reply | Fault:
        """What came back; a fault where nothing usable did by then. Nothing is raised."""
        trip = Trip(until)
        try:
            token = self._token if isinstance(self._token, str) else self._token()
            method = "GET" if call.body is None else "POST"
            with self._pool.stream(
                method,
                call.url,
                headers=headers(call, token),
                content=call.body,
                extensions={"timeout": trip.timeouts(self._patience)},
            ) as response:
                return fits(response, self._limits) or self._read(response, until)
        except Exception as error:  # noqa: BLE001 (whatever it is, there is no answer)
            return trip.fault(error)

    def _read(self, response: httpcore2.Response, until: float) -> Reply | Fault:
        body = bytearray()
        for piece in response.iter_stream():
            body += piece
            if len(body) > self._limits.answer_bytes:
                return too_long()
            if clock.monotonic() > until:
                return Fault(TIMEOUT, "the answer took too long")
        return reply(response, bytes(body))

    def close(self) -> None:
        """Close what is open."""
        self._pool.close()


class _Backend(httpcore2.NetworkBackend):
    """Connections whose time-outs end with the exchange."""

    def __init__(self) -> None:
        self._system = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection; the exchange hears that it is a fresh one."""
        if isinstance(timeout, Allowed):
            timeout.trip.fresh = True
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._system.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, system: httpcore2.NetworkStream) -> None:
        self._system = system

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found = self._system.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))
        if found and isinstance(timeout, Allowed):
            timeout.trip.heard = True
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer and isinstance(timeout, Allowed):
            timeout.trip.sent = True
        self._system.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._system.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._system.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._system.get_extra_info(info)


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    if not isinstance(timeout, Allowed):
        return timeout
    left = timeout.left()
    if left <= 0:
        raise late("the whole exchange took too long")
    return left
