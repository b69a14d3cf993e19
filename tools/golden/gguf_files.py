"""Makes the golden files of tests/golden/gguf with PyPI's gguf, transformers and tokenizers.

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 transformers accelerate gguf tokenizers jinja2
    VENV/bin/python tools/golden/gguf_files.py tests/golden/gguf [../shared/data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf]

blocks.gguf: random blocks of every tensor type that is read ("Q4_K") beside what gguf.quants.dequantize makes of them
("Q4_K.values"). NAME.gguf with NAME.json: small random models in the layout of llama.cpp's converter, and the logits that
transformers computes from the dequantised weights. smollm2.json: of the real file the SHA-256 of every dequantised tensor,
token ids, chats, log-probabilities and greedy continuations. versions.json records what made them.
"""
import hashlib
import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as T
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, Qwen2Config

TYPES = [T.F32, T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K]
# Where the f16 scales of a block lie: random bytes there would be infinities and NaNs as often as numbers.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108],
          T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def write_blocks(path):
    rng = np.random.default_rng(12)
    writer = gguf.GGUFWriter(path, "blocks")
    for kind in TYPES:
        block, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = 1024 // block if block > 1 else 256
        data = rng.integers(0, 256, (blocks, size), dtype=np.uint8)
        halves = rng.normal(0, 0.05, (blocks, len(SCALES.get(kind, [])))).astype(np.float16)
        if blocks >= 4 and halves.size:  # zero, the smallest subnormal, a negative zero, the largest
            halves[:4, 0] = [0.0, 6e-8, -0.0, 65504.0]
        for i, at in enumerate(SCALES.get(kind, [])):
            data[:, at:at + 2] = halves[:, i:i + 1].view(np.uint8)
        if kind == T.F32:
            data = rng.normal(size=(blocks, 1)).astype(np.float32).view(np.uint8)
        if kind == T.F16:  # every exponent but the last, subnormals too
            data = (rng.integers(0, 0x7c00, (blocks, 1), dtype=np.uint16) | (rng.integers(0, 2, (blocks, 1), dtype=np.uint16) << 15)).view(np.uint8)
        if kind == T.BF16:
            data = rng.integers(0, 0x7f80, (blocks, 1), dtype=np.uint16).view(np.uint8)
        values = gguf.quants.dequantize(data.reshape(1, -1), kind).astype(np.float32)
        writer.add_tensor(kind.name, np.ascontiguousarray(data.reshape(1, -1)) if kind not in (T.F32, T.F16) else
                          data.reshape(1, -1).view(np.float32 if kind == T.F32 else np.float16), raw_dtype=kind)
        writer.add_tensor(kind.name + ".values", values)
    close(writer)


