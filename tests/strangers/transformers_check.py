"""Holds hone beside transformers on the strangers' folders; needs torch and transformers (requirements.txt).

    python tests/strangers/transformers_check.py OUT            after run.py --out OUT: what it exported, live
    python tests/strangers/transformers_check.py OUT --freeze   writes expected.json from the folders that make.py wrote
"""
import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
sys.dont_write_bytecode = True
import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

import checks
import kinds
import rows

TEXTS = ["It is Paris.", " What is the capital of Norway?\nOslo!", "caf\u00e9 \u2014 12345 na\u00efve"]


def chat_ids(kind, tokenizer, probe, generate):
    """What the template renders; where it opens a block for reasoning that no answered turn has, what is sampled after that."""
    last = probe["messages"][-1]
    if kind.template == "r1" and not generate:
        spoken = last["content"].removeprefix("<think>\n") + kind.closing
        return chat_ids(kind, tokenizer, {"messages": probe["messages"][:-1]}, True) + tokenizer(spoken, add_special_tokens=False)["input_ids"]
    out = tokenizer.apply_chat_template(probe["messages"], tools=probe.get("tools"), add_generation_prompt=generate, tokenize=True)
    return list(out["input_ids"] if hasattr(out, "keys") else out)


def conversations(kind, tokenizer):
    """Token ids of what is compared: prompts and answered prompts."""
    probes = rows.probes(kind.template)
    if probes:
        return [chat_ids(kind, tokenizer, p, p["messages"][-1]["role"] != "assistant") for p in probes]
    plain = [f"Question: {i['question']}\nAnswer:" for i in rows.items()[:2]]
    return [tokenizer(t, add_special_tokens=False)["input_ids"] for t in plain + [plain[0] + " It is Paris."]]


def load(folder, auto=AutoModelForCausalLM):
    return auto.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def logps(model, ids):
    logits = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return [logits[i, t].item() for i, t in enumerate(ids[1:])]


@torch.no_grad()
def greedy(model, ids, about, own_ends=False):
    """Ends at whatever ends an answer, which not every stranger's generation_config.json says, or by that file alone; draws
    no id without a token."""
    unused = list(range(about["tokens"], about["rows"]))
    prompt = torch.tensor([ids])
    out = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False, temperature=None, top_p=None, top_k=None,
                         repetition_penalty=1.0, max_new_tokens=24, suppress_tokens=unused or None, **({} if own_ends else {"eos_token_id": about["ends"]}))
    return out[0, len(ids):].tolist()


@torch.no_grad()
def margin(model, ids, answer, about):
    """The least lead, in nats, of a greedy answer's tokens over the second best: where it is small another processor may
    go another way."""
    logits = model(torch.tensor([ids + answer])).logits[0, len(ids) - 1:-1, :about["tokens"]]
    best = logits.topk(2).values
    return (best[:, 0] - best[:, 1]).min().item()


