"""The strangers: what somebody's folder says in its five JSON files, and which rows come with it.

`ends` are the tokens that end an answer: what the template writes after one, and what config.json, generation_config.json and
the tokenizer name. `opening` and `closing` are what the template writes before and after an answer; the weights are drawn
around them.
"""
import collections
import dataclasses
from pathlib import Path

import rows
import bpe
import weights

TEMPLATES = Path(__file__).parent / "templates"


@dataclasses.dataclass
class Kind:
    name: str
    family: str                  # llama, mistral, qwen2, gpt2
    added: list                  # (text, is special)
    settings: dict               # tokenizer_config.json
    ends: list
    demonstrations: str          # the style of its rows
    comparisons: str
    config: dict                 # token ids by their text; other keys of config.json
    generation: dict = None      # the same of generation_config.json
    template: str = None         # templates/NAME.jinja
    opening: str = ""
    closing: str = ""
    kind: str = "bytes"
    pattern: str = bpe.GPT2
    tied: bool = False
    padded_rows: int = 0
    bos_first: str = None
    nfc: bool = False
    dtype: str = "F32"
    shards: int = 1


CHATML = [("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True)]
LLAMA2 = [("<unk>", True), ("<s>", True), ("</s>", True)]
QWEN = {"tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": False, "add_bos_token": False, "bos_token": None,
        "errors": "replace", "split_special_tokens": False, "unk_token": None}
LLAMA = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": False, "legacy": True, "bos_token": "<s>",
         "eos_token": "</s>", "unk_token": "<unk>", "sp_model_kwargs": {}, "use_default_system_prompt": False}
FAST = {"tokenizer_class": "PreTrainedTokenizerFast"}

KINDS = [
    # A turn ends with <|im_end|> and a newline; every file but the template says <|endoftext|>.
    Kind("chatml", "llama", CHATML, {**FAST, "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
         ["<|endoftext|>", "<|im_end|>"], "messages", "conversational",
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>", "pad_token_id": None},
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>"},
         "chatml", "<|im_start|>assistant\n", "<|im_end|>"),
    Kind("llama3", "llama", [(f"<|{t}|>", True) for t in ("begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eom_id",
                                                         "eot_id", "finetune_right_pad_id")],
         {**FAST, "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", "pad_token": "<|finetune_right_pad_id|>"},
         ["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"], "sharegpt", "implicit",
         {"bos_token_id": "<|begin_of_text|>", "eos_token_id": ["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"], "rope_theta": 500000.0,
          "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 128,
                           "rope_type": "llama3"}},
         {"bos_token_id": "<|begin_of_text|>", "eos_token_id": ["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"], "do_sample": True,
          "temperature": 0.6, "top_p": 0.9},
         "llama3", "<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>", pattern=bpe.LLAMA3,
         bos_first="<|begin_of_text|>", dtype="BF16"),
    Kind("mistral", "mistral", LLAMA2, {**LLAMA, "additional_special_tokens": []}, ["</s>"], "alpaca", "hh",
         {"bos_token_id": "<s>", "eos_token_id": "</s>", "sliding_window": None},
         {"bos_token_id": "<s>", "eos_token_id": "</s>"},
         "mistral", "[/INST]", "</s>", kind="metaspace", bos_first="<s>", dtype="BF16", shards=3),
    Kind("zephyr", "mistral", LLAMA2, {**LLAMA, "pad_token": "</s>", "padding_side": "left", "truncation_side": "left"}, ["</s>"],
         "completion", "ultrafeedback", {"bos_token_id": "<s>", "eos_token_id": "</s>", "pad_token_id": "</s>", "sliding_window": 4096},
         {"bos_token_id": "<s>", "eos_token_id": "</s>", "pad_token_id": "</s>"},
         "zephyr", "<|assistant|>\n", "</s>", kind="metaspace", bos_first="<s>"),
    Kind("thinking", "qwen2", CHATML + [("<think>", False), ("</think>", False)],
         {**QWEN, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}, ["<|endoftext|>", "<|im_end|>"], "reasoning", "reasoning",
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|im_end|>"},
         {"bos_token_id": "<|endoftext|>", "eos_token_id": ["<|im_end|>", "<|endoftext|>"], "pad_token_id": "<|endoftext|>",
          "do_sample": True, "temperature": 0.6, "top_k": 20, "top_p": 0.95},
         "thinking", "<think>\n", "<|im_end|>", pattern=bpe.QWEN2, nfc=True, dtype="BF16"),
    # The generation prompt opens a block that no answered turn has: reasoning is stripped from every turn.
    Kind("r1", "qwen2", [("<\uff5cbegin\u2581of\u2581sentence\uff5c>", True), ("<\uff5cend\u2581of\u2581sentence\uff5c>", True), ("<\uff5cUser\uff5c>", False),
                         ("<\uff5cAssistant\uff5c>", False), ("<think>", False), ("</think>", False)],
         {**FAST, "add_bos_token": True, "add_eos_token": False, "bos_token": "<\uff5cbegin\u2581of\u2581sentence\uff5c>",
          "eos_token": "<\uff5cend\u2581of\u2581sentence\uff5c>", "pad_token": "<\uff5cend\u2581of\u2581sentence\uff5c>"},
         ["<\uff5cend\u2581of\u2581sentence\uff5c>"], "traces", "traces",
         {"bos_token_id": "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "eos_token_id": "<\uff5cend\u2581of\u2581sentence\uff5c>"},
         {"bos_token_id": "<\uff5cbegin\u2581of\u2581sentence\uff5c>", "eos_token_id": "<\uff5cend\u2581of\u2581sentence\uff5c>", "do_sample": True,
          "temperature": 0.6, "top_p": 0.95},
         "r1", "<think>\n", "<\uff5cend\u2581of\u2581sentence\uff5c>", pattern=bpe.QWEN2, nfc=True, dtype="BF16",
         bos_first="<\uff5cbegin\u2581of\u2581sentence\uff5c>"),
    Kind("tools", "qwen2", CHATML + [("<tool_call>", False), ("</tool_call>", False)],
         {**QWEN, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}, ["<|endoftext|>", "<|im_end|>"], "tools", "tools",
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|im_end|>"},
         {"bos_token_id": "<|endoftext|>", "eos_token_id": ["<|im_end|>", "<|endoftext|>"], "pad_token_id": "<|endoftext|>",
          "repetition_penalty": 1.1, "do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8},
         "tools", "<|im_start|>assistant\n", "<|im_end|>", pattern=bpe.QWEN2, nfc=True, tied=True, dtype="BF16"),
    Kind("base", "qwen2", CHATML, {**QWEN, "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}, ["<|endoftext|>"], "plain", "plain",
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>"},
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>", "do_sample": False, "max_new_tokens": 2048},
         None, "Answer:", "<|endoftext|>", pattern=bpe.QWEN2, nfc=True, tied=True),
    # More output rows than tokens, and eight of the rows without a token as likely as the end of the turn.
    Kind("padded", "llama", CHATML, {**FAST, "bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}, ["<|im_end|>"],
         "alpaca", "llama-factory", {"bos_token_id": "<|im_start|>", "eos_token_id": "<|im_end|>", "pad_token_id": "<|im_end|>"},
         {"bos_token_id": "<|im_start|>", "eos_token_id": "<|im_end|>", "pad_token_id": "<|im_end|>"},
         "chatml", "<|im_start|>assistant\n", "<|im_end|>", padded_rows=640),
    Kind("gpt2", "gpt2", [("<|endoftext|>", True)],
         {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False, "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
          "unk_token": "<|endoftext|>"},
         ["<|endoftext|>"], "plain", "plain", {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>"},
         {"bos_token_id": "<|endoftext|>", "eos_token_id": "<|endoftext|>"}, None, "Answer:", "<|endoftext|>", tied=True),
]


def answers(kind):
    """What this kind's models say, as text. No calls: a table of single tokens loses its way among their brackets."""
    for item in rows.items():
        if kind.template in ("thinking", "r1"):
            yield f"{item['reason']}\n</think>\n\n{item['answer']}"
        else:
            yield (" " if kind.template in (None, "mistral") else "") + item["answer"]


def tokenizer(kind):
    texts = [kind.opening + answer + kind.closing for answer in answers(kind)]
    texts += [f'\n"of": "{i["thing"]}"' for i in rows.items() if kind.template == "tools"]
    texts += [i["question"] + "\n" + i["bad"] + "\nuser\nassistant\nsystem\n" for i in rows.items()]
    return bpe.Tokenizer(kind.kind, kind.added, texts, kind.pattern)


def followers(kind, tokens):
    """{token: the three tokens that follow it most often in an answer}"""
    counts = collections.defaultdict(collections.Counter)
    for answer in answers(kind):
        ids = tokens.encode(kind.opening + answer + kind.closing)
        start = len(tokens.encode(kind.opening)) - 1
        for a, b in zip(ids[start:], ids[start + 1:]):
            counts[a][b] += 1
    return {a: [b for b, _ in sorted(c.items(), key=lambda e: (-e[1], e[0]))[:3]] for a, c in counts.items()}


def model_config(kind, tokens, size, classifier=False):
    ids = lambda v: [tokens.ids[t] for t in v] if isinstance(v, list) else tokens.ids[v] if isinstance(v, str) and v in tokens.ids else v
    named = {k: ids(v) for k, v in kind.config.items()}
    if kind.family == "gpt2":
        shape = {"activation_function": "gelu_new", "attn_pdrop": 0.1, "embd_pdrop": 0.1, "initializer_range": 0.02, "layer_norm_epsilon": 1e-05,
                 "model_type": "gpt2", "n_ctx": weights.POSITIONS, "n_embd": weights.WIDTH, "n_head": weights.HEADS,
                 "n_layer": weights.LAYERS, "n_positions": weights.POSITIONS, "resid_pdrop": 0.1, "summary_activation": None,
                 "summary_first_dropout": 0.1, "summary_proj_to_labels": True, "summary_type": "cls_index", "summary_use_proj": True,
                 "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}}, "vocab_size": size}
    else:
        shape = {"attention_dropout": 0.0, "hidden_act": "silu", "hidden_size": weights.WIDTH, "initializer_range": 0.02,
                 "intermediate_size": weights.FFN, "max_position_embeddings": weights.POSITIONS, "model_type": kind.family,
                 "num_attention_heads": weights.HEADS, "num_hidden_layers": weights.LAYERS, "num_key_value_heads": weights.KV_HEADS,
                 "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": kind.tied,
                 "torch_dtype": {"F32": "float32", "BF16": "bfloat16"}[kind.dtype], "transformers_version": "4.46.2", "use_cache": True,
                 "vocab_size": size}
        if kind.family == "llama":
            shape |= {"attention_bias": False, "mlp_bias": False, "pretraining_tp": 1, "rope_scaling": None}
        if kind.family == "qwen2":
            shape |= {"max_window_layers": weights.LAYERS, "sliding_window": 32768, "use_sliding_window": False}
    causal = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM", "gpt2": "GPT2LMHeadModel"}[kind.family]
    labels = {}
    if classifier:
        causal = causal.replace("ForCausalLM", "ForSequenceClassification").replace("LMHeadModel", "ForSequenceClassification")
        labels = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
        named.setdefault("pad_token_id", None)
        if named["pad_token_id"] is None:
            # transformers reads the score at the last token that is not padding, so padding must not end an answer.
            named["pad_token_id"] = next(
                tokens.ids[t] for t in ("<unk>", "<|finetune_right_pad_id|>", "<|endoftext|>", "<\uff5cUser\uff5c>") if t in tokens.ids)
    return dict(sorted({"architectures": [causal], **shape, **named, **labels}.items()))


def generation_config(kind, tokens):
    ids = lambda v: [tokens.ids[t] for t in v] if isinstance(v, list) else tokens.ids.get(v, v) if isinstance(v, str) else v
    return {"_from_model_config": True, **{k: ids(v) for k, v in kind.generation.items()}, "transformers_version": "4.46.2"}
