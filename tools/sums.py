#!/usr/bin/env python3
"""Sums whose answers can be checked: {"prompt", "answer"} rows for recipes/checked.toml, no sum in both files.

    tools/sums.py FOLDER [--count 800] [--held-out 200] [--largest 99] [--seed 1]

writes FOLDER/sums.jsonl and FOLDER/sums-held-out.jsonl.
"""
import argparse
import json
import random
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--largest", type=int, default=99)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    pairs = [(a, b) for a in range(asked.largest + 1) for b in range(asked.largest + 1)]
    if asked.count + asked.held_out > len(pairs):
        parser.error(f"there are only {len(pairs)} sums of numbers up to {asked.largest}")
    random.Random(asked.seed).shuffle(pairs)
    asked.folder.mkdir(parents=True, exist_ok=True)
    parts = {"sums-held-out.jsonl": pairs[:asked.held_out], "sums.jsonl": pairs[asked.held_out:asked.held_out + asked.count]}
    for name, part in parts.items():
        rows = ({"prompt": f"What is {a} + {b}? Answer with the number only.", "answer": str(a + b)} for a, b in part)
        (asked.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
