"""Can a person open this link? Links are read as a browser elsewhere would read them.

A link to the deployment itself is not opened here: that its pages open and mark the right characters is
looked at once, by `pages`. A link to another address is opened, because only that shows where it leads.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from api.doctor.connection import Connection, is_loopback
from api.doctor.model import LostError, shortened
from api.doctor.pages_reader import read_page
from api.doctor.spans import Cited, cited_of_url, squeezed

ADVICE = (
    "请设 CEWEN_PUBLIC_URL 为用户访问的地址再启动；"
    "不设时，代理要转发原来的 Host 和 X-Forwarded-Proto（nginx：proxy_set_header）。"
)


class Links:
    """Judges links of one deployment.

    Args:
        connection: To the deployment.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._base = connection.base_url
        self._opened: dict[tuple[str, str], str] = {}

    @property
    def near(self) -> bool:
        """Whether the deployment was named by an address of this very machine."""
        return is_loopback(urlsplit(self._base).hostname or "")

    def absolute(self, url: str) -> str:
        """A link as a browser on the deployment's own pages resolves it."""
        return f"{self._base}{url}" if url.startswith("/") and not url.startswith("//") else url

    def fault(self, url: str, cited: Cited | None, *, relative_is_fine: bool = False) -> str:
        """What is wrong with a link; "" for nothing.

        Args:
            url: As the client got it.
            cited: What it is to lead to; None if only the link says so.
            relative_is_fine: Whether this client resolves relative links.
        """
        fault = self._form_fault(url, relative_is_fine=relative_is_fine)
        if fault:
            return fault
        said = cited_of_url(url)
        if said is None:
            return f"{shortened(url, 80)} 没有指到原文的区间和行"
        if cited and (*said.key, said.start_line, said.end_line) != (
            *cited.key,
            cited.start_line,
            cited.end_line,
        ):
            return f"{shortened(url, 80)} 指的不是这条引文的区间和行"
        own = self.absolute(url).startswith(f"{self._base}/documents/")
        return "" if own else self._opened_fault(url, cited)

    def _form_fault(self, url: str, *, relative_is_fine: bool) -> str:
        """What keeps a browser elsewhere from even trying; "" for nothing."""
        shown = shortened(url, 80)
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return f"{shown} 不是网址"
        if not url.strip():
            return "没有链接"
        if not parts.scheme and not parts.netloc:
            fine = relative_is_fine and url.startswith("/")
            return "" if fine else f"{shown} 是相对链接，读者的浏览器打不开"
        if parts.scheme not in {"http", "https"} or not host:
            return f"{shown} 不是 http(s) 网址"
        if is_loopback(host) and not self.near:
            return f"{shown} 指向读者自己的机器，而服务在 {self._base}"
        return ""

    def _opened_fault(self, url: str, cited: Cited | None) -> str:
        wanted = squeezed(cited.quote) if cited and cited.quote else ""
        if (url, wanted) not in self._opened:
            self._opened[url, wanted] = self._open(url, wanted)
        return self._opened[url, wanted]

    def _open(self, url: str, wanted: str) -> str:
        shown = f"{shortened(url, 80)} 不是 --url 的地址，从这里"
        try:
            reply = self._connection.open(url.partition("#")[0])
        except LostError as error:
            return f"{shown}打不开（{error.finding.detail}）"
        if reply.status != 200 or reply.media_type != "text/html":
            return f"{shown}打开得到 {reply.status}"
        marked = squeezed(read_page(reply.text).marked)
        if not marked or (wanted and marked != wanted):
            return f"{shown}打开，没有标出这条引文"
        return ""
