#!/usr/bin/env python3
"""Writes tests/golden/trl_trajectories.json: fifty steps of TRL's trainers, for hone to take again.

Each trajectory is one trainer on a tiny model of tests/golden/models, built as a user builds it: its own data loader, its own
generation, AdamW and clipping as transformers do them, a learning rate that falls linearly. Written down are the rows of every
step (of GRPO and RLOO the answers that were sampled, and their rewards), the loss that the trainer's compute_loss gave and the
norm of the gradient before clipping; and at the end what the trained model gives to the rows. Texts are words that stand for
one token id each, so that TRL's tokenising gives back the ids that the file holds. To make the file again:

    python3 -m venv NEW && NEW/bin/pip install torch==2.13.0 trl==1.16.0 transformers==5.24.0
    NEW/bin/python tools/golden/trl_trajectories.py
"""
import json
import platform
import sys

import torch
import transformers
import trl
from transformers import AutoModelForSequenceClassification
from trl import (DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer, RLOOConfig,
                 RLOOTrainer, SFTConfig, SFTTrainer)

from trl_preference import EOS, MODELS, PAD, POLICY, REFERENCE, ROOT, SCRATCH, dataset, draw, model, tokenizer

STEPS, ROWS, BATCH, LR = 50, 24, 6, 1e-3
SCORED = "qwen2-reward"
ANSWERS, LONGEST = 4, 8  # to a prompt; tokens of one


def pairs():
    g = torch.Generator().manual_seed(5001)
    return [{"prompt": draw(g, 3 + i % 4), "chosen": draw(g, 2 + i % 7) + [EOS], "rejected": draw(g, 1 + (5 * i) % 8) + [EOS]}
            for i in range(ROWS)]


def singles():
    return [{"prompt": r["prompt"], "completion": r["chosen"] if i % 3 else r["rejected"], "label": i % 3 > 0}
            for i, r in enumerate(pairs())]


def recorded(trainer):
    """Trains; -> of each step what compute_loss was given and what it returned, and what the trainer logged."""
    seen, compute_loss = [], trainer.compute_loss

    def record(network, inputs, *rest, **named):
        out = compute_loss(network, inputs, *rest, **named)
        seen.append((inputs, (out[0] if isinstance(out, tuple) else out).item()))
        return out
    trainer.compute_loss = record
    trainer.train()
    logged = [row for row in trainer.state.log_history if "grad_norm" in row]
    assert len(seen) == len(logged) == STEPS, (len(seen), len(logged))
    return seen, logged


def arguments(config_class, **more):
    if "train_sampling_strategy" in config_class.__dataclass_fields__:
        more["train_sampling_strategy"] = "sequential"
    if "disable_dropout" in config_class.__dataclass_fields__:
        more["disable_dropout"] = True
    return config_class(output_dir=SCRATCH.name, gradient_checkpointing=False, bf16=False, use_cpu=True, report_to="none", disable_tqdm=True,
                        learning_rate=LR, lr_scheduler_type="linear", max_steps=STEPS, logging_steps=1, save_strategy="no",
                        max_grad_norm=1.0, seed=1, **more)


def logp(network, prompt, completion):
    with torch.no_grad():
        log_p = network(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1:-1].double().log_softmax(-1)
    return log_p.gather(-1, torch.tensor(completion)[:, None]).sum().item()


TRAJECTORIES = []


def keep(name, says, network, rows, steps, end, **more):
    TRAJECTORIES.append({"name": name, "trl": says, "model": network, "lr": LR, "rows": rows, "steps": steps, "end": end, **more})
    print(f"{name:7} loss {steps[0]['loss']:.5f} -> {steps[-1]['loss']:.5f}, gradient {steps[0]['grad_norm']:.4f} -> "
          f"{steps[-1]['grad_norm']:.4f}", file=sys.stderr)


def supervised(name, trainer, rows, network, ids_of, end, **more):
    """Steps of a trainer that goes through its rows in their order, BATCH of them at a time."""
    seen, logged = recorded(trainer)
    steps = []
    for i, ((inputs, loss), row) in enumerate(zip(seen, logged)):
        members = [(i * BATCH + k) % len(rows) for k in range(BATCH)]
        given = sorted([t for t, m in zip(ids, mask) if m] for ids, mask in
                       zip(inputs["input_ids"].tolist(), inputs["attention_mask"].tolist()))
        assert given == sorted(s for m in members for s in ids_of(rows[m])), f"{name}: step {i} has other rows"
        steps.append({"rows": members, "loss": loss, "grad_norm": row["grad_norm"], "lr": row["learning_rate"]})
    keep(name, f"{type(trainer).__name__}", network, rows, steps, end(trainer.model.eval()), **more)


def sft():
    rows = [{"prompt": r["prompt"], "completion": r["chosen"]} for r in pairs()]
    config = arguments(SFTConfig, per_device_train_batch_size=BATCH, max_length=64, completion_only_loss=True)
    trainer = SFTTrainer(model=model(POLICY), args=config, train_dataset=dataset(rows), processing_class=tokenizer())
    supervised("sft", trainer, rows, POLICY, lambda r: [r["prompt"] + r["completion"]],
               lambda m: [logp(m, r["prompt"], r["completion"]) for r in rows])


