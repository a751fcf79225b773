"""Closed classes of Chinese that the patterns and refusals are written with. Data only.

General words of the language: nothing here comes from any corpus.
"""

from __future__ import annotations

import re

_RELATIONAL_TEXT = """
本质 实质 核心 关键 目的 目标 作用 前提 基础 特点 特征 特色 重点 难点 痛点 堵点 优点 缺点 好处 坏处 优势
劣势 弊端 症结 病根 原则 原因 根源 根子 成因 名字 名称 来历 由来 依据 标准 底线 红线 意义 价值 宗旨 任务
职责 用途 功能 主题 灵魂 根基 根本 命脉 抓手 载体 保障 支撑 动力 源泉 落脚点 出发点 突破口 着力点 切入点
短板 瓶颈 门槛 主体 身份 别名 俗称 学名 简称 全称 前身 原料 主料 成分 含义 意思
"""
RELATIONAL = "|".join(_RELATIONAL_TEXT.split())
"""Nouns that are somebody's or something's: what is "X 的本质"? A sentence can say it."""

_SUPERLATIVE_TEXT = """
最大 最高 最重要 最主要 最根本 最关键 最有效 最直接 最突出 最难 最好 根本 关键 核心 主要 首要 唯一 重要
独特
"""
SUPERLATIVE = "|".join(_SUPERLATIVE_TEXT.split())
"""What makes any noun one of a kind: "X 最大的堵点"."""

_LINKING_TEXT = """
目前 如今 现在 当前 眼下 只 仅 仅仅 才 就 便 却 也 还 都 则 竟 竟然 已经 已 全面 约 大约 近 将近 逾 共
同时 又 更 反而 甚至 真正 一共 总共 累计 不仅 并 并且 正 正在 进一步 切实 着力 大力 深入 积极 也就 足足 均
即将 将要 就要 目前已 曾 曾经
"""
LINKING_ADVERBS = frozenset(_LINKING_TEXT.split())
"""Adverbs that link a clause to what stood before it, or weigh a number that is now asked for."""

_ADVERBS_TEXT = """
定期 提前 长期 持续 不断 逐步 逐渐 充分 广泛 共同 联合 统一 优先 率先 分别 平均 普遍 有效 重点 主动 自觉
严格 牢牢 合理 科学 及时 稳步 加快 加强 完善 健全 首次 随即 当即 一度 一直 始终 通常 往往 常常 一般 最终
最后 最初 起初 原本 原来 其实 实际 实际上 事实上 总体 结果 据说 据悉 显然 当然 毕竟 幸好 可惜 严厉 高效
精准 大幅 大幅度 显著 明显 成功 顺利
"""
ADVERBS = LINKING_ADVERBS | frozenset(_ADVERBS_TEXT.split())
"""Adverbs that no subject begins with, whatever the segmenter calls them."""

NOUN_ENDINGS = (
    "率量额数值价度性法制点区县市镇村站所院馆社会员者人户家组队期费税险品物厂港湾岛树鱼林田河湖海山学"
    "业具机器库网"
)
"""Endings that make a word a noun whatever the segmenter calls it."""

_DANGLING_TEXT = """
[这那它他她我你您咱俺] (?<!应)该 (?<!因)此(?!外) (?<![尤土极])其(?!实) 某 彼 笔者 记者 作者 本文
[两二三四五六七八九十][省市县区镇村校馆院厂乡](?!级) 由[省市县区镇乡村](?:政府|财政|委)
周边 附近 邻近 对面 旁边 沿线 双方 两者 二者 三者
前者 后者 两家 两地 两国 双边 同[期年日月一样] 当[年日天时地月晚场下] 首[批年次] 次[年日] 翌 此后 后来
随后 之后 以[上下] 上[述面年月周一] 下[述列面] 前[述面年] 另[外一] 其余 剩下 剩余
全[市省县区镇村校院馆厂州乡园线行年场队] 本[市省县区镇村校院馆厂州乡地院周月年季期次轮案书报届场队集]
[市县省村镇馆厂校队园院库社州区场][里内中] 今[年日天后] 去年 明年 近[年日期来几] 昨 日前 目前 如今 现在
当前 眼下 一家 有人 有的 有些 自己 大家 人家 来者 上文 下文 前文 如下 例如 比如 譬如 包括但 等等 两会 财报
报告期 上半年 下半年 一季度 二季度 三季度 四季度
"""
DANGLING = re.compile("|".join(_DANGLING_TEXT.split()))
"""What points at something outside the question."""

