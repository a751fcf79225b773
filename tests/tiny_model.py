"""A model small enough to write in a test, as a folder that sentence-transformers loads like any other."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tiny_transformer import character_tokenizer, tiny_transformer


def write_tiny_model(folder: Path, *, width: int = 16, seed: int = 0) -> Path:
    """Write a model of random weights; vectors have `width` numbers."""
    from transformers import PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    tiny_transformer(layers=1, width=width, seed=seed).save_pretrained(folder)
    marks = {"bos": "<s>", "cls": "<s>", "pad": "<pad>", "eos": "</s>", "sep": "</s>", "unk": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=character_tokenizer(),
        model_max_length=200,
        **{f"{kind}_token": mark for kind, mark in marks.items()},
    )  # type: ignore[no-untyped-call]
    tokenizer.save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling), "utf-8")
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"))
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules), "utf-8")
    return folder
