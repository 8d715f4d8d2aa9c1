"""Exchanges with a point over kept connections, in one event loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2

from authz import clock
from authz.middleware.answer import TIMEOUT
from authz.middleware.options import Options, Token
from authz.middleware.trip import Allowed, Trip, fits, headers, reply, too_long
from authz.middleware.wire import Call, Fault, Reply


class AsyncTransport:
    """As :class:`authz.middleware.transport.Transport`."""

    def __init__(self, options: Options, token: Token, tls: ssl.SSLContext | None) -> None:
        """``tls`` for certificates of one's own; else those that the system trusts."""
        self._patience = options.patience
        self._limits = options.limits
        self._token = token
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=options.limits.lanes,
            keepalive_expiry=30.0,
            network_backend=_Backend(),
        )

    async def exchange(self, call: Call, until: float) -> Reply | Fault:
        """What came back; a fault where nothing usable did by then. Nothing is raised."""
        trip = Trip(until)
        try:
            async with asyncio.timeout(until - clock.monotonic()):
                return await self._exchange(call, trip)
        except TimeoutError:
            return Fault(TIMEOUT, "the exchange took too long")
        except Exception as error:  # noqa: BLE001 (whatever it is, there is no answer)
            return trip.fault(error)

    async def _exchange(self, call: Call, trip: Trip) -> Reply | Fault:
        token = self._token if isinstance(self._token, str) else self._token()
        async with self._pool.stream(
            "GET" if call.body is None else "POST",
            call.url,
            headers=headers(call, token),
            content=call.body,
            extensions={"timeout": trip.timeouts(self._patience)},
        ) as response:
            fault = fits(response, self._limits)
            if fault:
                return fault
            body = bytearray()
            async for piece in response.aiter_stream():
                body += piece
                if len(body) > self._limits.answer_bytes:
                    return too_long()
            return reply(response, bytes(body))

    async def close(self) -> None:
        """Close what is open."""
        await self._pool.aclose()


class _Backend(httpcore2.AsyncNetworkBackend):
    """Connections that tell the exchange how far it came."""

    def __init__(self) -> None:
        self._system = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection; the exchange hears that it is a fresh one."""
        if isinstance(timeout, Allowed):
            timeout.trip.fresh = True
        made = await self._system.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(made)


class _Stream(httpcore2.AsyncNetworkStream):
    def __init__(self, system: httpcore2.AsyncNetworkStream) -> None:
        self._system = system

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore2's own signature)
    ) -> bytes:
        found = await self._system.read(max_bytes, timeout)
        if found and isinstance(timeout, Allowed):
            timeout.trip.heard = True
        return found

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore2's own signature)
    ) -> None:
        if buffer and isinstance(timeout, Allowed):
            timeout.trip.sent = True
        await self._system.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._system.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore2's own signature)
    ) -> httpcore2.AsyncNetworkStream:
        return _Stream(await self._system.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._system.get_extra_info(info)
