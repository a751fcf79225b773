"""Platforms that import tools from an OpenAPI document: Coze, Dify tools, FastGPT, GPTs.

They read the document once, and then call the address that stands in it, from their own network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from api.doctor.checks import judge_marks, judge_spans, judge_text
from api.doctor.connection import is_loopback, is_own_path
from api.doctor.context import Context
from api.doctor.links import ADVICE
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.shapes import AnswerRead, read_as
from api.doctor.spans import cited_of

_FULL, _TOOLS = "/openapi.json", "/openapi-tools.json"
_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})


def _examine(context: Context, notes: Notes) -> None:
    for path, version in ((_FULL, "3.1"), (_TOOLS, "3.0")):
        what = f"{path} 可以导入"
        reply = context.connection.get(path, key="none").expect("document", what)
        document = reply.json("document", what)
        fault = _document_fault(document, version)
        notes.judge("document", what, fault, "代理改了这个文件，或服务的版本不同。")
        if not fault:
            _judge_server(context, notes, path, document)
    if all(finding.level != "lost" for finding in notes.findings):
        _judge_call(context, notes, document)


def _document_fault(document: Any, version: str) -> str:
    """What would keep an importer from reading it; "" for nothing."""
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith(version):
        return f"不是 OpenAPI {version} 文件"
    if not isinstance(document.get("paths"), dict) or not document["paths"]:
        return "没有 paths"
    if strange := [str(path) for path in document["paths"] if not is_own_path(str(path))]:
        return f"paths 里的 {shortened(strange[0], 60)} 不是以 / 开头的路径"
    operations = list(_operations(document))
    names = [str(operation.get("operationId", "")) for _, _, operation in operations]
    if "" in names or len(set(names)) < len(names):
        return "operationId 有缺的或重复的"
    broken = [reference for reference in _references(document) if not _resolves(document, reference)]
    return f"$ref {shortened(broken[0], 60)} 指不到东西" if broken else ""


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items() if isinstance(methods, dict) else ():
            if method in _METHODS and isinstance(operation, dict):
                yield path, method, operation


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _resolves(document: dict[str, Any], reference: str) -> bool:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or name not in node:
            return False
        node = node[name]
    return reference.startswith("#/")


def _server(document: dict[str, Any]) -> str | None:
    """The first address of a document; None if it names none."""
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else None
    return str(first.get("url", "")) if isinstance(first, dict) else None


def _judge_server(context: Context, notes: Notes, path: str, document: dict[str, Any]) -> None:
    what = f"{path} 里的服务地址就是这个部署"
    base, url = context.connection.base_url, _server(document)
    # Without an address, or with a relative one, it is the document's own that counts, if that is known.
    relative = path == _FULL and (url or "/").startswith("/")
    if relative and urljoin(f"{base}{path}", url or "/").rstrip("/") == base:
        seen = "没有写完整；从网址导入时以文件所在的地址为准，粘贴导入请用 /openapi-tools.json"
        notes.ok("server", what, seen)
        return
    notes.judge("server", what, _server_fault(context, url or "/"), ADVICE, seen=url or base)


def _server_fault(context: Context, url: str) -> str:
    base = context.connection.base_url
    shown = shortened(url, 80)
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return f"{shown} 不是网址"
    if parts.scheme not in {"http", "https"} or not host:
        return f"{shown} 不是完整的网址，平台不知道该调用哪里"
    if url.rstrip("/") == base:
        return ""
    if is_loopback(host) and not context.links.near:
        return f"{shown} 是平台自己的机器，而服务在 {base}"
    try:
        reply = context.connection.open(f"{url.rstrip('/')}/healthz")
    except LostError as error:
        return f"{shown} 不是 --url 的地址，从这里连不上（{error.finding.detail}）"
    return "" if reply.status == 200 else f"{shown} 不是 --url 的地址，它的 /healthz 答 {reply.status}"


def _judge_call(context: Context, notes: Notes, document: dict[str, Any]) -> None:
    """Call `ask` as the document of tools says, as long as that is the deployment that was named."""
    what = "照文件调用 ask"
    found = next(
        ((path, method) for path, method, each in _operations(document) if each.get("operationId") == "ask"),
        None,
    )
    if found is None or found[1] != "post":
        notes.lost("call", what, "文件里没有用 POST 的 ask", "服务的版本不同，或代理改了这个文件。")
        return
    server = (_server(document) or "").rstrip("/")
    if server != context.connection.base_url:
        notes.skip("call", what, f"{server} 不是 --url 的地址，密钥不发给它")
        return
    body = context.post_json(found[0], {"question": context.question}, what)
    answer = read_as(AnswerRead, body, "call", what)
    notes.show(answer.answer)
    judge_text(context, notes, answer.answer)
    judge_marks(notes, answer.answer, answer)
    judge_spans(context, notes, [cited_of(each) for each in answer.citations])


OPENAPI = Surface(
    "openapi", "导入工具的平台", "Coze、Dify 工具、FastGPT：读 /openapi-tools.json，再照它调用", _examine
)
