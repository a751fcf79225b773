"""HTTP/1.1 as `cewen serve` speaks it: uvicorn's, but heads must come, and replies be read, in time.

All limits on bodies are middleware, which begins once a head is there. Before that only this sees the
connection: without it, whoever sends half a head holds a socket for ever. So does whoever reads nothing of a
reply, and with the socket the place among those who ask at the same time. What is no HTTP at all is refused
in our shape, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import uuid

import h11
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.errors.codes import CODES
from api.errors.handling import REQUEST_ID_KEY, error_response

HEAD_SECONDS = 10.0
READ_SECONDS = 15.0


class PromptH11Protocol(H11Protocol):
    """A connection that ends if a head is begun, or awaited from the start, for `head_seconds`.

    Also if for `read_seconds` nothing is read of a reply that waits. Whoever reads slowly is let go on.
    """

    head_seconds = HEAD_SECONDS
    read_seconds = READ_SECONDS
    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and see whether they end a head or begin one."""
        self._begun = True
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._stop_watching()
        self._stop_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until the other side has read, but not for ever."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Write on."""
        self._stop_waiting()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        del msg  # uvicorn's own words
        self._stop_watching()
        self._refuse("bad_request")

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._stop_watching()
        elif self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self._on_late)

    def _wait_for_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(self.read_seconds, self._on_unread, left)

    def _on_unread(self, left: int) -> None:
        if self.transport.get_write_buffer_size() < left:
            self._wait_for_reader()
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:  # let the system, too, forget what nobody reads
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _stop_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _stop_watching(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _on_late(self) -> None:
        self._late = None
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            return
        if self._begun and self.conn.our_state is h11.IDLE:
            self._refuse("request_timeout")
        else:
            self.transport.close()

    def _refuse(self, code: str) -> None:
        request_id = uuid.uuid4().hex
        scope: Scope = {"type": "http", "path": "/", "headers": [], REQUEST_ID_KEY: request_id}
        row = CODES[code]
        headers = {"Connection": "close", "X-Request-ID": request_id, "X-Content-Type-Options": "nosniff"}
        reply = error_response(scope, code, f"{row.meaning}。{row.action}。", headers=headers)
        events = (
            h11.Response(status_code=reply.status_code, headers=reply.raw_headers),
            h11.Data(data=bytes(reply.body)),
            h11.EndOfMessage(),
        )
        with contextlib.suppress(h11.LocalProtocolError):  # a reply is under way already
            # At once: with the connection about to end, nobody may wait for the rest.
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()
