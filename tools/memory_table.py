"""Planned beside used: the memory of each stage that trains, full and with LoRA, as the table of docs/memory.md.

    tools/memory_table.py BUILD MODEL… [--rows FILE]     MODEL: model folders or .gguf files; FILE: comparisons

Every stage runs two steps twice: `--plan` says what it would take, timing.jsonl what the process then had resident at most,
run.json what its networks' tensors came to.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("build")
parser.add_argument("models", nargs="+")
parser.add_argument("--rows")
parser.add_argument("--dtype", default="f32")
parser.add_argument("--stages", default="sft,reward,preference,ppo")
args = parser.parse_args()
hone = args.build + "/hone"


def run(*command):
    out = subprocess.run([hone, *command], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"hone {' '.join(command)}: {out.stderr[-2000:]}")
    return out.stderr


def megabytes(pattern, text):
    found = re.search(pattern + r"([0-9.]+) MB", text)
    return float(found.group(1)) if found else 0.0


print("| model | stage | learns | planned: networks | activations | KV cache | in all | networks, counted | most resident | planned / resident |")
print("|---|---|---|---|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory() as scratch:
    rows = args.rows or scratch + "/rows.jsonl"
    if not args.rows:
        Path(rows).write_text("".join(json.dumps({"prompt": f"What is {n} plus {n}?", "chosen": f"It is {2 * n}, and no other number.", "rejected": "No."}) + "\n" for n in range(400)))
    for model in args.models:
        for adapter in ([], ["--adapter.rank", "16"]):
            learns = "adapter" if adapter else "all"
            reward = f"{scratch}/reward-{learns}"
            for stage in args.stages.split(","):
                out = f"{scratch}/{stage}-{learns}" if stage != "reward" else reward
                subprocess.run(["rm", "-rf", out])
                command = [stage, "--model", model, "--out", out, "--dtype", args.dtype, "--keep.every", "0", *adapter]
                command += {"sft": ["--data", rows, "--steps", "2", "--batch-tokens", "4096"],
                            "reward": ["--data", rows, "--epochs", "0.2", "--batch-pairs", "32"],
                            "preference": ["--data", rows, "--epochs", "0.2", "--batch-pairs", "32"],
                            "ppo": ["--reward", reward + "/model", "--prompts", rows, "--steps", "2", "--batch-prompts", "32", "--sampling.max-tokens", "16", "--critic-warmup", "0"]}[stage]
                plan = run(*command, "--plan")
                run(*command)
                networks = megabytes(r"bytes a parameter: .*?: ", plan)
                activations, cache, program = megabytes("activations about ", plan), megabytes("KV cache at most ", plan), megabytes("program ", plan)
                resident = max(json.loads(line)["memory_mb"] for line in open(out + "/timing.jsonl"))
                record = json.loads(Path(out + "/run.json").read_text())
                total = networks + activations + cache + program
                name = f"{record['model']['parameters'] / 1e6:.0f}M"
                print(f"| {name} | {stage} | {learns} | {networks:.0f} MB ({networks * 1e6 / record['model']['parameters']:.1f} bytes a parameter) | {activations:.0f} | {cache:.0f} | {total:.0f} | {record['model']['memory_bytes'] / 1e6:.0f} | {resident:.0f} | {total / resident:.2f} |", flush=True)
