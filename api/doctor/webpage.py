"""The web page at `/`, as a browser loads it: its scripts and styles, and what the policy lets it run."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from api.doctor.context import Context
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.pages_reader import read_page

_POLICY = "content-security-policy"
_PREFIX = "代理给服务加了路径前缀，却没有告诉它（uvicorn 的 root_path），或没有转发 /static/。"


def _examine(context: Context, notes: Notes) -> None:
    what = "网页打得开"
    reply = context.connection.open(f"{context.connection.base_url}/").expect("page", what)
    if reply.media_type != "text/html":
        raise LostError("page", what, f"Content-Type 是 {reply.media_type or '空的'}", "代理换掉了网页。")
    page = read_page(reply.text)
    notes.ok("page", what)
    fault = _policy_fault(reply.headers.get(_POLICY, ""))
    notes.judge("policy", "带着内容安全策略（CSP）", fault, "代理去掉或改了 Content-Security-Policy 响应头。")
    foreign = [each for each in page.assets if not _is_own(context, each)]
    fault = f"别处的脚本或样式：{shortened(foreign[0], 80)}" if foreign else ""
    fault = fault or (f"网页里插了 {page.inline_scripts} 段脚本" if page.inline_scripts else "")
    notes.judge("foreign", "没有别处来的脚本", fault, "代理或 CDN 往网页里插了东西（统计、优化）；请关掉。")
    own = [each for each in page.assets if _is_own(context, each)]
    faults = [fault for each in own if (fault := _asset_fault(context, each))]
    notes.judge("assets", "脚本和样式都取得到", faults[0] if faults else "", _PREFIX, seen=f"{len(own)} 个")
    notes.show("提问框、例题和对话" if not faults else "空白的网页，没有脚本")


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


def _address(context: Context, asset: str) -> str:
    return urljoin(f"{context.connection.base_url}/", asset)


def _is_own(context: Context, asset: str) -> bool:
    try:
        one, other = urlsplit(_address(context, asset)), urlsplit(context.connection.base_url)
    except ValueError:
        return False
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def _asset_fault(context: Context, asset: str) -> str:
    try:
        reply = context.connection.open(_address(context, asset))
    except LostError as error:
        return f"{shortened(asset, 60)}：{error.finding.detail}"
    if reply.status != 200:
        return f"{shortened(asset, 60)} 答 {reply.status}"
    kind = reply.media_type
    if "javascript" not in kind and kind != "text/css":
        return f"{shortened(asset, 60)} 的 Content-Type 是 {kind or '空的'}，浏览器不会用"
    return ""


WEBPAGE = Surface("web", "网页", "在浏览器里提问的人", _examine)
