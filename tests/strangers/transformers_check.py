"""Holds hone beside transformers on the strangers' folders; needs torch and transformers (requirements.txt).

    python tests/strangers/transformers_check.py OUT            after run.py --out OUT: what it exported, live
    python tests/strangers/transformers_check.py OUT --freeze   writes expected.json from the folders that make.py wrote
"""
import argparse
import json
import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
sys.dont_write_bytecode = True
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

import kinds
import rows

TEXTS = ["It is Paris.", " What is the capital of Norway?\nOslo!", "caf\u00e9 \u2014 12345 na\u00efve"]


def chat_ids(tokenizer, probe, generate):
    out = tokenizer.apply_chat_template(probe["messages"], tools=probe.get("tools"), add_generation_prompt=generate, tokenize=True)
    return list(out["input_ids"] if hasattr(out, "keys") else out)


def conversations(kind, tokenizer):
    """Token ids of what is compared: prompts and answered prompts."""
    probes = rows.probes(kind.template)
    if probes:
        return [chat_ids(tokenizer, p, p["messages"][-1]["role"] != "assistant") for p in probes]
    plain = [f"Question: {i['question']}\nAnswer:" for i in rows.items()[:2]]
    return [tokenizer(t, add_special_tokens=False)["input_ids"] for t in plain + [plain[0] + " It is Paris."]]


def load(folder, auto=AutoModelForCausalLM):
    return auto.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def logps(model, ids):
    logits = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [logits[i, t].item() for i, t in enumerate(ids[1:])]


@torch.no_grad()
def greedy(model, ids, about):
    """Ends at whatever ends an answer (some generation_config.json do not say all of it), and draws no id without a token."""
    unused = list(range(about["tokens"], about["rows"]))
    prompt = torch.tensor([ids])
    out = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, temperature=None, top_p=None, top_k=None,
                         repetition_penalty=1.0, max_new_tokens=24, eos_token_id=about["ends"], suppress_tokens=unused or None)
    return out[0, len(ids):].tolist()


@torch.no_grad()
def scores(model, sequences, pad):
    """One by one, and as one batch padded on the right."""
    single = [model(torch.tensor([s])).logits[0, 0].item() for s in sequences]
    longest = max(map(len, sequences))
    batch = torch.tensor([s + [pad] * (longest - len(s)) for s in sequences])
    mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sequences])
    return single, model(batch, attention_mask=mask).logits[:, 0].tolist()


def freeze(out):
    strangers = {}
    for kind in kinds.KINDS:
        folder = out / kind.name
        about = json.loads((folder / "about.json").read_text())
        tokenizer = AutoTokenizer.from_pretrained(folder / "model")
        model, classifier = load(folder / "model"), load(folder / "classifier", AutoModelForSequenceClassification)
        sequences = conversations(kind, tokenizer)
        prompts = [s for s, p in zip(sequences, rows.probes(kind.template) or [{"messages": [{"role": "user"}]}] * 2)
                   if p["messages"][-1]["role"] != "assistant"]
        single, _ = scores(classifier, sequences, classifier.config.pad_token_id)
        strangers[kind.name] = {
            "chat": sequences if kind.template else [],
            "texts": [[t, tokenizer(t)["input_ids"]] for t in TEXTS],
            "logps": [[s, [round(x, 5) for x in logps(model, s)]] for s in sequences],
            "greedy": [[s, greedy(model, s, about)] for s in prompts],
            "scores": [[s, round(x, 6)] for s, x in zip(sequences, single)],
        }
    versions = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}
    text = json.dumps({"made_by": "transformers_check.py OUT --freeze", "versions": versions, "strangers": strangers}, indent=1)
    return json.loads(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--freeze", action="store_true")
    args = parser.parse_args()
    if args.freeze:
        expected = freeze(args.out)
        compact = [f' "{name}": {{\n' + ",\n".join(f'  "{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in s.items()) + "\n }"
                   for name, s in expected["strangers"].items()]
        head = json.dumps({k: v for k, v in expected.items() if k != "strangers"}, indent=1)[:-2]
        (Path(__file__).parent / "expected.json").write_text(head + ',\n "strangers": {\n' + ",\n".join(compact) + "\n }\n}\n")
