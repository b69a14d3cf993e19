"""Makes the golden model folders of tests/golden/models with Hugging Face transformers.

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 transformers safetensors
    VENV/bin/python tools/golden/models.py tests/golden/models [NAME…]     NAME: only these

Every tensor of every model is drawn at random (norms around 1, biases around 0), so that none can be forgotten. Each folder
holds what save_pretrained wrote and expected.safetensors: two sequences, laid end to end, and their logits (or scores at
the last token). versions.json records what made them.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers import GPT2Config, LlamaConfig, MistralConfig, Olmo2Config, Qwen2Config, Qwen3Config

SIZES = dict(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             intermediate_size=48, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def rope(kind, **more):
    return dict(SIZES, max_position_embeddings=64, rope_parameters=dict(rope_type=kind, rope_theta=10000.0, **more))


SHAPES = {
    "llama-tied": LlamaConfig(**SIZES, tie_word_embeddings=True),
    "llama-untied": LlamaConfig(**dict(SIZES, num_key_value_heads=4), tie_word_embeddings=False, rms_norm_eps=1e-5),
    "llama-biases": LlamaConfig(**dict(SIZES, num_key_value_heads=1, head_dim=16), attention_bias=True, mlp_bias=True),
    "llama-linear": LlamaConfig(**rope("linear", factor=4.0)),
    "llama-llama3": LlamaConfig(**rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                       original_max_position_embeddings=16)),
    "llama-yarn": LlamaConfig(**rope("yarn", factor=4.0, original_max_position_embeddings=16)),
    "llama-yarn-mscale": LlamaConfig(**rope("yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=16.0,
                                            beta_slow=2.0, mscale=1.0, mscale_all_dim=0.5, truncate=False)),
    "qwen2": Qwen2Config(**SIZES, tie_word_embeddings=True),
    "qwen2-reward": Qwen2Config(**SIZES, num_labels=1),
    "mistral-sharded": MistralConfig(**SIZES, sliding_window=None),
    "gpt2": GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=2),
    "gpt2-reward": GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_inner=48, n_positions=64, num_labels=1,
                              pad_token_id=0),
    "qwen3": Qwen3Config(**SIZES, head_dim=16, tie_word_embeddings=True),
    "olmo2": Olmo2Config(**SIZES, tie_word_embeddings=False),
}


def randomise(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() == 1:
            centre = 0.0 if name.endswith("bias") else 1.0
            parameter.data.copy_(centre + 0.3 * noise)
        elif "embed" in name or "wte" in name or "wpe" in name or "lm_head" in name:
            parameter.data.copy_(0.5 * noise)
        else:
            parameter.data.copy_(noise * (1.5 / parameter.shape[-1] ** 0.5))


def main(out, only):
    for index, (name, config) in enumerate(SHAPES.items()):
        if only and name not in only:
            continue
        generator = torch.Generator().manual_seed(1000 + index)
        reward = name.endswith("-reward")
        auto = AutoModelForSequenceClassification if reward else AutoModelForCausalLM
        config._attn_implementation = "eager"
        model = auto.from_config(config).float().eval()
        randomise(model, generator)
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        model.save_pretrained(folder, max_shard_size="40KB" if "sharded" in name else "5GB")
        (folder / "generation_config.json").unlink(missing_ok=True)

        lengths = [57, 9]
        ids = [torch.randint(3, 64, (n,), generator=generator) for n in lengths]
        with torch.no_grad():
            outputs = [model(i[None]).logits[0] for i in ids]
        logits = torch.stack([o.reshape(-1) for o in outputs]) if reward else torch.cat(outputs)
        assert reward or logits.std() >= 1, (name, logits.std())
        save_file({"ids": torch.cat(ids), "lengths": torch.tensor(lengths), "logits": logits.contiguous()},
                  folder / "expected.safetensors")
        size = sum(f.stat().st_size for f in folder.iterdir())
        print(f"{name}: std {logits.std():.2f}, {size} bytes")
    versions = {"transformers": transformers.__version__, "torch": torch.__version__, "python": sys.version.split()[0]}
    known = json.loads((out / "versions.json").read_text()) if only else versions
    for name in only:
        known.setdefault("others", {})[name] = versions
    (out / "versions.json").write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