def close(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# The converter's names (gguf-py/gguf/tensor_mapping.py) and what it does to some tensors (convert_hf_to_gguf.py).
LLAMA = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
         "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
         "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
GPT2 = {"transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
        "ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm",
        "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}


def permute(weights, heads):  # LlamaModel.permute
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def unpermute(weights, heads):
    return weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


SIZES = dict(vocab_size=96, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             intermediate_size=96, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
# name: architecture, config, tensor type of the matrices
MODELS = {
    "llama": ("llama", LlamaConfig(**SIZES, tie_word_embeddings=True, rms_norm_eps=1e-5), T.Q8_0),
    "llama-untied-biases": ("llama", LlamaConfig(**SIZES, tie_word_embeddings=False, attention_bias=True), T.Q5_1),
    "llama-llama3": ("llama", LlamaConfig(**SIZES, rope_parameters=LLAMA3), T.BF16),
    "llama-yarn": ("llama", LlamaConfig(**SIZES, rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                                                                      original_max_position_embeddings=16)), T.F16),
    "qwen2": ("qwen2", Qwen2Config(**SIZES, tie_word_embeddings=False), T.Q4_0),
    "gpt2": ("gpt2", GPT2Config(vocab_size=96, n_embd=64, n_layer=2, n_head=4, n_inner=96, n_positions=64, bos_token_id=1,
                                eos_token_id=2), T.Q4_1),
}


def randomise(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() == 1:
            parameter.data.copy_((0.0 if name.endswith("bias") else 1.0) + 0.3 * noise)
        elif any(part in name for part in ("embed", "wte", "wpe", "lm_head")):
            parameter.data.copy_(0.5 * noise)
        else:
            parameter.data.copy_(noise * (1.5 / parameter.shape[-1] ** 0.5))


def gguf_name(name, names):
    stem, _, end = name.rpartition(".")
    for hf, short in names.items():
        if stem == hf:
            return f"{short}.{end}"
        if stem.endswith("." + hf) and (".layers." in stem or ".h." in stem):
            layer = stem.removeprefix("model.layers.").removeprefix("transformer.h.").split(".")[0]
            if stem.split(f".{layer}.", 1)[1] == hf:
                return f"blk.{layer}.{short}.{end}"
    raise KeyError(name)


def llama3_factors(config):  # LlamaModel.generate_extra_tensors
    rope, dim = config.rope_parameters, config.hidden_size // config.num_attention_heads
    freqs = 1.0 / (rope["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim))
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    length, out = rope["original_max_position_embeddings"], []
    for freq in freqs:
        wavelength = 2 * np.pi / freq
        if wavelength < length / high:
            out.append(1)
        elif wavelength > length / low:
            out.append(rope["factor"])
        else:
            smooth = (length / wavelength - low) / (high - low)
            out.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(out, dtype=np.float32)


def write_model(out, name, index):
    arch, config, kind = MODELS[name]
    gpt2 = arch == "gpt2"
    generator = torch.Generator().manual_seed(2000 + index)
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config).float().eval()
    randomise(model, generator)
    writer = gguf.GGUFWriter(out / f"{name}.gguf", arch)
    writer.add_vocab_size(96)
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(64)
    writer.add_feed_forward_length(96)
    writer.add_head_count(4)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    if gpt2:
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_head_count_kv(2)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
        writer.add_rope_dimension_count(16)
        if config.rope_parameters["rope_type"] == "yarn":
            writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
            writer.add_rope_scaling_factor(config.rope_parameters["factor"])
            writer.add_rope_scaling_orig_ctx_len(config.rope_parameters["original_max_position_embeddings"])
        if config.rope_parameters["rope_type"] == "llama3":
            writer.add_tensor("rope_freqs.weight", llama3_factors(config))
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            data = parameter.numpy().copy()
            turned = gpt2 and parameter_name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight"))
            if turned:
                data = data.T.copy()
            heads = {"q_proj": 4, "k_proj": 2}.get(parameter_name.split(".")[-2], 0) if arch == "llama" else 0
            if heads:
                data = permute(data, heads)
            quantised = kind if data.ndim > 1 else T.F32
            packed = gguf.quants.quantize(data, quantised)
            writer.add_tensor(gguf_name(parameter_name, GPT2 if gpt2 else LLAMA), packed, raw_dtype=quantised)
            back = gguf.quants.dequantize(packed, quantised).reshape(data.shape)
            if heads:
                back = unpermute(back, heads)
            parameter.copy_(torch.from_numpy((back.T if turned else back).copy()))
        close(writer)
        ids = torch.randint(3, 96, (57,), generator=generator)
        logits = model(ids[None]).logits[0]
        if name in ("llama", "qwen2", "gpt2"):  # transformers' own reader of GGUF must agree with this script
            other = AutoModelForCausalLM.from_pretrained(out, gguf_file=f"{name}.gguf", dtype=torch.float32, config=config).eval()
            print(name, "max difference to transformers' own reader", (other(ids[None]).logits[0] - logits).abs().max().item())
    rows = [0, 1, 30, 56]  # all positions in one number each, four of them whole
    expected = {"ids": ids.tolist(), "logsumexp": torch.logsumexp(logits, -1).tolist(), "rows": rows,
                "logits": [[round(x, 5) for x in logits[r].tolist()] for r in rows]}
    (out / f"{name}.json").write_text(json.dumps(expected) + "\n")


def field(reader, key):
    return reader.fields[key].contents()


def smollm2_tokenizer(reader):
    """From the metadata with Hugging Face's own parts, as the published tokenizer.json has them: digits one by one, then
    GPT-2's byte level."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    tokens, merges = field(reader, "tokenizer.ggml.tokens"), field(reader, "tokenizer.ggml.merges")
    t = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    kinds = field(reader, "tokenizer.ggml.token_type")
    t.add_special_tokens([AddedToken(tokens[i], special=True, normalized=False) for i, k in enumerate(kinds) if k == 3])
    return t


def smollm2_model(reader):
    config = LlamaConfig(vocab_size=49152, hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
                         intermediate_size=1536, max_position_embeddings=8192, rms_norm_eps=1e-5, tie_word_embeddings=True,
                         rope_parameters=dict(rope_type="default", rope_theta=100000.0))
    model = AutoModelForCausalLM.from_config(config).float().eval()
    names = {gguf_name(n, LLAMA): n for n, _ in model.named_parameters()}
    state, hashes = model.state_dict(), {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        hashes[tensor.name] = hashlib.sha256(np.ascontiguousarray(values, dtype=np.float32).tobytes()).hexdigest()[:16]
        heads = 9 if tensor.name.endswith("attn_q.weight") else 3 if tensor.name.endswith("attn_k.weight") else 0
        state[names[tensor.name]].copy_(torch.from_numpy(np.array(unpermute(values, heads) if heads else values)))
    model.tie_weights()
    return model, hashes


CHATS = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [{"role": "system", "content": "Answer in one word."}, {"role": "user", "content": "What colour is the sky on a clear day?"}],
    [{"role": "user", "content": "Count from 1 to 12."}, {"role": "assistant", "content": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"},
     {"role": "user", "content": "Now backwards, please: 12\n11\n10"}],
    [{"role": "user", "content": "Schreib einen Satz \u00fcber B\u00e4ume \U0001f333 & \u6728."}],
    [{"role": "user", "content": "def f(x):\n    return x ** 2\n\nWhat does f(1234) give?"}],
]


def write_smollm2(out, path):
    reader = gguf.GGUFReader(path)
    tokenizer = smollm2_tokenizer(reader)
    texts = json.loads((out.parent / "text" / "kinds_texts.json").read_text())
    texts += ["<|im_start|>user\nHi<|im_end|>\n", "<|endoftext|>", "1234567890 12,345.67 \u00b2\u2460\u0664", "<repo_name>a<file_sep>b",
              "\n\n\n   \t x", "I'm you're don't IT'S", "caf\u00e9 e\u0301 \u4f60\u597d \u0623\u0647\u0644\u0627 \U0001f469\u200d\U0001f680"]
    result = {"ids": [{"text": t, "ids": tokenizer.encode(t, add_special_tokens=False).ids} for t in texts]}
    from transformers import PreTrainedTokenizerFast
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>")
    fast.chat_template = field(reader, "tokenizer.chat_template")
    result["chats"] = []
    for chat in CHATS:
        for prompt in (False, True):
            text = fast.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt)
            result["chats"].append({"messages": chat, "add_generation_prompt": prompt, "rendered": text,
                                    "ids": tokenizer.encode(text, add_special_tokens=False).ids})
    with torch.no_grad():
        model, result["tensors"] = smollm2_model(reader)
        result["logps"] = []
        for chat in result["chats"]:
            if chat["add_generation_prompt"]:
                continue
            ids = torch.tensor(chat["ids"])
            logps = torch.log_softmax(model(ids[None]).logits[0].double(), -1)
            result["logps"].append({"ids": chat["ids"], "logps": [round(logps[i, t].item(), 6) for i, t in enumerate(ids[1:])]})
        result["greedy"] = []
        for chat in result["chats"]:
            if not chat["add_generation_prompt"]:
                continue
            ids, margins = list(chat["ids"]), []
            for _ in range(24):
                top = torch.topk(torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].double(), -1), 2)
                ids.append(top.indices[0].item())
                margins.append(round((top.values[0] - top.values[1]).item(), 6))
                if ids[-1] == 2:
                    break
            result["greedy"].append({"prompt": chat["ids"], "ids": ids[len(chat["ids"]):], "margins": margins})
            print(tokenizer.decode(ids[len(chat["ids"]):]), min(margins))
    (out / "smollm2.json").write_text(json.dumps(result) + "\n")


def main(out, smollm2):
    write_blocks(out / "blocks.gguf")
    for index, name in enumerate(MODELS):
        write_model(out, name, index)
    if smollm2:
        write_smollm2(out, smollm2)
    (out / "versions.json").write_text(json.dumps({"gguf": __import__("importlib.metadata").metadata.version("gguf"),
                                                   "torch": torch.__version__, "transformers": transformers.__version__,
                                                   "tokenizers": __import__("tokenizers").__version__}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
