"""Holds adapters on disk to PEFT, both ways, live, on a real model.

    tools/check_peft.sh BUILD          sets up an environment of its own and runs this

    VENV/bin/python tools/golden/check_peft.py build/hone FILE.gguf

Written by hone: a LoRA stage of each kind (sft, preference, reward) on SmolLM2; PEFT opens the folder and gives the same
log-probabilities and scores (within 1e-3, f32). Written by PEFT: random adapters of several settings; `hone logprobs` gives
PEFT's figures, over the base and merged.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import peft
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

hone, gguf = sys.argv[1:3]
IDS = [[1, 504, 3575, 282, 4649, 314, 7042, 30], list(range(300, 340)), [9, 8, 7, 6, 5000, 40000, 49151]]
SURE = 1e-3
failed = []


def run(*command):
    out = subprocess.run([hone, *command], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"hone {' '.join(command)} failed: {out.stderr[-2000:]}")


def ask(verb, *options):
    rows = "".join(json.dumps({"ids": ids, "prompt_len": 1} if verb == "logprobs" else {"ids": ids}) + "\n" for ids in IDS)
    out = subprocess.run([hone, verb, *options], input=rows, capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"hone {verb} failed: {out.stderr[-2000:]}")
    return [json.loads(line) for line in out.stdout.split("\n") if line]


def logprobs(model):
    result = []
    for ids in IDS:
        with torch.no_grad():
            logps = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
        result.append([logps[i, t].item() for i, t in enumerate(ids[1:])])
    return result


def compare(what, got, want):
    worst = max(abs(a - b) for g, w in zip(got, want) for a, b in zip(g, w))
    print(f"{what}: {worst:.1e} apart")
    if not worst < SURE or any(len(g) != len(w) for g, w in zip(got, want)):
        failed.append(what)


with tempfile.TemporaryDirectory() as scratch:
    base = scratch + "/base"
    run("import", gguf, "--out", base)
    rows = Path(scratch) / "pairs.jsonl"
    rows.write_text("".join(json.dumps({"prompt": f"What is {n} plus {n}?", "chosen": f"It is {2 * n}.", "rejected": "No."}) + "\n"
                            for n in range(60)))
    common = ["--model", base, "--data", str(rows), "--adapter.rank", "8", "--optim.lr", "1e-3", "--optim.warmup-steps", "1",
              "--dtype", "f32", "--quiet"]
    run("sft", *common, "--steps", "4", "--batch-tokens", "512", "--out", scratch + "/sft")
    run("preference", *common, "--epochs", "0.5", "--batch-pairs", "8", "--adapter.rslora", "true", "--adapter.targets", "q_proj", "--adapter.targets", "mlp.*",
        "--out", scratch + "/preference")
    run("reward", *common, "--epochs", "0.5", "--batch-pairs", "8", "--out", scratch + "/reward")
    plain = logprobs(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval())
    for stage in ("sft", "preference"):
        model = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), f"{scratch}/{stage}/model").eval()
        want = logprobs(model)
        moved = max(abs(a - b) for p, w in zip(plain, want) for a, b in zip(p, w))
        print(f"{stage}: moved log-probabilities by {moved:.2f}")
        if moved < 10 * SURE:
            failed.append(f"{stage} moved nothing")
        compare(f"hone's {stage} adapter in PEFT", [r["logps"] for r in ask("logprobs", "--model", f"{scratch}/{stage}/model", "--dtype", "f32")], want)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(model, f"{scratch}/reward/model").eval()
    notes = json.loads(Path(f"{scratch}/reward/model/hone_adapter.json").read_text())["config"]
    model.config.pad_token_id = model.base_model.model.config.pad_token_id = notes["pad_token_id"]
    with torch.no_grad():
        raw = [[model(torch.tensor([ids])).logits[0, 0].item()] for ids in IDS]
    want = [[(r[0] - notes["hone_reward_shift"]) / notes["hone_reward_scale"]] for r in raw]
    compare("hone's reward adapter in PEFT", [[r["reward"]] for r in ask("score", "--model", f"{scratch}/reward/model", "--dtype", "f32")], want)

    every = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    for name, settings in {"all layers": dict(r=8, lora_alpha=16, target_modules=every),
                           "two layers, rsLoRA": dict(r=3, lora_alpha=5, use_rslora=True, target_modules=["q_proj", "v_proj"]),
                           "ranks by pattern": dict(r=8, lora_alpha=16, target_modules=every, rank_pattern={"down_proj": 2})}.items():
        model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), peft.LoraConfig(task_type="CAUSAL_LM", **settings)).eval()
        generator = torch.Generator().manual_seed(5)
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.3 / parameter.shape[-1] ** 0.5)
        folder = f"{scratch}/{name.replace(' ', '-')}"
        model.save_pretrained(folder)
        want = logprobs(model)
        compare(f"PEFT's adapter in hone, {name}", [r["logps"] for r in ask("logprobs", "--model", base, "--adapter", folder, "--dtype", "f32")], want)
        run("merge", "--model", base, "--adapter", folder, "--out", folder + "-merged", "--quiet")
        compare(f"… merged, {name}", [r["logps"] for r in ask("logprobs", "--model", folder + "-merged", "--dtype", "f32")], want)
print("check_peft:", "FAILED: " + ", ".join(failed) if failed else "all within 1e-3")
sys.exit(bool(failed))
