"""The forms in which Chinese asks what a word means, and in which it says so. Closed classes, folded text.

"什么是梅花桩？" is such a question, and "…，故曰“梅花桩”。" such an answer. Kept narrow, for a missed one
costs little: "X是什么时候" and "X的父本是什么" ask for something else, and none of "X是去年到的",
"X是他的朋友" and "X是拐棍，不是腿" says what X is.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TERM_CHARS = 12
_PLAIN, _QUOTED = rf'[^"?,。;:!的]{{2,{_TERM_CHARS}}}?', rf'"[^"?。]{{1,{_TERM_CHARS}}}"'
_ASKS_END = r"(?:啊|呀|呢|嘛|吗)?[?。!]*$"
_ASKED = re.compile(
    rf"^(?:请问|那么?)?,?(?:"
    rf"(?:什么是|何谓|何为|什么叫做?|啥是|啥叫|所谓)(?P<after>{_QUOTED}|{_PLAIN})"
    rf"|(?P<before>{_QUOTED}|{_PLAIN})(?:到底|究竟)?(?:是个?(?:什么|啥)(?:意思)?|(?:什么|啥)意思|指的?是?(?:什么|啥))"
    rf"){_ASKS_END}"
)
_NAMING = "故曰|是曰|名曰|谓之|称为|称之为|称作|叫做|叫作|叫|俗称|又称|简称|统称|名为"
_NO_COPULA = (
    "否|不|没|因|由于|在|从|为了|什么|啥|谁|哪|怎|如何|何|要|可以|能|会|最|很|非常|吗|[我你您他她它这那]"
)
"""What follows 是 where it does not say what something is."""
_A_KIND = "(?<!第)一[种类个项门套块片条张座小]"
_GENUS = (
    "活动|行为|方法|办法|方式|做法|手段|制度|机制|模式|形态|系统|体系|技术|工艺|工具|器具|设备|装置|设施|材料|"
    "物质|食品|药物?|植物|动物|昆虫|疾?病|病害|现象|状态|过程|能力|组织|机构|团体|文书|文件|凭证|说法|称呼|名称|"
    "总称|统称|人"
)
"""The nouns under which definitions put what they define."""
_NO_WAY = "使|便|将|刻|时|可|日|位|兴"
_NOT_MEANT = "出|责|导|挥|定|望|标|数|向|派|明|示|着|使|南|甲|纹|头"


def asked_term(folded: str) -> str | None:
    """The word whose meaning is all that a question asks for.

    Args:
        folded: The question, folded.

    Returns:
        The word without quotes, folded; None for every other question.
    """
    found = _ASKED.match(folded)
    return (found["after"] or found["before"]).strip('"') if found else None


def defines(folded: str, term: str) -> bool:
    """Whether a sentence says by its form what a word means.

    Args:
        folded: The sentence, folded.
        term: The word, as `asked_term` gives it.
    """
    return not folded.endswith("?") and _defining(term).search(folded) is not None


@lru_cache(maxsize=64)
def _defining(term: str) -> re.Pattern[str]:
    said = re.escape(term)
    named = rf'(?<![不没未别么啥])(?:{_NAMING})"?{said}"?(?!\w)'
    is_just = rf"(?:就|便)是(?!{_NO_COPULA})(?![^,。;:!?]*[的了](?:[,。;:!?]|$))"
    is_a_kind = (
        rf"是(?!{_NO_COPULA})(?:[^,。;:!?]{{0,24}}?{_A_KIND}|[^,。;:!?]*的(?:{_GENUS})(?:[,。;:!?]|$))"
    )
    says = rf"(?:就|便)?是指|指的是|指(?!{_NOT_MEANT})|即(?!{_NO_WAY})是?|{is_just}|{is_a_kind}"
    opens = rf'(?:"{said}"|(?:(?<![\w、"])|(?<=所谓)){said})(?:\([^()]{{1,20}}\))?'
    entry = rf'(?:(?<!不是)"{said}"|(?:^|\s)[-*+•·]\s*\**{said}\**):(?=.)'
    return re.compile(rf"{named}|{opens}(?:,?(?:{says})|者,?[^。;]*也(?:[,。;]|$))|{entry}")