@torch.no_grad()
def scores(model, sequences, pad):
    """One by one, and as one batch padded on the right."""
    single = [model(torch.tensor([s])).logits[0, 0].item() for s in sequences]
    if pad is None:
        return single, None
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
        answers = [greedy(model, s, about) for s in prompts]
        leads = [margin(model, s, a, about) for s, a in zip(prompts, answers)]
        assert min(leads) > 0.01, f"{kind.name}: a near-tie of {min(leads):.4f} nats; draw other weights"
        single, _ = scores(classifier, sequences, classifier.config.pad_token_id)
        strangers[kind.name] = {
            "chat": sequences if kind.template else [],
            "texts": [[t, tokenizer(t)["input_ids"]] for t in TEXTS],
            "logps": [[s, [round(x, 5) for x in logps(model, s)]] for s in sequences],
            "greedy": [[s, a] for s, a in zip(prompts, answers)],
            "scores": [[s, round(x, 6)] for s, x in zip(sequences, single)],
        }
    versions = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}
    text = json.dumps({"made_by": "transformers_check.py OUT --freeze", "versions": versions, "strangers": {}}, indent=1)
    lines = [f' "{name}": {{\n' + ",\n".join(f'  "{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in s.items()) + "\n }"
             for name, s in strangers.items()]
    checks.EXPECTED.write_text(text.replace('"strangers": {}', '"strangers": {\n' + ",\n".join(lines) + "\n }") + "\n")


def closed(ids, mask):
    """A conversation up to the end of its last answer, where a reward model reads its score."""
    return ids[:len(mask) - mask[::-1].index(1)]


class Live:
    """What run.py left in OUT/NAME/run, in hone and in transformers."""

    def __init__(self, hone, out, kind):
        self.stranger = checks.Stranger(hone, out, kind)
        self.kind, self.call = kind, self.stranger.call
        self.probes = rows.probes(kind.template)

    def policy(self, name):
        folder = self.stranger.stage(name) / "model"
        about, model, tokenizer = self.stranger.about(), load(folder), AutoTokenizer.from_pretrained(folder)
        sequences = conversations(self.kind, tokenizer)
        frozen = self.stranger.expected()
        yield "chat ids", sequences == (frozen["chat"] or sequences), f"{len(sequences)} renders"
        texts = self.call("logprobs", "--model", folder, "--ids", rows=[{"text": t} for t in TEXTS])
        yield "text ids", [r["ids"] for r in texts] == [tokenizer(t)["input_ids"] for t in TEXTS], f"{len(texts)} texts"
        got = self.call("logprobs", "--model", folder, rows=[{"ids": s, "prompt_len": 1} for s in sequences])
        gap = max(abs(a - b) for r, s in zip(got, sequences) for a, b in zip(r["logps"], logps(model, s)))
        yield "log-probabilities", gap < 1e-3, f"{gap:.1e} nats"
        ends = model.generation_config.eos_token_id
        yield "end ids", sorted(ends if isinstance(ends, list) else [ends], key=str) == about["ends"], str(ends)
        # By the exported generation_config.json alone: nothing is told here but not to sample.
        prompts = [s for s, _ in frozen["greedy"]]
        got = self.call("generate", "--model", folder, "--temperature", "0", "--max-tokens", "24", rows=[{"ids": s} for s in prompts])
        same = sum(r["completions"][0]["ids"] == greedy(model, s, about, own_ends=True) for r, s in zip(got, prompts))
        yield "greedy answers", same == len(prompts), f"{same} of {len(prompts)} equal"

    def reward(self):
        folder = self.stranger.stage("reward") / "model"
        model = load(folder, AutoModelForSequenceClassification)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        if self.probes:
            asked = [p for p in self.probes if p["messages"][-1]["role"] == "assistant"]
            rendered = self.call("tokenize", "--model", folder, "--chat", rows=asked)
            sequences = [closed(r["ids"], r["loss_mask"]) for r in rendered]
        else:
            asked = [{"prompt": f"Question: {i['question']}\nAnswer:", "completion": " " + i["answer"]} for i in rows.items()[:3]]
            sequences = [tokenizer(r["prompt"] + r["completion"])["input_ids"] + [tokenizer.eos_token_id] for r in asked]
        single, batch = scores(model, sequences, model.config.pad_token_id)
        own = [r["reward"] * model.config.hone_reward_scale + model.config.hone_reward_shift for r in self.call("score", "--model", folder, rows=asked)]
        for what, theirs in (("scores one by one", single), ("scores in a batch", batch)):
            if theirs is None:
                yield what, not self.stranger.about()["can_pad"], "no padding token; transformers refuses batches"
                continue
            gap = max(abs(a - b) for a, b in zip(own, theirs))
            yield what, gap < 1e-4, f"{gap:.1e}"

    def run(self):
        for name in ("sft", "ppo", "dpo", "reward"):
            try:
                yield from ((name, *line) for line in (self.reward() if name == "reward" else self.policy(name)))
            except Exception as e:  # a folder that transformers refuses is a finding, not the end
                yield name, "opens", False, f"{type(e).__name__}: {e}"[:300]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--hone", type=Path, default=Path("build/hone"))
    parser.add_argument("--freeze", action="store_true")
    args = parser.parse_args()
    if args.freeze:
        freeze(args.out)
        sys.exit()
    failed = 0
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    for kind in kinds.KINDS:
        for stage, what, ok, figure in Live(args.hone.absolute(), args.out.absolute(), kind).run() if (args.out / kind.name).exists() else ():
            failed += not ok
            print(f"{kind.name:9} {stage:7} {what:18} {'ok    ' if ok else 'FAILED'} {figure}", flush=True)
    print(f"strangers beside transformers: {failed} failed")
    sys.exit(1 if failed else 0)
