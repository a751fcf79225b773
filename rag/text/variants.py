"""Variant characters: other ways to write a character of today. Data only, for comparing, never shown.

Old prints and other regions write 隄 for 堤 or 畧 for 略, and OpenCC's `t2s` leaves them as they are. This is
a closed table of general facts: pairs of the first table of variants to be unified (第一批异体字整理表,
1955), most of them also in Unihan as kSemanticVariant or kZVariant, that are common in print, each to the
simplified character of today. What tells two words or two names apart today is not here: 乾 and 干 or 祇 and
只 beyond what `t2s` decides, names such as 喆, 堃 or 甯, characters with a second word of their own (埽, 柁,
淼), and forms that are Japanese alone.
"""

from __future__ import annotations

_GROUPS = """
堤隄 略畧 概槩槪 叙敍 遍徧 疏疎踈 仇讐 碗椀盌 柏栢 矿鑛 妒妬 回囘囬廻 场塲 鳌鼇 榜牓 褒襃 杯桮 悖誖 逼偪
痹痺 冰氷 并竝倂 博愽 踩跴 参叅 惭慙 插揷挿 察詧 尝甞 肠膓 厂厰 扯撦 趁趂 乘乗椉 迟遟 翅翄 酬酧 锄耡 船舩
窗窓牕牎窻 创刱剏 捶搥 醇醕 瓷甆 匆怱悤 粗觕麤麄 脆脃 玳瑇 耽躭 啖啗噉 德悳惪 蒂蔕 叠疉曡 蝶蜨 睹覩 朵朶
垛垜 躲躱 鹅鵞 额頟 扼搤 厄戹 罚罸 法灋 翻飜 凡凢 繁緐 仿倣 蜂蠭 富冨 妇媍 扛摃 皋皐臯 高髙 糕餻 稿稾 歌謌
耕畊 躬躳 构搆 鼓皷 怪恠 罐鑵 国囯 果菓 函凾 侯矦 欢懽 楫檝 笺牋椾 茧蠒 碱堿鹻 剑劒劎劔 叫呌 阶堦 劫刼刦刧
解觧 粳秔 阱穽 胫踁 迥逈 韭韮 厩廐 倦勌 坎埳 考攷 咳欬 克尅 坑阬 叩敂 寇冦 裤袴 款欵 窥闚 愧媿 馈餽 昆崐
阔濶 腊臈 辣辢 懒嬾 梨棃 犁犂 璃瓈琍 莅涖 邻隣 磷燐 吝恡 留畱 瘤癅 柳桺栁 橹艪樐 裸躶 麻蔴 脉衇 卯夘 貌皃
虻蝱 觅覔 绵緜 妙玅 庙庿 幕幙 拿拏 奶嬭 闹閙 嫩嫰 昵暱 年秊 捏揑 孽孼 糯稬穤 炮砲 碰掽踫 匹疋 毗毘 凭凴
瓶缾甁 迫廹 棋碁 憩憇 器噐 枪鎗 强彊 锹鍫 峭陗 琴琹 寝寑 青靑 清淸 丘坵 秋秌 球毬 驱敺駈 券劵 榷搉 裙帬裠
韧靭靱 绒羢毧 融螎 冗宂 软輭 蕊蘂蕋 睿叡 箬篛 腮顋 伞繖 桑桒 涩澁濇 蛇虵 慑慴 柿柹 瘦痩 庶庻 诉愬 算筭 岁歳
锁鏁鎻 它牠 糖餹 掏搯 逃迯 藤籐 啼嗁 蹄蹏 筒筩 兔兎 腿骽 拖拕 往徃 望朢 卫衞 蚊蟁 瓮罋 污汚 狭陿 仙僊 衔啣
效効傚 协恊 胁脇 携擕 鞋鞵 蟹蠏 胸胷 婿壻聟 喧諠 巡廵 鸦鵶 胭臙 岩嵒 研硏 掩揜 宴醼 艳豓 雁鴈 焰燄 窑窰 耀燿
野埜壄 蚁螘 阴隂 姻婣 淫婬 映暎 寓庽 冤寃 猿猨蝯 杂襍 灾烖 咱喒偺 赞賛讃 葬塟 糟蹧 扎紥 闸牐 榨搾 盏琖醆
侄姪 只衹 址阯 纸帋 置寘 稚穉稺 咒呪 帚箒 煮煑 砖甎塼 妆粧 姊姉 棕椶 总揔縂緫 最㝡 罪辠 值値 尚尙 乡鄕 举擧
盖葢 郁欝 聪聦 救捄 明朙 楠枏柟 凳櫈 毡氊 滨濵 暖煖 瞰矙 绪緖 樽罇 翱翺翶 肯肎 草艸 答荅 虚虗 剩賸 遁遯 郎郞
铁銕鉄鐡 隶隷 鞍鞌 验騐 鲠骾 剃鬀 獐麞 蛙鼃 准凖 敕勅 剿勦 告吿 吟唫 嗥嘷 啮囓 塔墖 多夛 屏屛 峨峩 岛嶋 巅巓
帮幇幚 彝彛 慷忼 斫斵斲 槁槀 每毎 琐璅 视眎 砧碪 奇竒 篡簒 秕粃 纠紏 纤纎 莓苺 豆荳 艺蓺 螂蜋 霸覇 跺跥 辄輙
鬃騣鬉 髯髥 鬓鬂 斗鬪鬭鬬 默黙 嗅齅 袜韈韤 户戸 黑黒 宝寳 鳖鼈 秸稭 糠穅粇 亩畞畆畮 崖厓 獾貛 餐飡湌 胳肐
痈癕 颠顚 筛簁
"""
"""The character of today, followed by its variants."""
VARIANTS = {ord(variant): group[0] for group in _GROUPS.split() for variant in group[1:]}
"""For `str.translate`. No character of today is a variant, and `t2s` leaves both sides as they are."""
