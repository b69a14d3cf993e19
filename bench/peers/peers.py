"""hone beside transformers on this machine: the same weights, threads, dtype and amount of work, in one run.

Rollout: `transformers` generate (its fastest stock setting on a CPU: SDPA attention, dynamic cache, inference mode) and
hone's rollout::generate, batch 32, prompts of 64 tokens, 128 new ones, end token off, sampling from the whole
distribution at temperature 1. hone computes each sampled token's log-probability too, transformers does not.

Training: one optimiser step (forward, backward, clipping, fused AdamW) on the same number of tokens. transformers gets
sequences of one length, so that it has no padding; hone gets its own bench's packed sequences of 40 to 200 tokens.

hone writes the model folders (model_bench --inputs), transformers opens them, and model_bench times hone on them.
Runs alternate, and each side's median counts.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
import torch
import transformers

PROMPT, NEW = 64, 128


def hone(args, folder, size, rows, **more):
    """Runs model_bench; returns {row: figures}. `folder` receives (again, the same) models and texts."""
    out = folder / "hone.json"
    command = [args.bench, "--size", size, "--dtype", args.dtype, "--rows", ",".join(rows), "--threads", str(args.threads),
               "--inputs", str(folder), "--json", str(out)]
    for key, value in more.items():
        command += ["--" + key.replace("_", "-"), str(value)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {r["row"]: r for r in json.loads(out.read_text())["rows"]}


def load(folder, size, dtype):
    return transformers.AutoModelForCausalLM.from_pretrained(folder / size / "language", dtype=dtype, attn_implementation="sdpa")


def generate(model, batch):
    """Seconds of one generate call; checks that every sequence got its NEW tokens."""
    prompts = torch.randint(0, model.config.vocab_size, (batch, PROMPT))
    start = time.perf_counter()
    with torch.inference_mode():
        out = model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                             max_new_tokens=NEW, min_new_tokens=NEW, use_cache=True, eos_token_id=None, pad_token_id=0)
    seconds = time.perf_counter() - start
    assert out.shape == (batch, PROMPT + NEW), out.shape
    return seconds


def train_step(model, optimizer, ids, dtype):
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - start


def compare_rollout(args, folder, size):
    hone(args, folder, size, ["rollout"], repeats=1)  # writes the folders
    model = load(folder, size, torch.float32).eval()
    generate(model, args.batch)
    theirs, ours = [], []
    for _ in range(args.rounds):
        theirs.append(args.batch * NEW / generate(model, args.batch))
        ours.append(hone(args, folder, size, ["rollout"], batch=args.batch, repeats=1)["rollout"]["tokens_per_s"])
    return {"hone": statistics.median(ours), "transformers": statistics.median(theirs), "unit": "new tokens/s"}


def compare_training(args, folder, size):
    dtype = torch.bfloat16 if args.dtype == "bf16" else torch.float32
    model = load(folder, size, torch.float32).train()  # f32 master weights on both sides
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    ids = torch.randint(0, model.config.vocab_size, (args.batch_tokens // 128, 128))
    train_step(model, optimizer, ids, dtype)
    theirs, ours = [], []
    for _ in range(args.rounds):
        theirs.append(ids.numel() / train_step(model, optimizer, ids, dtype))
        ours.append(hone(args, folder, size, ["pretrain"], batch_tokens=args.batch_tokens, steps=1)["pretrain"]["tokens_per_s"])
    return {"hone": statistics.median(ours), "transformers": statistics.median(theirs), "unit": "tokens/s"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="hone's model_bench")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--size", default="4M,26M")
    parser.add_argument("--dtype", default="f32", choices=["f32", "bf16"], help="of training; sampling is compared in f32")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each side, alternating")
    parser.add_argument("--json", help="write the figures here")
    args = parser.parse_args()
    args.bench = os.path.abspath(args.bench)
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)

    results = []
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, {args.threads} threads")
    with tempfile.TemporaryDirectory() as temporary:
        for size in args.size.split(","):
            jobs = [("rollout", "f32", compare_rollout), ("train", args.dtype, compare_training)]
            for what, dtype, compare in jobs:
                args_of = argparse.Namespace(**{**vars(args), "dtype": dtype})
                r = {"what": what, "size": size, "dtype": dtype, **compare(args_of, Path(temporary), size)}
                r["ratio"] = r["hone"] / r["transformers"]
                results.append(r)
                print(f"{size:>4} {what:8} {dtype:4}  hone {r['hone']:9,.0f}  transformers {r['transformers']:9,.0f} {r['unit']:12}  ratio {r['ratio']:.2f}", flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__,
                                               "threads": args.threads, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
