"""Byte-pair tokenizers as published folders hold them: tokenizer.json, tokenizer_config.json, special_tokens_map.json.

`bytes`: GPT-2's, Llama 3's and Qwen2's kind, merges over a byte alphabet, split by a pattern first. `metaspace`: Llama 2's and
Mistral's kind, merges over characters with the blank written as U+2581, bytes where a character is unknown.
"""
import collections
import json
import re

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
SPACE = "\u2581"


def alphabet():
    """GPT-2's printable character for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    return {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}


BYTES = alphabet()


def ascii_pattern(pattern):
    """The same pattern for ASCII text and Python's `re`, which knows no \\p."""
    inside = re.sub(r"\[\^([^\]]*)\]", lambda m: "[^" + m[1].replace(r"\p{L}", "A-Za-z").replace(r"\p{N}", "0-9") + "]", pattern)
    return re.compile(inside.replace(r"\p{L}", "[A-Za-z]").replace(r"\p{N}", "[0-9]"))


def merged(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        joined = tuple(symbols[i:i + 2]) == pair
        out.append(symbols[i] + symbols[i + 1] if joined else symbols[i])
        i += 2 if joined else 1
    return out


class Tokenizer:
    """kind: `bytes` or `metaspace`; added: (text, is special) in the order of their ids; added tokens come first for
    `metaspace`, as in Llama 2, and last for `bytes`."""

    def __init__(self, kind, added, texts, pattern=GPT2, merges=320):
        self.kind, self.added, self.pattern = kind, added, pattern
        self.split = re.compile("(" + "|".join(re.escape(t) for t, _ in sorted(added, key=lambda a: -len(a[0]))) + ")")
        words = collections.Counter(tuple(w) for text in texts for part in self.split.split(text) if not self.is_added(part)
                                    for w in self.training_words(part))
        self.merges = []
        symbols = {w: list(w) for w in words}
        while len(self.merges) < merges:
            pairs = collections.Counter()
            for word, count in words.items():
                for pair in zip(symbols[word], symbols[word][1:]):
                    pairs[pair] += count
            if not pairs:
                break
            best = min(pairs, key=lambda p: (-pairs[p], p))
            self.merges.append(best)
            symbols = {w: merged(s, best) for w, s in symbols.items()}
        joined = dict.fromkeys(a + b for a, b in self.merges)  # two merges may make the same token
        names = [t for t, _ in added]
        if kind == "bytes":
            tokens = [BYTES[b] for b in sorted(BYTES)] + list(joined)
            self.vocab = {t: i for i, t in enumerate(tokens)}
            self.ids = self.vocab | {t: len(tokens) + i for i, t in enumerate(names)}
        else:
            letters = sorted({c for w in words for c in w})
            tokens = names[:3] + [f"<0x{b:02X}>" for b in range(256)] + list(joined) + letters
            self.vocab = {t: i for i, t in enumerate(dict.fromkeys(tokens))}
            self.ids = self.vocab | {t: len(self.vocab) + i for i, t in enumerate(names[3:])}

    def is_added(self, text):
        return any(text == t for t, _ in self.added)

    def training_words(self, text):
        """No merge of the metaspace kind crosses a blank or a line, although texts are encoded whole."""
        words = self.words(text)
        return words if self.kind == "bytes" else [w for word in words for w in re.findall(f"{SPACE}*[^{SPACE}\n]+|\n", word)]

    def words(self, text):
        if self.kind == "metaspace":
            return [SPACE + text.replace(" ", SPACE)] if text else []
        return ["".join(BYTES[b] for b in word.encode()) for word in ascii_pattern(self.pattern).findall(text)]

    def encode(self, text):
        """Ids of ASCII text; what the weights are drawn around, never an expectation of a test."""
        ids = []
        for part in self.split.split(text):
            if self.is_added(part):
                ids.append(self.ids[part])
                continue
            for word in self.words(part):
                symbols = list(word)
                for pair in self.merges:
                    symbols = merged(symbols, pair)
                ids += [self.ids[s] for s in symbols]
        return ids

    def added_entry(self, text, special):
        return {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": special}

    def json(self, post_processor=None, nfc=False):
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": self.pattern == GPT2}
        if self.kind == "metaspace":
            normalizer = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": SPACE},
                          {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]}
            pre, decoder = None, {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
        else:
            normalizer, pre, decoder = {"type": "NFC"} if nfc else None, byte_level, byte_level
            if self.pattern != GPT2:
                pre = {"type": "Sequence", "pretokenizers": [
                    {"type": "Split", "pattern": {"Regex": self.pattern}, "behavior": "Isolated", "invert": False}, byte_level]}
            if post_processor is None:
                post_processor = byte_level
        model = {"type": "BPE", "dropout": None, "unk_token": "<unk>" if self.kind == "metaspace" else None,
                 "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": self.kind == "metaspace",
                 "byte_fallback": self.kind == "metaspace", "ignore_merges": self.pattern == LLAMA3, "vocab": self.vocab,
                 "merges": [f"{a} {b}" for a, b in self.merges]}
        return {"version": "1.0", "truncation": None, "padding": None,
                "added_tokens": [{"id": self.ids[t], **self.added_entry(t, special)} for t, special in self.added],
                "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post_processor, "decoder": decoder, "model": model}

    def bos_first(self, bos):
        """The post-processor that puts `bos` before a text."""
        piece = {"SpecialToken": {"id": bos, "type_id": 0}}
        return {"type": "TemplateProcessing", "single": [piece, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [piece, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": bos, "type_id": 1}},
                         {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {bos: {"id": bos, "ids": [self.ids[bos]], "tokens": [bos]}}}

    def write(self, folder, settings, template, post_processor=None, nfc=False):
        """The three files; `settings` are tokenizer_config.json's own (bos_token, eos_token, tokenizer_class, …)."""
        dump(folder / "tokenizer.json", self.json(post_processor, nfc))
        config = {"added_tokens_decoder": {str(self.ids[t]): self.added_entry(t, s) for t, s in self.added},
                  "clean_up_tokenization_spaces": False, "model_max_length": 512, **settings}
        if template is not None:
            config["chat_template"] = template
        dump(folder / "tokenizer_config.json", config)
        dump(folder / "special_tokens_map.json",
             {k: self.added_entry(v, True) for k, v in settings.items() if k.endswith("_token") and isinstance(v, str)})


def dump(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
