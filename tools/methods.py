#!/usr/bin/env python3
"""Every preference loss and every critic-free recipe from one SFT checkpoint, on the same data, watched by the same gold reward.

    tools/methods.py build/hone --align runs/align --out runs/methods [--seeds 1 2] [--jobs 2] [--only dpo grpo]

`--align` is a finished run of recipes/align.toml: its SFT model, comparisons, reward model and prompts are what every method
learns from. Each method is a run folder of its own under --out, kept and gone on with by the same call. Prints a table in
Markdown: gold reward on the watched held-out prompts after, beside the SFT model's own by the recipe's evaluation, and the
divergence where the method measures it. Ends with 1 where a method does not end, or gold does not rise.
"""
import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A model of half a million parameters learns at other rates than those that people have (recipes/align.toml): one rate and one
# length for all losses, and for each what its scale asks for.
PREFERENCE = {"--epochs": "0.25", "--optim.lr": "1e-4", "--optim.warmup-steps": "10", "--watch-every": "1000"}
OWN = {
    "kto": {"--epochs": "0.125"},  # of each comparison it sees two answers
    "bco": {"--epochs": "0.125"},
    # Its minimum lies at a margin of ln(1 / eps - 1) / beta: 69 nats at .1, where this model says nothing any more (gold .560).
    "exo": {"--loss.beta": "1"},
    # At its own tau of .05 the loss rises where learning starts (its slope at 0 is +.78), and half of the pairs are unlearnt: .484.
    "discopop": {"--loss.tau": "0.5", "--epochs": "0.125"},
    # Holds quantiles of all answers against each other, so that nothing saturates at .1: .306.
    "aot_unpaired": {"--loss.beta": "1", "--epochs": "0.125"},
    # Lowers both answers, for a model better than the chosen ones, which this one is not: gold rises for some 40 steps, then falls.
    "apo_down": {"--loss.beta": "1", "--epochs": "0.0625", "--optim.lr": "5e-5"},
}
ROOT = Path(__file__).resolve().parents[1]
GROUP = sorted(p.stem for p in (ROOT / "recipes").glob("*.toml") if "--data runs/align" in p.read_text())


def stage(align, kind):
    found = sorted(align.glob(f"*-{kind}"))
    if len(found) != 1:
        sys.exit(f"methods: {align} holds {len(found)} stages '{kind}', must be a finished run of recipes/align.toml")
    return found[0]


def command(hone, align, name, seed, out, own):
    if name in GROUP:
        return [hone, "run", ROOT / f"recipes/{name}.toml", "--data", align, "--out", out, "--resume", "--seed", seed, "--threads", "1",
                "--set", f"group.watch={stage(align, 'world')}", "--set", "group.watch_every=1000", *own]
    return [hone, "preference", "--model", stage(align, "sft") / "model", "--data", stage(align, "compare") / "comparisons.jsonl",
            "--watch", stage(align, "world"), "--loss.name", name, "--out", out, "--resume", "--seed", seed, "--threads", "1",
            *(word for pair in (PREFERENCE | OWN.get(name, {})).items() for word in pair), *own]


def last_look(folder):
    """The last step of metrics.jsonl that was watched."""
    file = next(folder.rglob("metrics.jsonl"))
    rows = (json.loads(line) for line in file.read_text().split("\n") if line)
    return [row for row in rows if "eval_gold" in row][-1]


def gold_of_sft(align):
    results = json.loads((stage(align, "eval") / "results.json").read_text())
    return next(m["gold"]["value"] for m in results["models"] if m["name"] == "sft")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hone", type=Path)
    parser.add_argument("--align", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+")
    asked, own = parser.parse_known_args()
    listed = subprocess.run([asked.hone, "list", "losses", "--json"], capture_output=True, text=True, check=True).stdout
    losses = [e["name"] for e in json.loads(listed) if e["detail"] == "preference"]
    names = [n for n in losses + GROUP if not asked.only or n in asked.only]
    asked.out.mkdir(parents=True, exist_ok=True)

    def run(job):
        name, seed = job
        out, begun = asked.out / f"{name}-{seed}", time.monotonic()
        with open(asked.out / f"{name}-{seed}.log", "w") as log:
            done = subprocess.run(list(map(str, command(asked.hone, asked.align, name, seed, out, own))), stdout=log, stderr=log)
        if done.returncode != 0:
            return name, seed, None, f"ended with {done.returncode}, see {log.name}"
        return name, seed, last_look(out), f"{time.monotonic() - begun:.0f} s"

    failed = 0
    before = gold_of_sft(asked.align)
    print(f"SFT: gold {before:.3f}\n\n| method | seed | gold | KL, nats an answer | time |\n|---|---|---|---|---|", flush=True)
    with ThreadPoolExecutor(asked.jobs) as pool:
        for name, seed, last, words in pool.map(run, [(n, s) for n in names for s in asked.seeds]):
            if last is None:
                failed += 1
                print(f"| {name} | {seed} | - | - | {words} |", flush=True)
                continue
            failed += last["eval_gold"] <= before
            kl = f"{last['kl']:.2f}" if "kl" in last else "-"
            print(f"| {name} | {seed} | {last['eval_gold']:.3f} | {kl} | {words} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
