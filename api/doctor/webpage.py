"""The web page at `/`, as a browser loads it: its scripts and styles, and what the policy lets it run."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from api.doctor.connection import Reply
from api.doctor.context import Context
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.pages_reader import Page, read_page

_POLICY = "content-security-policy"
_QUESTION_BOX = "question"
_SCRIPT = "/static/ask.js"
_PREFIX = "代理给服务加了路径前缀，却没有告诉它（uvicorn 的 root_path），或没有转发 /static/。"
_REPLACED = "多半是登录页，或代理自己的网页；请让它把 / 原样转给服务。"


def _examine(context: Context, notes: Notes) -> None:
    what = "提问的网页打得开"
    reply = context.connection.open(f"{context.connection.base_url}/").expect("page", what)
    page = read_page(reply.text)
    fault = _page_fault(context, reply, page)
    if fault:
        raise LostError("page", what, fault, _REPLACED)
    notes.ok("page", what)
    fault = _policy_fault(reply.headers.get(_POLICY, ""))
    notes.judge("policy", "带着内容安全策略（CSP）", fault, "代理去掉或改了 Content-Security-Policy 响应头。")
    foreign = [each for each in page.assets if not _is_own(reply, each)]
    fault = f"别处的脚本或样式：{shortened(foreign[0], 80)}" if foreign else ""
    fault = fault or (f"网页里插了 {page.inline_scripts} 段脚本" if page.inline_scripts else "")
    notes.judge("foreign", "没有别处来的脚本", fault, "代理或 CDN 往网页里插了东西（统计、优化）；请关掉。")
    own = [each for each in page.assets if _is_own(reply, each)]
    faults = [fault for each in own if (fault := _asset_fault(context, reply, each))]
    notes.judge("assets", "脚本和样式都取得到", faults[0] if faults else "", _PREFIX, seen=f"{len(own)} 个")
    notes.show("提问框、例题和对话" if not faults else "空白的网页，没有脚本")


def _page_fault(context: Context, reply: Reply, page: Page) -> str:
    """Why this is not the page of the service; "" if it is."""
    if _origin(reply.url) != _origin(context.connection.base_url):
        return f"转到了别处：{shortened(reply.url, 80)}"
    if reply.media_type != "text/html":
        return f"Content-Type 是 {reply.media_type or '空的'}"
    if _QUESTION_BOX not in page.ids:
        return f"打开的网页里没有提问框：{shortened(reply.text, 60)}"
    ours = [each for each in page.scripts if _is_own(reply, each)]
    if not any(urlsplit(_address(reply, each)).path.endswith(_SCRIPT) for each in ours):
        return f"打开的网页里没有策问的脚本（{_SCRIPT}）"
    return ""


def _policy_fault(policy: str) -> str:
    """What is wrong with a policy; "" for nothing."""
    if not policy.strip():
        return "没有这个响应头"
    directives = {
        words[0].lower(): {word.lower() for word in words[1:]}
        for part in policy.replace(",", ";").split(";")
        if (words := part.split())
    }
    allowed = directives.get("script-src", directives.get("default-src"))
    if allowed is None:
        return "没有限制脚本从哪里来"
    loose = allowed & {"*", "'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "data:"}
    return f"允许 {'、'.join(sorted(loose))} 的脚本" if loose else ""


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of an address; None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname or "", port


def _address(page: Reply, asset: str) -> str:
    """Where a browser that shows the page finds something that belongs to it."""
    return urljoin(page.url, asset)


def _is_own(page: Reply, asset: str) -> bool:
    try:
        address = _address(page, asset)
    except ValueError:
        return False
    return _origin(address) == _origin(page.url)


def _asset_fault(context: Context, page: Reply, asset: str) -> str:
    try:
        reply = context.connection.open(_address(page, asset))
    except LostError as error:
        return f"{shortened(asset, 60)}：{error.finding.detail}"
    if reply.status != 200:
        return f"{shortened(asset, 60)} 答 {reply.status}"
    kind = reply.media_type
    if "javascript" not in kind and kind != "text/css":
        return f"{shortened(asset, 60)} 的 Content-Type 是 {kind or '空的'}，浏览器不会用"
    return ""


WEBPAGE = Surface("web", "网页", "在浏览器里提问的人", _examine)
