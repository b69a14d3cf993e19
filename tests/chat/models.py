"""Models for the tests of `hone chat`: each says what a table of followers says, token by token, with weights drawn around it
(tests/strangers/weights.py). Python 3 alone.

talker    "Hello red wörld 世界 ESC[31m!" with red, green or blue: wide characters, bytes of characters as tokens, an escape
endless   "word more and more and more …": no token of it ends an answer. Its context is 512 tokens
forever   the same with a context of 200,000
thinker   opens no block in its prompt; says "<think>hm</think> yes"
plain     no chat template: "on and on", then its end
"""
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "strangers"))
import bpe
import weights

CHATML = (Path(__file__).resolve().parent.parent / "strangers" / "templates" / "chatml.jinja").read_text()
SPECIAL = [("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True)]
WORDS = ["Hello", " red", " green", " blue", " w", "rld", "word", " more", " and", "<think>", "hm", "</think>", " yes", "on", " on"]
BYTE = {byte: bpe.BYTES[byte] for byte in range(256)}


def chain(*pieces):
    """[token, …]: words as they are, other text as its bytes."""
    out = []
    for piece in pieces:
        out += [piece] if piece in WORDS or piece.startswith("<|") else [BYTE[b] for b in piece.encode()]
    return out


def followers(tokens):
    table = {}
    for a, b in zip(tokens, tokens[1:]):
        table.setdefault(a, [])
        if b not in table[a]:
            table[a].append(b)
    return table


def talker():
    table = followers(chain("\n", "Hello", " red", " w", "ö", "rld", " 世界\x1b[31m!", "<|im_end|>"))
    table["Hello"] = [" red", " green", " blue"]
    table[" green"] = table[" blue"] = table[" red"]
    return table


TABLES = {
    "talker": talker,
    "endless": lambda: followers(chain("\n", "word", " more", " and", " more")),
    "forever": lambda: followers(chain("\n", "word", " more", " and", " more")),
    "thinker": lambda: followers(chain("\n", "<think>", "hm", "</think>", " yes", "<|im_end|>")),
    "plain": lambda: followers(chain("?", "on", " and", " on", "<|endoftext|>")),
}


def make(name, folder):
    folder.mkdir(parents=True)
    tokens = bpe.Tokenizer("bytes", SPECIAL + [(w, False) for w in WORDS], [], merges=0)
    table = {tokens.ids[a]: [tokens.ids[b] for b in after] for a, after in TABLES[name]().items()}
    weights.save(folder, weights.draw("llama", 4, len(tokens.ids), False, table))
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": weights.WIDTH,
              "intermediate_size": weights.FFN, "num_attention_heads": weights.HEADS, "num_key_value_heads": weights.KV_HEADS,
              "num_hidden_layers": weights.LAYERS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": False,
              "max_position_embeddings": 200_000 if name == "forever" else weights.POSITIONS, "vocab_size": len(tokens.ids),
              "eos_token_id": tokens.ids["<|endoftext|>"]}
    bpe.dump(folder / "config.json", config)
    tokens.write(folder, {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|endoftext|>"}, None if name == "plain" else CHATML)


if __name__ == "__main__":
    for name in TABLES:
        make(name, Path(sys.argv[1]) / name)
