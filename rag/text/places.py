"""Well-known places: provinces of China, their capitals, the five cities with plans of their own; countries.

A question about a place that a corpus never names is not answered by what it says of another place, however
alike the rest of the question is. Of China's cities only whole classes are here, none chosen one by one.
"""

from __future__ import annotations

from rag.text.folding import fold

_NAMES = """
北京 上海 天津 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北
湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门
石家庄 太原 呼和浩特 沈阳 长春 哈尔滨 南京 杭州 合肥 福州 南昌 济南 郑州 武汉 长沙 广州
南宁 海口 成都 贵阳 昆明 拉萨 西安 兰州 西宁 银川 乌鲁木齐 台北 大连 青岛 宁波 厦门 深圳
日本 韩国 朝鲜 印度 俄罗斯 美国 英国 法国 德国 意大利 西班牙 加拿大 澳大利亚 巴西 新加坡
泰国 越南 马来西亚 印度尼西亚 菲律宾 埃及 南非 土耳其 以色列 沙特 伊朗 乌克兰 波兰 荷兰
瑞士 瑞典 挪威 芬兰 丹麦 希腊 葡萄牙 墨西哥 阿根廷 新西兰 东京 大阪 首尔 莫斯科 纽约 伦敦
巴黎 柏林 罗马 悉尼 曼谷 迪拜 华盛顿 洛杉矶 硅谷
"""
PLACES = tuple(sorted(set(_NAMES.split()), key=lambda name: (-len(name), name)))
"""Longest first."""


def places_in(text: str) -> tuple[str, ...]:
    """The well-known places that a text names, folded, longest first."""
    folded = fold(text)
    return tuple(name for name in PLACES if name in folded)
