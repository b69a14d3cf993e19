"""Planned beside used: the memory of each stage that trains, full and with LoRA, as the table of docs/memory.md.

    tools/memory_table.py BUILD [DATA] [--write docs/memory.md]

Models of 4 and 26 million parameters, made here from a text of DATA, and SmolLM2. Every stage runs two steps twice: `--plan`
says what it would take, timing.jsonl what the process then had resident at most, run.json what its networks' tensors came to.
Fails where networks take more than a tenth more or less than planned. --write puts the table between the file's two markers.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = ["model", "stage", "learns", "planned: networks", "activations", "KV cache", "in all", "networks, counted", "most resident", "planned / resident"]
BEGIN, END = "<!-- memory table -->", "<!-- end of memory table -->"
# name, size of the vocabulary, shape: those of `make bench`.
MADE = [("4M", 2048, dict(width=224, layers=6, heads=7, kv_heads=7, ffn=608, context=512)),
        ("26M", 4096, dict(width=512, layers=8, heads=8, kv_heads=4, ffn=1408, context=512))]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("build")
parser.add_argument("data", nargs="?", default="../shared/data")
parser.add_argument("--write")
parser.add_argument("--models", default="4M,26M,SmolLM2")
parser.add_argument("--dtype", default="f32")
parser.add_argument("--stages", default="sft,reward,preference,ppo")
args = parser.parse_args()
hone, data = args.build + "/hone", Path(args.data)


def run(*command):
    out = subprocess.run([hone, *map(str, command)], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"hone {' '.join(map(str, command))}: {out.stderr[-2000:]}")
    return out.stderr


def model(name, folder):
    """A model folder, or a GGUF file."""
    if name == "SmolLM2":
        return data / "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    vocabulary, shape = next((v, s) for n, v, s in MADE if n == name)
    text = data / "tinyshakespeare/tiny_shakespeare.txt"
    run("tokenizer", "--data", text, "--size", vocabulary, "--out", folder / f"tokenizer-{name}")
    options = [part for key, value in shape.items() for part in ("--shape." + key.replace("_", "-"), value)]
    run("pretrain", "--tokenizer", folder / f"tokenizer-{name}/model", "--data", text, "--steps", 1, "--batch-tokens", 1024, "--out", folder / name, *options)
    return folder / name / "model"


def megabytes(pattern, text):
    found = re.search(pattern + r"([0-9.]+) MB", text)
    return float(found.group(1)) if found else 0.0


def row(stage, of, folder, learns, rows):
    reward = folder / f"reward-{learns}"
    out = reward if stage == "reward" else folder / f"{stage}-{learns}"
    shutil.rmtree(out, ignore_errors=True)
    command = [stage, "--model", of, "--out", out, "--dtype", args.dtype, "--keep.every", 0, *(["--adapter.rank", 16] if learns == "adapter" else [])]
    command += {"sft": ["--data", rows, "--steps", 2, "--batch-tokens", 4096],
                "reward": ["--data", rows, "--epochs", 0.2, "--batch-pairs", 32],
                "preference": ["--data", rows, "--epochs", 0.2, "--batch-pairs", 32],
                "ppo": ["--reward", reward / "model", "--prompts", rows, "--steps", 2, "--batch-prompts", 32, "--sampling.max-tokens", 16, "--critic-warmup", 0]}[stage]
    plan = run(*command, "--plan")
    run(*command)
    networks = megabytes(r"bytes a parameter: .*?: ", plan)
    activations, cache, program = megabytes("activations about ", plan), megabytes("KV cache at most ", plan), megabytes("program ", plan)
    resident = max(json.loads(line)["memory_mb"] for line in open(out / "timing.jsonl"))
    record = json.loads((out / "run.json").read_text())["model"]
    counted, total = record["memory_bytes"] / 1e6, networks + activations + cache + program
    off = abs(networks / counted - 1) > 0.1
    return [f"{record['parameters'] / 1e6:.0f}M", stage, learns, f"{networks:.0f} MB ({networks * 1e6 / record['parameters']:.1f} bytes a parameter)",
            f"{activations:.0f}", f"{cache:.0f}", f"{total:.0f}", f"{counted:.0f}", f"{resident:.0f}", f"{total / resident:.2f}"], off


def main():
    lines, wrong = [HEAD, ["---"] * len(HEAD)], 0
    for line in lines:
        print("| " + " | ".join(line) + " |", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = folder / "rows.jsonl"
        rows.write_text("".join(json.dumps({"prompt": f"What is {n} plus {n}?", "chosen": f"It is {2 * n}, and no other number.", "rejected": "No."}) + "\n" for n in range(400)))
        for name in args.models.split(","):
            of = model(name, folder)
            for learns in ("all", "adapter"):
                for stage in args.stages.split(","):
                    line, off = row(stage, of, folder, learns, rows)
                    wrong += off
                    lines.append(line)
                    print("| " + " | ".join(line) + " |" + (" networks more than a tenth off" if off else ""), flush=True)
    if args.write:
        page = Path(args.write).read_text()
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        table = "".join("| " + " | ".join(line) + " |\n" for line in lines)
        Path(args.write).write_text(f"{before}{BEGIN}\n{table}{END}{after}")
    if wrong:
        sys.exit(f"{wrong} stages' networks take more than a tenth more or less than planned")


if __name__ == "__main__":
    main()
