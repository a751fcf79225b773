"""A transformer small enough to train in a test, and a tokenizer whose tokens are characters."""

from __future__ import annotations

from typing import Any

from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

HAN = "茶船星水山火风雨书灯米盐园工人种树株名老看认路塔夜守晚点一二三四五六七八九十的是不在有多少谁哪里什么"
_SPECIAL = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}


def character_tokenizer() -> Any:
    """A real `tokenizers.Tokenizer`: one token a character, those of `HAN` numbered from 4."""
    vocabulary = dict(_SPECIAL)
    for char in HAN:
        vocabulary.setdefault(char, len(vocabulary))
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106
    tokenizer.pre_tokenizer = Split(Regex("."), "isolated")
    return tokenizer


def tiny_transformer(*, layers: int = 8, width: int = 32, seed: int = 0) -> Any:
    """A BERT of random weights over the characters of `HAN`, ready to be read from."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(_SPECIAL) + len(set(HAN)),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 8,
        intermediate_size=2 * width,
        max_position_embeddings=260,
    )
    return BertModel(config).eval()  # type: ignore[no-untyped-call]
