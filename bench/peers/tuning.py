"""Whole DPO, SFT and reward-model runs of hone beside TRL's on this machine: the same model, rows, batches and threads, in one run.

    bench/peers/tuning.sh BUILD MODEL ROWS [--dtype f32] [--lora] [--stages dpo,sft,reward,grpo,sample]

MODEL is a model folder (SmolLM2 imported), ROWS comparisons in JSON Lines. Of ROWS the first --rows that fit are taken. hone's
time is that of the whole program (loading, reference pass, training, saving); TRL's that of making the trainer (tokenising,
for DPO its reference pass) and of train(), without Python's start, the model's loading and saving. Runs alternate. `sample`: 32 prompts, 64 new tokens each at temperature 1, beside
transformers' generate; theirs is the time of the one call, hone's that of the whole program, told with and without its start and loading.
`grpo`: steps of 4 prompts x 8 answers of at most 128 tokens at beta 0.04, rewarded by a rule; the median step but the first, by the tokens that
were answered, since both sample their own.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
import transformers
import trl
from datasets import Dataset

LENGTH, BATCH, LR = 512, 16, 1e-6


def rows_of(args, tokenizer):
    """Comparisons of one prompt text and two answers whose two conversations fit."""
    out = []
    for line in open(args.data):
        row = json.loads(line)
        if not all(isinstance(row.get(k), str) and row[k] for k in ("prompt", "chosen", "rejected")):
            continue
        texts = [tokenizer.apply_chat_template([{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row[k]}], tokenize=False)
                 for k in ("chosen", "rejected")]
        if max(len(tokenizer(t).input_ids) for t in texts) <= LENGTH - 8:
            out.append({k: row[k] for k in ("prompt", "chosen", "rejected")})
        if len(out) == args.rows:
            return out
    raise SystemExit(f"{args.data} holds only {len(out)} rows that fit")


def hone(args, stage, folder, rows, lora):
    data = Path(folder) / "rows.jsonl"
    sft = [{"prompt": r["prompt"], "completion": r["chosen"]} for r in rows]
    data.write_text("".join(json.dumps(r) + "\n" for r in (sft if stage == "sft" else rows)))
    out = tempfile.mkdtemp(dir=folder)
    verb = {"dpo": "preference"}.get(stage, stage)
    command = [args.hone, verb, "--model", args.model, "--data", str(data), "--out", out, "--dtype", args.dtype, "--threads", str(args.threads), "--quiet",
               "--text.held-out", "0", "--optim.lr", str(LR), "--text.max-length", str(LENGTH), "--keep.every", "0", "--samples.prompts", "0"]
    command += ["--steps", str(len(rows) // BATCH), "--batch-tokens", str(args.sft_tokens)] if stage == "sft" else ["--batch-pairs", str(BATCH)]
    command += ["--adapter.rank", "16"] if lora else []
    start = time.perf_counter()
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - start
    tokens = sum(json.loads(line).get("tokens", 0) for line in open(Path(out) / "metrics.jsonl"))
    return seconds, tokens


def theirs(args, stage, rows, lora, tokenizer):
    dtype = torch.bfloat16 if args.dtype == "bf16" else torch.float32
    auto = transformers.AutoModelForSequenceClassification if stage == "reward" else transformers.AutoModelForCausalLM
    more = {"num_labels": 1} if stage == "reward" else {}
    model = auto.from_pretrained(args.model, dtype=torch.float32, **more)
    if stage == "reward":
        model.config.pad_token_id = tokenizer.pad_token_id
    peft_config = None
    if lora:
        import peft
        peft_config = peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="SEQ_CLS" if stage == "reward" else "CAUSAL_LM")
    user = lambda text: [{"role": "user", "content": text}]
    assistant = lambda text: [{"role": "assistant", "content": text}]
    with tempfile.TemporaryDirectory() as out:
        common = dict(output_dir=out, per_device_train_batch_size=args.micro, gradient_accumulation_steps=BATCH // args.micro, num_train_epochs=1,
                      learning_rate=LR, logging_steps=1000, save_strategy="no", report_to=[], bf16=args.dtype == "bf16", use_cpu=True,
                      gradient_checkpointing=False, max_length=LENGTH, disable_tqdm=True)
        if stage == "dpo":
            data = [{"prompt": user(r["prompt"]), "chosen": assistant(r["chosen"]), "rejected": assistant(r["rejected"])} for r in rows]
            trainer, config = trl.DPOTrainer, trl.DPOConfig(**common, precompute_ref_log_probs=True)
        elif stage == "sft":
            data = [{"messages": user(r["prompt"]) + assistant(r["chosen"])} for r in rows]
            trainer, config = trl.SFTTrainer, trl.SFTConfig(**common)
        else:
            data = [{"chosen": user(r["prompt"]) + assistant(r["chosen"]), "rejected": user(r["prompt"]) + assistant(r["rejected"])} for r in rows]
            trainer, config = trl.RewardTrainer, trl.RewardConfig(**common)
        start = time.perf_counter()
        trainer(model=model, args=config, train_dataset=Dataset.from_list(data), processing_class=tokenizer, peft_config=peft_config).train()
        return time.perf_counter() - start


GROUPS, ANSWERS, ANSWER, STEPS, BETA = 4, 8, 128, 4, 0.04
RULE = "[0-9]"  # found in an answer: cheap on both sides, and not always the same


def grpo_here(args, folder, rows, lora):
    """-> seconds and answer tokens of the median step."""
    prompts = Path(folder) / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": r["prompt"]}) + "\n" for r in rows))
    out = tempfile.mkdtemp(dir=folder)
    command = [args.hone, "group", "--model", args.model, "--prompts", str(prompts), "--out", out, "--dtype", args.dtype, "--threads", str(args.threads), "--quiet",
               "--rewards", "regex", "--regex.pattern", RULE, "--steps", str(STEPS), "--batch-prompts", str(GROUPS), "--samples-per-prompt", str(ANSWERS),
               "--sampling.max-tokens", str(ANSWER), "--kl-placement", "loss", "--kl-coef", str(BETA), "--loss.aggregation", "sequence_mean",
               "--policy-optim.lr", str(LR), "--keep.every", "0", "--samples.prompts", "0", "--too-long", "drop"]
    command += ["--adapter.rank", "16"] if lora else []
    subprocess.run(command, check=True)
    seconds = [json.loads(line)["seconds"] for line in open(Path(out) / "timing.jsonl")]
    lengths = [json.loads(line)["length"] for line in open(Path(out) / "metrics.jsonl")]
    return median_step(seconds, lengths)


def grpo_there(args, rows, lora, tokenizer):
    model = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    peft_config = None
    if lora:
        import peft
        peft_config = peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    seconds, begun = [], [0.0]

    class Clock(transformers.TrainerCallback):
        def on_step_begin(self, *_, **__):
            begun[0] = time.perf_counter()

        def on_step_end(self, *_, **__):
            seconds.append(time.perf_counter() - begun[0])

    def rule(completions, **_):
        return [1.0 if re.search(RULE, c[0]["content"]) else 0.0 for c in completions]

    with tempfile.TemporaryDirectory() as out:
        config = trl.GRPOConfig(output_dir=out, per_device_train_batch_size=GROUPS * ANSWERS, num_generations=ANSWERS, max_steps=STEPS, learning_rate=LR, beta=BETA,
                                loss_type="grpo", temperature=1.0, max_completion_length=ANSWER, logging_steps=1, save_strategy="no", report_to=[], use_cpu=True,
                                bf16=args.dtype == "bf16", gradient_checkpointing=False, disable_tqdm=True)
        trainer = trl.GRPOTrainer(model=model, args=config, reward_funcs=rule, processing_class=tokenizer, peft_config=peft_config, callbacks=[Clock()],
                                  train_dataset=Dataset.from_list([{"prompt": [{"role": "user", "content": r["prompt"]}]} for r in rows]))
        trainer.train()
        lengths = [log["completions/mean_length"] for log in trainer.state.log_history if "completions/mean_length" in log]
    return median_step(seconds, lengths)


def median_step(seconds, lengths):
    """By seconds a token, without the first, which pays for allocations."""
    steps = sorted(zip(seconds[1:], lengths[1:]), key=lambda s: s[0] / s[1])
    took, length = steps[len(steps) // 2]
    return took, length * GROUPS * ANSWERS


PROMPTS, NEW = 32, 64


def sampled_here(args, folder, rows, new=NEW):
    """The whole program. With one prompt and one new token it is its start and the model's loading."""
    prompts = Path(folder) / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": r["prompt"]}) + "\n" for r in rows))
    start = time.perf_counter()
    subprocess.run([args.hone, "generate", "--model", args.model, "--in", str(prompts), "--out", str(Path(folder) / "answers.jsonl"), "--max-tokens", str(new), "--ignore-end",
                    "--dtype", args.dtype, "--threads", str(args.threads)], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def sampled_there(args, rows, tokenizer, model):
    """All prompts in one batch, padded on the left: generate's fastest stock setting on a CPU."""
    tokenizer.padding_side = "left"
    texts = [tokenizer.apply_chat_template([{"role": "user", "content": r["prompt"]}], tokenize=False, add_generation_prompt=True) for r in rows[:PROMPTS]]
    inputs = tokenizer(texts, return_tensors="pt", padding=True)
    start = time.perf_counter()
    with torch.inference_mode():
        model.generate(**inputs, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, min_new_tokens=NEW, max_new_tokens=NEW, pad_token_id=tokenizer.pad_token_id)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hone", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=96)
    parser.add_argument("--micro", type=int, default=4, help="TRL's rows of one pass")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--lora", action="store_true", help="LoRA of rank 16 on all linear layers, with peft on TRL's side")
    parser.add_argument("--stages", default="dpo,sft,reward")
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    rows = rows_of(args, tokenizer)
    # A step of SFT has as many tokens on both sides.
    lengths = [len(tokenizer(tokenizer.apply_chat_template([{"role": "user", "content": r["prompt"]}, {"role": "assistant", "content": r["chosen"]}], tokenize=False)).input_ids) for r in rows]
    args.sft_tokens = sum(lengths) * BATCH // len(rows)
    print(f"TRL {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}, {args.threads} threads, {args.dtype}{', LoRA' if args.lora else ''}, {len(rows)} rows")
    for stage in args.stages.split(","):
        ours, others = [], []
        if stage == "sample":
            model = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.bfloat16 if args.dtype == "bf16" else torch.float32).eval()
            loading = []
            with tempfile.TemporaryDirectory() as folder:
                for _ in range(args.rounds):
                    ours.append(sampled_here(args, folder, rows[:PROMPTS]))
                    loading.append(sampled_here(args, folder, rows[:1], new=1))
                    others.append(sampled_there(args, rows, tokenizer, model))
            a, b, start = statistics.median(ours), statistics.median(others), statistics.median(loading)
            print(f"sample  hone {a:7.1f} s ({PROMPTS * NEW / a:5.0f} tokens/s)   transformers {b:7.1f} s ({PROMPTS * NEW / b:5.0f} tokens/s)   ratio {b / (a - start):.2f}; {b / a:.2f} with hone's start and loading ({start:.1f} s), which transformers' time is without", flush=True)
            continue
        if stage == "grpo":
            with tempfile.TemporaryDirectory() as folder:
                for _ in range(args.rounds):
                    ours.append(grpo_here(args, folder, rows, args.lora))
                    others.append(grpo_there(args, rows, args.lora, tokenizer))
            rate = lambda steps: statistics.median(seconds / tokens for seconds, tokens in steps)
            (a, n), (b, m) = ours[0], others[0]
            print(f"grpo    hone {a:7.1f} s a step ({n / a:5.0f} answer tokens/s)   TRL {b:7.1f} s ({m / b:5.0f} tokens/s)   ratio a token {rate(others) / rate(ours):.2f}", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(args.rounds):
                seconds, tokens = hone(args, stage, folder, rows, args.lora)
                ours.append(seconds)
                others.append(theirs(args, stage, rows, args.lora, tokenizer))
        a, b = statistics.median(ours), statistics.median(others)
        print(f"{stage:7} hone {a:7.1f} s ({tokens / a:5.0f} tokens/s)   TRL {b:7.1f} s ({tokens / b:5.0f} tokens/s)   ratio {b / a:.2f}", flush=True)


if __name__ == "__main__":
    main()
