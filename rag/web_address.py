"""What is wrong with the address of a page on the web. Nothing is ever fetched from it; people follow it."""

from __future__ import annotations

from urllib.parse import urlsplit


def address_problem(text: str) -> str:
    """Why this is no address to be shown to people, in Chinese; "" if it is one.

    http or https, with a host, without user name and password, without white space and what does not print:
    `urlsplit` would quietly drop some of that.
    """
    if any(char.isspace() or not char.isprintable() or char == "\\" for char in text):
        return "里有空白、反斜杠或不可见的字符"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "不是合法的网址"
    if parts.scheme not in ("http", "https"):
        return "不是 http 或 https 网址"
    if not host:
        return "没有写主机名"
    if parts.username is not None or parts.password is not None:
        return "里有用户名或密码"
    return ""
