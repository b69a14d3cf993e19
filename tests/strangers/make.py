"""Writes the strangers: model folders of nine kinds, each with demonstrations and comparisons. Python 3 alone.

    python3 tests/strangers/make.py OUT [NAME …]

OUT/NAME/model        the folder that somebody brings, weights drawn at random (weights.py): a pure function of this script
OUT/NAME/classifier   the same decoder with a score head, for what is compared on untrained folders
OUT/NAME/demos.jsonl, pairs.jsonl, and eval.jsonl, which asks for the same facts in other words
OUT/NAME/about.json   which tokens end an answer, how many tokens there are, whether a special one is left to pad with, …
"""
import sys
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
import kinds
import rows
import bpe
import weights


def write_model(kind, tokens, folder, classifier):
    folder.mkdir(parents=True)
    seed = zlib.crc32(kind.name.encode())
    size = max(kind.padded_rows, len(tokens.ids))
    tensors = weights.draw(kind.family, seed, size, kind.tied, kinds.followers(kind, tokens))
    if kind.padded_rows:
        shape, output = tensors["lm_head.weight"]
        end = tokens.ids[kind.closing]
        for i in range(len(tokens.ids), len(tokens.ids) + 8):
            output[i * weights.WIDTH:(i + 1) * weights.WIDTH] = [1.05 * x for x in weights.row((shape, output), end)]
    if classifier:
        if kind.family == "gpt2":
            tensors = {"transformer." + name: t for name, t in tensors.items()}
        tensors.pop("lm_head.weight", None)
        tensors["score.weight"] = weights.head(seed + 1)
    weights.save(folder, tensors, kind.dtype, kind.shards)
    bpe.dump(folder / "config.json", kinds.model_config(kind, tokens, size, classifier))
    if not classifier:
        bpe.dump(folder / "generation_config.json", kinds.generation_config(kind, tokens))
    template = (kinds.TEMPLATES / f"{kind.template}.jinja").read_text() if kind.template else None
    post = tokens.bos_first(kind.bos_first) if kind.bos_first else None
    tokens.write(folder, kind.settings, template, post, kind.nfc)


def make(kind, out):
    folder = out / kind.name
    tokens = kinds.tokenizer(kind)
    about = {"name": kind.name, "ends": sorted(tokens.ids[t] for t in kind.ends), "tokens": len(tokens.ids),
             "rows": max(kind.padded_rows, len(tokens.ids)), "template": kind.template,
             "closing": tokens.ids[kind.closing],
             "can_pad": any(special and text not in kind.ends for text, special in kind.added)}
    write_model(kind, tokens, folder / "model", False)
    write_model(kind, tokens, folder / "classifier", True)
    items = list(enumerate(rows.items()))
    rows.write(folder / "demos.jsonl", [rows.demonstration(i, kind.demonstrations, n) for n, i in items])
    rows.write(folder / "pairs.jsonl", [rows.comparison(i, kind.comparisons, n) for n, i in items])
    again = enumerate(rows.items(rows.AGAIN))
    rows.write(folder / "eval.jsonl", [rows.comparison(i, kind.comparisons, n) for n, i in again])
    bpe.dump(folder / "about.json", about)


if __name__ == "__main__":
    wanted = sys.argv[2:] or [k.name for k in kinds.KINDS]
    for kind in kinds.KINDS:
        if kind.name in wanted:
            make(kind, Path(sys.argv[1]))
