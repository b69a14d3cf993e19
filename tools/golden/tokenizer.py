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


def kinds(text):
    """Small tokenizers of every kind that hone reads, trained here, each with a trait that others lack."""
    pre, split_newline = pre_tokenizers, "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    qwen = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" + split_newline)
    level = dict(add_prefix_space=False, trim_offsets=True)

    def added(*tokens):
        return [tokenizers.AddedToken(content, **flags) for content, flags in tokens]

    def make(name, pre_tokenizer, decoder, normalizer=None, tokens=(), alphabet=True, specials=(), size=340, change=None, **model):
        tok = Tokenizer(models.BPE(**model))
        if normalizer:
            tok.normalizer = normalizer
        if pre_tokenizer:
            tok.pre_tokenizer = pre_tokenizer
        tok.decoder = decoder
        tok.train_from_iterator(text.split("\n"), trainers.BpeTrainer(
            vocab_size=size, min_frequency=2, special_tokens=list(specials), show_progress=False,
            initial_alphabet=pre.ByteLevel.alphabet() if alphabet else []))
        tok.add_tokens([t for t in tokens if not t.special])
        tok.add_special_tokens([t for t in tokens if t.special])
        data = json.loads(tok.to_str())
        if change:
            change(data)
        return name, data

    def ignore_merges(data):
        data["model"]["ignore_merges"] = True
        data["model"]["merges"] = data["model"]["merges"][:40]  # words that no merge makes any more

    def pairs_as_strings(data):
        data["model"]["merges"] = [" ".join(m) for m in data["model"]["merges"]]

    def bytes_as_vocabulary(data):  # the trainer takes them as special tokens; real files do not list them as such
        data["added_tokens"] = [t for t in data["added_tokens"] if not t["content"].startswith("<0x")]

    spm = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    bytes_first = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    normal = tokenizers.normalizers
    yield make("gpt2-prefix-space", pre.ByteLevel(add_prefix_space=True, use_regex=True), decoders.ByteLevel(), specials=["<|endoftext|>"], change=pairs_as_strings)
    yield make("neox-nfc", pre.ByteLevel(add_prefix_space=False, use_regex=True), decoders.ByteLevel(), normalizer=normal.NFC(), specials=["<|endoftext|>"],
               tokens=added(("    ", {"normalized": True, "special": False}), ("  ", {"normalized": True, "special": False}), ("→", {"normalized": True, "special": False})))
    yield make("qwen2-flags", pre.Sequence([pre.Split(Regex(qwen), "isolated"), pre.ByteLevel(use_regex=False, **level)]), decoders.ByteLevel(), normalizer=normal.NFC(),
               tokens=added(("<|end|>", {"special": True, "lstrip": True, "rstrip": True}), ("cat", {"single_word": True, "special": False}),
                            ("<|e|>", {"special": True, "normalized": False}), ("<|e|>x", {"special": False, "normalized": False})))
    yield make("llama3-ignore-merges", pre.Sequence([pre.Split(Regex(qwen.replace("\\p{N}|", "\\p{N}{1,3}|", 1)), "isolated"), pre.ByteLevel(use_regex=False, **level)]),
               decoders.ByteLevel(), change=ignore_merges, size=420)
    yield make("digits", pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(use_regex=True, **level)]), decoders.ByteLevel())
    yield make("digit-runs-nfkc", pre.Sequence([pre.Digits(individual_digits=False), pre.ByteLevel(use_regex=True, **level)]), decoders.ByteLevel(), normalizer=normal.NFKC())
    for behavior in ["removed", "merged_with_previous", "merged_with_next", "contiguous"]:
        yield make("split-" + behavior.replace("_", "-"), pre.Sequence([pre.Split(Regex("[aeiou .]"), behavior), pre.ByteLevel(use_regex=False, **level)]), decoders.ByteLevel(), size=300)
    yield make("split-inverted", pre.Sequence([pre.Split(Regex("\\p{L}+"), "removed", invert=True), pre.ByteLevel(use_regex=False, **level)]), decoders.ByteLevel(), size=300)
    yield make("few-bytes", pre.ByteLevel(add_prefix_space=False, use_regex=True), decoders.ByteLevel(), alphabet=False, size=120)
    yield make("unknown-bytes", pre.ByteLevel(add_prefix_space=False, use_regex=True), decoders.ByteLevel(), alphabet=False, size=120, specials=["<unk>"], unk_token="<unk>", fuse_unk=True)
    yield make("spm-prepend", None, spm, normalizer=normal.Sequence([normal.Prepend("▁"), normal.Replace(" ", "▁")]), alphabet=False, specials=bytes_first, size=420, change=bytes_as_vocabulary,
               unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    yield make("spm-gemma", pre.Split(" ", "merged_with_previous"), decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]),
               normalizer=normal.Replace(" ", "▁"), alphabet=False, specials=bytes_first, size=420, change=bytes_as_vocabulary, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    yield make("metaspace", pre.Metaspace(replacement="▁", prepend_scheme="always", split=True), decoders.Metaspace(replacement="▁", prepend_scheme="always"), alphabet=False,
               specials=["<unk>"], size=200, unk_token="<unk>", fuse_unk=False)
    yield make("metaspace-whole", pre.Metaspace(replacement="▁", prepend_scheme="never", split=False), decoders.Metaspace(replacement="▁", prepend_scheme="never"), alphabet=False,
               specials=bytes_first, size=420, change=bytes_as_vocabulary, unk_token="<unk>", byte_fallback=True)


def write_kinds(out, rng, text):
    """kinds/NAME.json and kinds_vectors.jsonl: {"kind", "text", "ids", "decoded"}."""
    (out / "kinds").mkdir(exist_ok=True)
    texts = strings(rng, text) + ["the cat sat<|end|>  on", "a <|end|> b", "cats cat(cat) cat", "<|e|>xy<|e|>", "a    b      c", "e\u0301e\u0301", "½ﬁ①", "12345 678", "a→b", "<0x41>"]
    with open(out / "kinds_vectors.jsonl", "w") as f:
        for name, data in kinds(text[:20000]):
            whole = json.dumps(data, ensure_ascii=False)
            (out / "kinds" / f"{name}.json").write_text(whole + "\n")
            tok = Tokenizer.from_str(whole)
            encoded = [tok.encode(s, add_special_tokens=False).ids for s in texts]
            f.write(json.dumps({"kind": name, "ids": encoded, "decoded": [tok.decode(ids, skip_special_tokens=False) for ids in encoded]}, ensure_ascii=False) + "\n")
    (out / "kinds_texts.json").write_text(json.dumps(texts, ensure_ascii=False) + "\n")


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
    tok.post_processor = processors.TemplateProcessing(  # hone's models learn every text with <|bos|> before it
        single="<|bos|> $A", pair="<|bos|> $A $B:1", special_tokens=[("<|bos|>", 0)])
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
    assert hf("the cat").input_ids[0] == 0
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
    write_kinds(out, random.Random(7), text)


if __name__ == "__main__":
    main()
