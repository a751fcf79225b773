"""XML of a stranger, parsed so that it cannot fetch, expand or nest endlessly; and ways through it.

Word uses two namespaces for the same vocabulary, so elements and attributes are known by local name alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rag.converting.faults import unreadable


def parse_xml(data: bytes, depth: int) -> Any:
    """The root element.

    Args:
        data: The document.
        depth: How many elements may stand inside each other.

    Raises:
        InputError: If it is not well-formed, declares a document type (entities), or is too deep.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise unreadable("已损坏，或结构异常（XML 读不通）。请重新导出，或另存为 .txt。") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise unreadable("里有实体声明，正常的文档没有，不予读取。请重新导出，或另存为 .txt。")
    check_depth(root, depth)
    return root


def check_depth(root: Any, most: int) -> None:
    """Refuse a tree that is deeper than `most`, before anything walks it step by step.

    Raises:
        InputError: If it is.
    """
    from lxml import etree

    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > most:
            raise unreadable(f"层层嵌套超过 {most} 层，不予读取。请重新导出，或另存为 .txt。")


def local(element: Any) -> str:
    """An element's name without its namespace; "" for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children_of(element: Any, name: str) -> Iterator[Any]:
    """The child elements of that name."""
    return (child for child in element if local(child) == name)


def child_of(element: Any | None, *path: str) -> Any | None:
    """The first element down a path of names, or None."""
    for name in path:
        if element is None:
            return None
        element = next(children_of(element, name), None)
    return element


def value_of(element: Any | None, name: str = "val") -> str:
    """An attribute, whatever its namespace; "" if there is none."""
    if element is None:
        return ""
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
