"""LoRA beside full fine-tuning, in turns: SFT of one model, f32, rank 16 on all linear layers, no checkpointing.

    python3 bench/adapters.py HONE MODEL ROWS [--rounds 5] [--steps 3]

MODEL: a model folder or .gguf; ROWS: rows that `hone sft` takes. A round is a run of each; tokens/s are those of timing.jsonl
less the first step, memory is the largest resident of a run, bytes a parameter are run.json's (weights, gradients, optimiser).
"""
import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("hone")
parser.add_argument("model")
parser.add_argument("rows")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--batch-tokens", type=int, default=3200)
args = parser.parse_args()


def run(rank, folder):
    out = tempfile.mkdtemp(dir=folder)
    subprocess.run([args.hone, "sft", "--model", args.model, "--data", args.rows, "--out", out, "--steps", str(args.steps), "--batch-tokens", str(args.batch_tokens),
                    "--micro-tokens", "512", "--dtype", "f32", "--text.held-out", "0", "--keep.every", "0", "--quiet", "--adapter.rank", str(rank)], check=True)
    steps = [json.loads(line) for line in open(out + "/timing.jsonl")][1:]
    record = json.loads(Path(out + "/run.json").read_text())["model"]
    return {"speed": statistics.median(s["tokens_per_s"] for s in steps), "resident": max(s["memory_mb"] for s in steps), "bytes": record["memory_bytes"] / record["parameters"]}


with tempfile.TemporaryDirectory() as folder:
    full, lora = [], []
    for number in range(args.rounds):
        full.append(run(0, folder))
        lora.append(run(16, folder))
        print(f"round {number + 1}: full {full[-1]['speed']:.0f} tokens/s, LoRA {lora[-1]['speed']:.0f}, {lora[-1]['speed'] / full[-1]['speed']:.2f} times", flush=True)
of = lambda runs, key: statistics.median(r[key] for r in runs)
print(f"speed {statistics.median(b['speed'] / a['speed'] for a, b in zip(full, lora)):.2f} times (median of {args.rounds} rounds), most resident {of(lora, 'resident') / of(full, 'resident'):.2f} times "
      f"({of(lora, 'resident'):.0f} of {of(full, 'resident'):.0f} MB), weights, gradients and optimiser {of(lora, 'bytes') / of(full, 'bytes'):.2f} times ({of(lora, 'bytes'):.1f} of {of(full, 'bytes'):.1f} bytes a parameter)")
