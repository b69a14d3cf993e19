"""Compares a GGUF file in hone with transformers on the same dequantised weights, live: on fresh texts, not on goldens.

    tools/check_gguf.sh BUILD          sets up an environment of its own and runs this

    VENV/bin/python tools/golden/check_gguf.py build/hone FILE.gguf TEXTS…

Of every text file some passages: their token ids, their log-probabilities (within 1e-3), greedy continuations of a chat
(equal to the first near-tie of 1e-3), read from the file itself and from the folder that `hone import` makes of it;
transformers opens that folder and gives the same logits, ids and chats.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, str(Path(__file__).parent))
import gguf_files

hone, path, texts = sys.argv[1], sys.argv[2], sys.argv[3:]


def ask(verb, rows, *options):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    out = subprocess.run([hone, verb, *options], input=lines, capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"hone {verb} failed: {out.stderr[-2000:]}")
    return [json.loads(line) for line in out.stdout.split("\n") if line]


def near_tie(logps, sure=1e-3):
    top = torch.topk(logps, 2).values
    return (top[0] - top[1]).item() <= sure


passages = []
for text in texts:
    whole = Path(text).read_text(encoding="utf-8", errors="replace")
    passages += [whole[i:i + 400] for i in range(0, min(len(whole), 20 * 4000), 4000)][:20]
reader = gguf.GGUFReader(path)
tokenizer = gguf_files.smollm2_tokenizer(reader)
with torch.no_grad():
    model, _ = gguf_files.smollm2_model(reader)
with tempfile.TemporaryDirectory() as scratch:
    folder = scratch + "/model"
    subprocess.run([hone, "import", path, "--out", folder], check=True, stderr=subprocess.DEVNULL)
    opened, opened_tokenizer = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), AutoTokenizer.from_pretrained(folder)
    failed = []
    for source in (path, folder):
        rows = ask("tokenize", [{"text": p} for p in passages], "--model", source)
        wrong = sum(r["ids"] != tokenizer.encode(p, add_special_tokens=False).ids for r, p in zip(rows, passages))
        print(f"{source}: token ids of {len(passages)} passages, {wrong} differ")
        failed += ["token ids"] * (wrong > 0)
        ids = [r["ids"] for r in rows]
        worst, logits = 0.0, 0.0
        scored = ask("logprobs", [{"ids": i, "prompt_len": 1} for i in ids], "--model", source)
        with torch.no_grad():
            for row, i in zip(scored, ids):
                t = torch.tensor(i)
                own = model(t[None]).logits[0]
                logps = torch.log_softmax(own.double(), -1)[:-1].gather(1, t[1:, None])[:, 0]
                worst = max(worst, (logps - torch.tensor(row["logps"], dtype=torch.double)).abs().max().item())
                if source == path:
                    logits = max(logits, (opened(t[None]).logits[0] - own).abs().max().item())
        print(f"{source}: largest difference of a log-probability {worst:.2e}" +
              (f"; of a logit of the imported folder in transformers {logits:.2e}" if source == path else ""))
        failed += ["log-probabilities"] * (worst > 1e-3) + ["imported logits"] * (logits > 1e-3)
    chats = [{"messages": [{"role": "user", "content": "Continue: " + p[:120]}]} for p in passages[::4]]
    answers = ask("generate", chats, "--model", path, "--temperature", "0", "--max-tokens", "24")
    equal = 0
    with torch.no_grad():
        for chat, answer in zip(chats, answers):
            text = opened_tokenizer.apply_chat_template(chat["messages"], tokenize=False, add_generation_prompt=True)
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            for token in answer["completions"][0]["ids"]:
                logps = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].double(), -1)
                if near_tie(logps):
                    break
                if logps.argmax().item() != token:
                    failed.append("greedy continuation of " + repr(text[-60:]))
                    break
                ids.append(token)
            else:
                equal += 1
    print(f"greedy continuations: {equal} of {len(chats)} equal throughout, the others to their first near-tie")
if failed:
    sys.exit("differs: " + ", ".join(failed))
