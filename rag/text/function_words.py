"""Words that ask or hold a sentence together and say nothing about its subject. Data only: a closed class."""

from __future__ import annotations

_WORDS = """
的 了 着 过 地 得 是 在 有 和 与 及 或 而 但 就 都 也 还 又 把 被 给 对 于 以 为 从 向 到 由 其 之
这 那 它 他 她 我 你 们 我们 你们 他们 它们 这个 那个 这些 那些 这种 那种 一个 一种 吗 呢 吧 啊 呀
嘛 哪 哪个 哪些 哪儿 哪里 什么 怎么 怎样 怎么样 如何 为什么 为何 多少 几 几个 谁 何 何时 何地 是否
怎么办 怎么弄 怎么会 怎么回事 咋办 咋样 为啥 干嘛 干吗 何以 凭什么 时候 什么时候 哪位 哪年 哪天 哪国
多久 多大 多高 多长 多远 多重 多深 多宽
能否 能不能 是不是 有没有 请问 请 问 问一下 想 想知道 知道 告诉 一下 说 说说 讲讲 介绍 谈谈 提到 中
里 上 下 个 些 种 吗 么 咋 啥 到底 究竟 具体 分别 各自 主要 应该 应当 应 要 可以 需要 会 能 能够 让
使 并 则 且 如 等 等等 所 该 此 文中 文章 作者 本文 the a an of in on to is are was were do does did
what which who how why when where many much and or for with by from that this it its be as at about
"""

FUNCTION_WORDS = frozenset(_WORDS.split())
"""Folded function words of Chinese and English."""