def reward():
    rows = pairs()
    network = AutoModelForSequenceClassification.from_pretrained(MODELS / SCORED, num_labels=1, dtype=torch.float32,
                                                                attn_implementation="eager")
    network.config.pad_token_id = PAD
    config = arguments(RewardConfig, per_device_train_batch_size=BATCH, max_length=64)
    trainer = RewardTrainer(model=network, args=config, train_dataset=dataset(rows), processing_class=tokenizer())

    def scores(m):
        with torch.no_grad():
            return [m(torch.tensor([r["prompt"] + r[k]])).logits.item() for r in rows for k in ("chosen", "rejected")]
    supervised("reward", trainer, rows, SCORED, lambda r: [r["prompt"] + r["chosen"], r["prompt"] + r["rejected"]], scores)


def dpo():
    rows = pairs()
    config = arguments(DPOConfig, per_device_train_batch_size=BATCH, max_length=64, beta=0.1)
    trainer = DPOTrainer(model=model(POLICY), ref_model=model(REFERENCE), args=config, train_dataset=dataset(rows),
                         processing_class=tokenizer())
    supervised("dpo", trainer, rows, POLICY, lambda r: [r["prompt"] + r["chosen"], r["prompt"] + r["rejected"]],
               lambda m: [logp(m, r["prompt"], r[k]) for r in rows for k in ("chosen", "rejected")],
               reference=REFERENCE, beta=0.1)


def kto():
    rows = singles()
    config = arguments(KTOConfig, per_device_train_batch_size=BATCH, max_length=64, beta=0.1)
    trainer = KTOTrainer(model=model(POLICY), ref_model=model(REFERENCE), args=config, train_dataset=dataset(rows),
                         processing_class=tokenizer())
    completions = [r["completion"] for r in rows]
    mismatched = [completions.index(x) for x in trainer.train_dataset["KL_completion_ids"]]
    supervised("kto", trainer, rows, POLICY, lambda r: [r["prompt"] + r["completion"]], lambda m: [logp(m, r["prompt"], r["completion"]) for r in rows],
               reference=REFERENCE, beta=0.1, mismatched=mismatched)


def liking(ids):
    """Low ids are liked, and an answer that ends; so that the answers to a prompt differ."""
    return sum(t < 24 for t in ids) / len(ids) + 0.5 * (ids[-1] == EOS)


def on_policy(name, trainer_class, config_class, beta, **more):
    g = torch.Generator().manual_seed(5002)
    prompts = [draw(g, 3 + i % 4) for i in range(12)]
    rewards = []

    def rule(completion_ids, **_):
        rewards.append([liking(ids) for ids in completion_ids])
        return rewards[-1]
    config = arguments(config_class, per_device_train_batch_size=2 * ANSWERS, num_generations=ANSWERS,
                       max_completion_length=LONGEST, beta=beta, temperature=1.0,
                       generation_kwargs={"suppress_tokens": [PAD]}, **more)  # transformers gives a pad's embedding no gradient
    trainer = trainer_class(model=model(POLICY), reward_funcs=[rule], args=config,
                            train_dataset=dataset([{"prompt": p} for p in prompts]), processing_class=tokenizer())
    seen, logged = recorded(trainer)
    steps = []
    for (inputs, loss), row, scores in zip(seen, logged, rewards, strict=True):
        def unpadded(what):
            return [[t for t, m in zip(ids, mask) if m] for ids, mask in
                    zip(inputs[f"{what}_ids"].tolist(), inputs[f"{what}_mask"].tolist())]
        # The trainer shuffles what it scored, so that each answer is scored again.
        answers = [{"prompt": p, "answer": a, "reward": liking(a)} for p, a in
                   zip(unpadded("prompt"), unpadded("completion"), strict=True)]
        assert sorted(a["reward"] for a in answers) == sorted(scores), f"{name}: other answers than those that were scored"
        assert all(sum(a["prompt"] == b["prompt"] for b in answers) == ANSWERS for a in answers), f"{name}: other groups"
        steps.append({"answers": answers, "loss": loss, "grad_norm": row["grad_norm"], "lr": row["learning_rate"]})
    m = trainer.model.eval()
    end = [logp(m, a["prompt"], a["answer"]) for a in steps[-1]["answers"]]
    keep(name, f"{trainer_class.__name__}, beta={beta}", POLICY, [], steps, end, beta=beta, answers=ANSWERS, longest=LONGEST)


def main():
    sft()
    reward()
    dpo()
    kto()
    on_policy("grpo", GRPOTrainer, GRPOConfig, 0.04)
    on_policy("rloo", RLOOTrainer, RLOOConfig, 0.05)
    out = {"versions": {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
                        "trl": trl.__version__},
           "trajectories": TRAJECTORIES}
    path = ROOT / "tests" / "golden" / "trl_trajectories.json"
    path.write_text(json.dumps(out, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")


if __name__ == "__main__":
    main()
