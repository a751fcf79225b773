"""Forms made by hand, byte by byte, so that they can be wrong."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

BOUNDARY = "-x-boundary-x-"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
ESSAY = "望海角灯塔的故事\n\n" + "灯要亮到最后一条船进港，守塔人总是这样说。" * 3 + "\n"


def part(
    content: bytes | str, *, name: str | None = "file", filename: str | bytes | None = None, more: str = ""
) -> bytes:
    """One part of a form, with the line end that comes before the next boundary."""
    disposition = b"Content-Disposition: form-data"
    if name is not None:
        disposition += f'; name="{name}"'.encode()
    if filename is not None:
        written = filename if isinstance(filename, bytes) else filename.encode()
        disposition += b'; filename="' + written + b'"'
    content = content if isinstance(content, bytes) else content.encode()
    return disposition + b"\r\n" + more.encode() + b"\r\n" + content + b"\r\n"


def form(*parts: bytes, end: bytes = b"--\r\n") -> bytes:
    """A form of these parts."""
    mark = b"--" + BOUNDARY.encode()
    return b"".join(mark + b"\r\n" + each for each in parts) + mark + end


def file_part(content: bytes | str = ESSAY, filename: str | bytes = "灯塔.txt", more: str = "") -> bytes:
    """The part of a file."""
    return part(content, filename=filename, more=more)


def field(name: str, text: bytes | str) -> bytes:
    """The part of a text field."""
    return part(text, name=name)


def send_form(client: TestClient, body: bytes, path: str = "/v1/documents", method: str = "POST") -> Any:
    """Send a form and give back the response."""
    return client.request(method, path, content=body, headers=FORM)


def send_file(client: TestClient, content: bytes | str, filename: str = "灯塔.txt") -> Any:
    """Send a file alone."""
    return send_form(client, form(file_part(content, filename)))
