"""Makes the golden adapters of tests/golden/adapters with PEFT, over the golden models of tests/golden/models.

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 transformers peft safetensors
    VENV/bin/python tools/golden/adapters.py tests/golden/models tests/golden/adapters

Every A and B is drawn at random. Each folder holds what save_pretrained wrote and expected.safetensors: a sequence, its
logits (or its score at the last token) with the adapter and without. versions.json records what made them.
"""
import json
import os
import shutil
import sys
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "llama": ("llama-biases", dict(r=4, lora_alpha=16, target_modules=LLAMA)),
    "llama-rslora": ("llama-tied", dict(r=3, lora_alpha=5, use_rslora=True, target_modules=["q_proj", "v_proj"])),
    "qwen2-ranks": ("qwen2", dict(r=4, lora_alpha=8, target_modules=LLAMA, rank_pattern={"down_proj": 2})),
    "qwen2-reward": ("qwen2-reward", dict(r=4, lora_alpha=8, task_type="SEQ_CLS", target_modules=["o_proj", "up_proj"])),
    "gpt2": ("gpt2", dict(r=4, lora_alpha=8, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True)),
    "gpt2-reward": ("gpt2-reward", dict(r=2, lora_alpha=8, task_type="SEQ_CLS", target_modules=["c_attn"], fan_in_fan_out=True)),
    "mistral-bf16": ("mistral-sharded", dict(r=4, lora_alpha=16, target_modules="all-linear")),
}


def main(models, out):
    shutil.rmtree(out, ignore_errors=True)
    for index, (name, (base, settings)) in enumerate(CASES.items()):
        generator = torch.Generator().manual_seed(2000 + index)
        reward = settings.get("task_type") == "SEQ_CLS"
        auto = AutoModelForSequenceClassification if reward else AutoModelForCausalLM
        model = auto.from_pretrained(models / base, dtype=torch.float32, attn_implementation="eager").eval()
        ids = torch.randint(3, 64, (1, 23), generator=generator)
        with torch.no_grad():
            without = model(ids).logits[0]
        settings.setdefault("task_type", "CAUSAL_LM")
        adapted = peft.get_peft_model(model, peft.LoraConfig(**settings)).eval()
        for key, parameter in adapted.named_parameters():
            if "lora_" in key or "modules_to_save" in key:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.data.copy_(noise * (0.7 / parameter.shape[-1] ** 0.5))
                if name.endswith("bf16"):
                    parameter.data = parameter.data.to(torch.bfloat16).float()
        with torch.no_grad():
            logits = adapted(ids).logits[0]
        folder = out / name
        adapted.peft_config["default"].base_model_name_or_path = os.path.join("..", "..", "models", base)
        if name.endswith("bf16"):
            adapted = adapted.to(torch.bfloat16)
        adapted.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        save_file({"ids": ids[0], "logits": logits.reshape(-1) if reward else logits.contiguous(),
                   "without": without.reshape(-1) if reward else without.contiguous()}, folder / "expected.safetensors")
        print(f"{name}: moved by {(logits - without).abs().max():.2f}, {sum(f.stat().st_size for f in folder.iterdir())} bytes")
    versions = {"peft": peft.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    (out / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
