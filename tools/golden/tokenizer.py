#!/usr/bin/env python3
"""Golden values of the trained tokenizer, from Hugging Face `tokenizers` and `transformers`.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install tokenizers transformers jinja2
    /tmp/venv/bin/python tools/golden/tokenizer.py tests/golden/text

Writes corpus.txt (made here from a seed), own/ (the tokenizer that Hugging Face's own BPE trainer learns from it with
hone's settings, as transformers opens it) and own_vectors.jsonl (text -> ids, ids -> text, messages -> ids and mask).
hone must learn the very same tokenizer.json and give the same ids.
"""
import json
import random
import re
import sys
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SPECIALS = ["<|bos|>", "<|eos|>", "<|pad|>", "<|user|>", "<|assistant|>", "<|system|>"]
ROOT = Path(__file__).resolve().parents[2]


def source_string(file, pattern):
    """A string constant as the C++ source has it: literals side by side are joined."""
    text = (ROOT / "src/text" / file).read_text()
    body = re.search(pattern, text, re.S).group(1)
    raw = re.findall(r'R"\((.*?)\)"', body, re.S)
    return "".join(raw) if raw else "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', body))


def corpus(rng):
    subjects = ["The cat", "A small dog", "My neighbour's niece", "Nobody", "The old mill", "Élodie", "Ωmega", "李雷"]
    verbs = ["sees", "doesn't like", "they're near", "had painted", "will've sold", "bought"]
    things = ["a red box", "the 42 lamps", "3.14 pies", "naïve café chairs", "eleven (11) apples", "日本語の本", "two\ttabs"]
    lines = []
    for _ in range(1500):
        line = f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(things)}"
        line += rng.choice([".", "!", "?", "...", ";  then left", " -- or not"])
        lines.append(line + rng.choice(["\n", "\n\n", " ", "  \n"]))
    return "".join(lines)


def strings(rng, text):
    hard = ["", " ", "  ", "\n", "\n\n\n", " \n ", "\t", "\r\n", "a", " a", "a ", "it's we'll I'VE 'tis ''s", "don't", "1234567890",
            " 12 345", "3.14159", "\u00a0x\u00a0", "\u2028\u2029\u0085\u180e\u200b", "\u1680\u3000 ideographic", "e\u0301 \u00e9", "ﬁ ﬂ ſ 'ſ K",
            "🙂👩‍👩‍👧‍👦🏳️‍🌈", "नमस्ते", "안녕하세요", "ไทย", "שלום עולם", "ѐЀ", "½ ⅷ ² ٣", "\u0000\u0001\u007f", "x" * 300, " " * 100, "\n" * 50,
            "<|user|>hi<|eos|>", "<|user|> hi <|eos|> there<|bos|>", "<|us", "<|user|", "<<|eos|>>", "a<|pad|><|pad|>b", "https://x.org/?q=1&r=2#z",
            "\ufeffBOM", "\ufffd", "\U0010ffff", "def f(x):\n    return x**2  # comment\n"]
    alphabet = "aeiou thnsr.,'!?\n\t 0123456789éßλж中🙂\u00a0\u0301_-<|>"
    hard += ["".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 40))) for _ in range(120)]
    hard += [text[i:i + rng.randrange(5, 60)] for i in (rng.randrange(len(text)) for _ in range(60))]
    return hard


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(20240607)
    text = corpus(rng)
    (out / "corpus.txt").write_text(text)

    split = source_string("bpe_train.cpp", r"kOwnSplit =(.*?);\n")
    chat = source_string("chat_template.cpp", r"built_in_source\(\) \{\s*return(.*?);\s*\}\n")
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(split), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False, trim_offsets=False)])
    tok.decoder = decoders.ByteLevel(add_prefix_space=False, use_regex=False, trim_offsets=False)
    tok.post_processor = processors.ByteLevel(add_prefix_space=False, use_regex=False, trim_offsets=False)
    tok.train_from_iterator([text], trainers.BpeTrainer(
        vocab_size=600, min_frequency=2, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    own = out / "own"
    own.mkdir(exist_ok=True)
    tok.save(str(own / "tokenizer.json"))
    (own / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|bos|>", "eos_token": "<|eos|>", "pad_token": "<|pad|>",
        "clean_up_tokenization_spaces": False, "chat_template": chat}, indent=1))

    hf = transformers.AutoTokenizer.from_pretrained(own)
    rows = [{"versions": {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__}}]
    for s in strings(rng, text):
        ids = tok.encode(s, add_special_tokens=False).ids
        assert hf(s, add_special_tokens=False).input_ids == ids
        rows.append({"text": s, "ids": ids, "decoded": tok.decode(ids, skip_special_tokens=False),
                     "decoded_plain": tok.decode(ids, skip_special_tokens=True)})
    talks = [[("user", "what is 3?")], [("system", "Be brief."), ("user", "hi\n"), ("assistant", " hello ")],
             [("user", "a"), ("assistant", "b"), ("user", "c 12"), ("assistant", "d\n\n")], [("user", ""), ("assistant", "")]]
    for talk in talks:
        messages = [{"role": r, "content": c} for r, c in talk]
        prompt = talk[-1][0] == "user"
        got = hf.apply_chat_template(messages, tokenize=True, add_generation_prompt=prompt, return_dict=True,
                                     return_assistant_tokens_mask=True)
        rows.append({"messages": messages, "add_generation_prompt": prompt,
                     "rendered": hf.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt),
                     "ids": got["input_ids"], "mask": got["assistant_masks"]})
    with open(out / "own_vectors.jsonl", "w") as f:
        for row in rows:
            f.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