_LEADING_TEXT = """
而 但 却 则 并 且 又 也 还 就 便 才 因 所以 于是 从而 进而 以及 及 和 与 或 即 如 若 虽 尽管 既 不仅 不但
只 仅 更 再 同时 为此 对此 另 此外 其 首先 其次 再次 最后 最终 一方面 另一方面 可见 总之 特别 尤其 甚至 反
不 没 无论 不管 只要 只有 除 随着 通过 经过 按照 根据 据 对于 关于 为了 使 让 令 把 将 被 由 从 到 在 以
用(?!户) 等(?!级) 的 是 有 要(?!素) 会(?![员计]) 能(?![源量]) 可(?!持续) 应(?!急) 已 曾 正(?![常式]) 说 称
指(?![标数]) 表示 预计 据 过去 以前 从前 原先 原来 平均 人均 户均 认为
所谓 [省市县区镇乡村](?:政府|财政|委|里)
一[是要来则] [二三四五六七八九十][是要来则] 第[一二三四五六七八九十]
"""
LEADING = re.compile(f"(?:{'|'.join(_LEADING_TEXT.split())})")
"""How a clause begins that leans on what stood before it."""

_RHETORICAL_TEXT = """
难道 岂 何尝 何必 何况 何不 何苦 何乐 何谈 怎[能可会敢肯] 怎么[能可会敢肯] 哪[能会敢有] 谁[不能会敢说]
不是吗 吗？ 呢？. 能不能 是不是 要不要 有没有 该不该 会不会 可不可 是否 能否 还是 又?有什么用 凭什么
"""
RHETORICAL = re.compile("|".join(_RHETORICAL_TEXT.split()))
"""Questions that want no answer, or only yes or no."""

ASKING = re.compile("什么|为何|怎样|怎么|如何|哪|多少|谁|何[时处地谓为以]|几[个种项类条年月]")
"""Question words."""

_MEASURES_TEXT = """
个百分点 平方千米 平方公里 平方米 立方米 千瓦时 公里 千米 厘米 毫米 海里 公斤 千克 公顷 小时 分钟 个月
美元 天 元 吨 米 岁 倍 亩 周 斤 两 里 寸 尺 丈 秒 克 升 年 日
"""
MEASURES = frozenset(_MEASURES_TEXT.split())
"""Units of measure: what is so many of them is a size, not a count of things."""

_COUNTERS = (
    "个名位项次人家座条种类件篇所户辆台本部处段场批支只艘架票道棵株桶箱袋瓶杯盏幅双对趟遍句字行页章节"
    "卷册轮步间栋幢口头匹朵枝块颗粒张套尾盘份首排捆筐担股堆班站"
)
CLASSIFIERS = "|".join(sorted({*MEASURES, *_COUNTERS, "人次", "站"}, key=lambda word: (-len(word), word)))
"""Units of any sort, as alternatives of a pattern, longest first."""

SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁"
    "任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫"
    "孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童"
    "凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项"
    "连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲"
    "虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌"
)
"""Family names of one character, the common ones."""

_CALLING_TEXT = """
(?<!国)家 [院护博女战烈勇]士 [医先学考]生 师 [校市县乡镇村所站院厂会社馆船队团班]长 员 者 人 教授 师傅 工匠
书记 支书 [渔农牧村居]民 [民职员技]工 [旗歌选猎]手
"""
CALLING = "|".join(_CALLING_TEXT.split())
"""How titles and callings end, behind which a name may stand."""

_MORE_ENDINGS = "竹榕花草木松柏梅兰菊江滩岭界溪洲潭泉峰峡谷洞寺庙塔桥路街庄寨关茶鸟虫猫狗牛羊马鸡鸭鹅猴虎豹"
NAME_LIKE_ENDINGS = NOUN_ENDINGS + _MORE_ENDINGS
"""What things and places end in that begin like a name ("金银滩"); some names end so as well."""

TRADITIONAL = str.maketrans("么谁为个几时里称", "麼誰為個幾時裡稱")
"""The characters of the question templates in traditional script."""
