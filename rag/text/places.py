"""Well-known places: provinces and large cities of China, countries and cities of the world. A closed list.

A question about a place that a corpus never names is not answered by what it says of another place, however
alike the rest of the question is. Only names that are hardly anything else are here.
"""

from __future__ import annotations

from rag.text.folding import fold

_NAMES = """
北京 上海 天津 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北
湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 新疆 香港 澳门
广州 深圳 珠海 汕头 佛山 东莞 中山市 惠州 杭州 宁波 温州 绍兴 嘉兴 义乌 南京 苏州 无锡
徐州 南通 扬州 成都 绵阳 宜宾 泸州 南充 德阳 乐山 武汉 襄阳 长沙 株洲 岳阳 郑州 洛阳
济南 青岛 烟台 潍坊 西安 咸阳 宝鸡 太原 石家庄 唐山 保定 邯郸 沈阳 大连 鞍山 长春 哈尔滨
合肥 芜湖 黄山市 福州 厦门 泉州 漳州 南昌 九江 赣州 贵阳 遵义 昆明 丽江 南宁 桂林 柳州
海口 三亚 兰州 西宁 银川 乌鲁木齐 拉萨 呼和浩特 包头 台北 高雄 万州 涪陵 雄安 浦东 日本
韩国 朝鲜 印度 俄罗斯 美国 英国 法国 德国 意大利 西班牙 加拿大 澳大利亚 巴西 新加坡 泰国
越南 马来西亚 印度尼西亚 菲律宾 埃及 南非 土耳其 以色列 沙特 伊朗 乌克兰 波兰 荷兰 瑞士
瑞典 挪威 芬兰 丹麦 希腊 葡萄牙 墨西哥 阿根廷 新西兰 东京 大阪 首尔 莫斯科 纽约 伦敦 巴黎
柏林 罗马 悉尼 曼谷 迪拜 华盛顿 洛杉矶 硅谷
"""
PLACES = tuple(sorted(set(_NAMES.split()), key=lambda name: (-len(name), name)))
"""Longest first."""


def places_in(text: str) -> tuple[str, ...]:
    """The well-known places that a text names, folded, longest first."""
    folded = fold(text)
    return tuple(name for name in PLACES if name in folded)
