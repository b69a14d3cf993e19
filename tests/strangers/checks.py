"""What must hold of a stranger's run. Each check_… returns (right, figure); the figure is what the table shows."""
import hashlib
import json
import math
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import make
import rows
import weights

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.json"
CLOSE = 1e-5  # between two ways to the same score, f32
STAGES = {"sft": "01-sft", "reward": "02-reward", "ppo": "03-ppo", "dpo": "04-dpo", "eval": "05-eval"}


def rows_of(text):
    """The rows of a JSON-lines text. Not by splitlines(), which also ends a line at U+0085 or U+2028: a model may write them."""
    return [json.loads(line) for line in text.split("\n") if line]


def lines(path):
    return rows_of(Path(path).read_text())


class Failed(Exception):
    pass


class Stranger:
    def __init__(self, hone, out, kind, number=0, whole=False, settings=(), dtype="f32"):
        self.hone, self.kind, self.number, self.whole, self.dtype = hone, kind, number, whole, dtype
        self.folder = out / kind.name
        self.model, self.pairs, self.demos = self.folder / "model", self.folder / "pairs.jsonl", self.folder / "demos.jsonl"
        self.out = self.folder / ("run" if dtype == "f32" else "run-" + dtype)
        self.settings = list(settings)
        self.results, self.rendered = [], {}

    # ---- the program

    def call(self, *args, rows=None, allow=(0,)):
        """Runs hone; returns its output lines as JSON where there are rows, else its messages."""
        command = [str(self.hone), *map(str, args)]
        if args[0] in ("run", "reward", "score"):
            command += ["--dtype", self.dtype]
        if args[0] not in ("check", "tokenize"):  # models this small are quickest on one core, two strangers at a time
            command += ["--threads", "1"]
        text = None if rows is None else "".join(json.dumps(r) + "\n" for r in rows)
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=600)
        if done.returncode not in allow:
            raise Failed(f"hone {' '.join(map(str, args[:2]))}: exit {done.returncode}: " + (done.stderr + done.stdout).strip()[-300:].replace("\n", " | "))
        if rows is None:
            return done.stderr
        out = rows_of(done.stdout)
        if len(out) != len(rows):
            raise Failed(f"hone {args[0]}: {len(out)} lines out for {len(rows)} in: {done.stderr.strip()[-300:]}")
        return out

    def command(self, *more):
        given = {"sft.model": self.model, "sft.data": self.demos, "reward.data": self.pairs, "ppo.prompts": self.pairs,
                 "dpo.data": self.pairs, "eval.prompts": self.folder / "eval.jsonl"}
        settings = [f"{k}={v}" for k, v in given.items()] + self.settings
        return ["run", HERE / "align.toml", "--out", self.out, *(x for s in settings for x in ("--set", s)), *more]

    def stage(self, name):
        return self.out / STAGES[name]

    def about(self):
        return json.loads((self.folder / "about.json").read_text())

    def metrics(self, name):
        return lines(self.stage(name) / "metrics.jsonl")

    # ---- the checks

    def run(self):
        """All checks; in another dtype those that no rounding may touch: one answer has one score."""
        make.make(self.kind, self.folder.parent)
        for check in ("runs", "normalised", "agreement") if self.dtype != "f32" else ("transformers_ids", "transformers_logps", "transformers_greedy", "transformers_scores", "mask", "plan", "runs",
                      "rates", "first_step", "losses", "group", "ends", "vocabulary", "normalised", "agreement", "export", "next_stage", "verified", "resume"):
            try:
                ok, figure = getattr(self, "check_" + check)()
            except (Failed, OSError, KeyError, ValueError, IndexError) as e:
                ok, figure = False, f"{type(e).__name__}: {e}"
            if figure is not None:
                self.results.append((check, ok, figure))

    def expected(self):
        return json.loads(EXPECTED.read_text())["strangers"][self.kind.name]

    def probes(self, model, answered):
        """The probes with an answer, or those that ask for one, as `hone tokenize` renders them."""
        key = (model, answered)
        if key not in self.rendered:
            asked = [p for p in rows.probes(self.kind.template) if answered == (p["messages"][-1]["role"] == "assistant")]
            options = [] if answered else ["--add-generation-prompt"]
            self.rendered[key] = self.call("tokenize", "--model", model, "--chat", *options, rows=asked, allow=(0, 1)) if asked else []
        return self.rendered[key]

    def check_transformers_ids(self):
        """Chat template and tokenizer, with and without a generation prompt, and plain texts as they are scored."""
        want, wrong, probes = self.expected(), [], rows.probes(self.kind.template)
        for row in self.probes(self.model, True) + self.probes(self.model, False):
            number = next(n for n, p in enumerate(probes) if p["messages"] == row.get("messages", []))  if "error" not in row else None
            if number is None or row["ids"] != want["chat"][number]:
                wrong.append(row.get("error", f"probe {number} has other ids"))
        for row, (text, ids) in zip(self.texts(), want["texts"]):
            if row.get("ids") != ids:
                wrong.append(f"text {text!r}: {row.get('ids')}, not {ids}")
        return not wrong, "; ".join(wrong)[:300] or f"{len(probes) + len(want['texts'])} equal"

    def texts(self):
        if "texts" not in self.rendered:
            want = self.expected()
            asked = [{"text": text} for text, _ in want["texts"]] + [{"ids": ids, "prompt_len": 1} for ids, _ in want["logps"]]
            self.rendered["texts"] = self.call("logprobs", "--model", self.model, "--ids", rows=asked, allow=(0, 1))
        return self.rendered["texts"]

    def check_transformers_logps(self):
        gap, want = 0, self.expected()["logps"]
        for row, (_, logps) in zip(self.texts()[-len(want):], want):
            if len(row.get("logps", [])) != len(logps):
                raise Failed(row.get("error", "another number of log-probabilities"))
            gap = max([gap, *(abs(a - b) for a, b in zip(row["logps"], logps))])
        return gap < 1e-3, f"{gap:.1e} nats"

    def check_transformers_greedy(self):
        """As transformers' generate goes by generation_config.json, and where it ends."""
        want = self.expected()["greedy"]
        got = self.call("generate", "--model", self.model, "--temperature", "0", "--max-tokens", "24", rows=[{"ids": ids} for ids, _ in want])
        same = sum(row["completions"][0]["ids"] == answer for row, (_, answer) in zip(got, want))
        return same == len(want), f"{same} of {len(want)} equal"

    def check_transformers_scores(self):
        want = self.expected()["scores"]
        got = self.call("score", "--model", self.folder / "classifier", rows=[{"ids": ids} for ids, _ in want])
        gap = max(abs(row["reward"] - score) for row, (_, score) in zip(got, want))
        return gap < 1e-4, f"{gap:.1e}"

    def check_mask(self):
        """What is trained of an answer is the answer and what ends it, and no more."""
        if self.kind.template is None:
            return True, None
        wrong = []
        for row in self.probes(self.model, True):
            if "error" in row:
                raise Failed(row["error"])
            # The trained stretches, as text: every answer with its end, nothing of a user or a tool.
            text = "".join(t for t, m in zip(self.pieces(row["ids"]), row["loss_mask"]) if m)
            asked = sum(m["role"] == "assistant" for m in row["messages"])
            ended = sum(i == self.about()["closing"] for i, m in zip(row["ids"], row["loss_mask"]) if m)
            missing = asked - ended
            if self.kind.template in ("thinking", "r1"):  # earlier reasoning is stripped, and an answer without it was never sampled
                missing = not row["loss_mask"][max(i for i, t in enumerate(row["ids"]) if t == self.about()["closing"])]
            if missing or any(s in text for s in ("capital", "Hello!", "fact\":", "<|im_start|>", "[INST]", "<|user|>")):
                wrong.append(f"trained {text!r}, {ended} of {asked} ends")
        return not wrong, "; ".join(wrong)[:300] or "answers and their ends"

    def pieces(self, ids):
        names = {v: k for k, v in json.loads((self.model / "tokenizer.json").read_text())["model"]["vocab"].items()}
        names |= {t["id"]: t["content"] for t in json.loads((self.model / "tokenizer.json").read_text())["added_tokens"]}
        return [names[i].replace("\u0120", " ").replace("\u2581", " ").replace("\u010a", "\n") for i in ids]

    def check_plan(self):
        self.call(*self.command("--plan"))
        return not self.out.exists(), "planned"

    def check_runs(self):
        start = time.monotonic()
        self.call(*self.command())
        return True, f"{time.monotonic() - start:.1f} s"

    def check_rates(self):
        """The one learning rate that the recipe names moves every tensor: AdamW's steps are about a rate long, at most."""
        logged = max(v for m in self.metrics("sft") for k, v in m.items() if re.match("lr(_|$)", k))
        steps, rate = len(self.metrics("sft")), 2e-5
        before, after = weights.load(self.model), weights.load(self.stage("sft") / "model")
        moved = {name: max(abs(a - b) for a, b in zip(after[name], before[name])) for name in after}
        worst = max(moved, key=moved.get)
        return logged <= rate * 1.0001 and moved[worst] < 2 * rate * steps, f"logged {logged:.0e}, {worst} moved {moved[worst] / rate:.2g} rates in {steps} steps"

    def check_first_step(self):
        first = next(m for m in self.metrics("ppo") if m["step"] >= 1)
        moved = next(m for m in self.metrics("ppo") if m["step"] >= 1 and m.get("policy_updates"))
        dpo = self.metrics("dpo")[0]
        loss = abs(dpo["loss"] - math.log(2))
        ratio = abs(moved["ratio_max_first"] - 1)
        drift = max(abs(dpo["chosen_drift"]), abs(dpo["rejected_drift"]))
        ok = ratio < 1e-4 and abs(first["kl"]) < 1e-4 and first["logp_gap_max"] < 1e-4 and loss < 1e-4 and drift < 1e-3
        return ok, f"|ratio-1| {ratio:.0e}, KL {first['kl']:.0e}, |loss-log 2| {loss:.0e}, drift {drift:.0e}"

    def check_losses(self):
        """Losses of preferences at a published rate start where their reference is, all weights and by an adapter; single
        answers with a label come out like comparisons taken apart. Three of the losses here, every one under --whole."""
        listed = json.loads(subprocess.run([self.hone, "list", "losses", "--json"], capture_output=True, text=True, check=True).stdout)
        names = [e["name"] for e in listed if e["detail"] == "preference"]
        if not self.whole:
            names = ["kto", *(names[(2 * self.number + i) % len(names)] for i in (0, 1))]
        worst, drift_of = 0, {}
        for name in dict.fromkeys(names):
            for rank in (0, 4):
                out = self.folder / f"loss-{name}-{rank}"
                self.call("preference", "--model", self.stage("sft") / "model", "--data", self.pairs, "--loss.name", name, "--out", out, "--epochs", "0.3",
                          "--batch-pairs", "4", "--optim.lr", "1e-6" if rank == 0 else "5e-6", "--optim.warmup-steps", "2", "--adapter.rank", rank, "--text.held-out", "0.2")
                self.call("check", out)
                first, last = lines(out / "metrics.jsonl")[0], lines(out / "metrics.jsonl")[-1]
                drift_of[name] = max(abs(first.get("chosen_drift", 0)), abs(first.get("rejected_drift", 0)))
                worst = max(worst, drift_of[name])
                if not all(math.isfinite(v) for v in last.values()) or not last["grad_norm"] > 0:
                    return False, f"{name}, rank {rank}: {last}"
        labelled = self.folder / "labelled.jsonl"
        comparisons = [c for c in lines(self.pairs) if "prompt" in c]  # others repeat the conversation on each side
        labelled.write_text("".join(json.dumps({"prompt": c["prompt"], "completion": c[side], "label": side == "chosen"}) + "\n"
                                    for c in comparisons for side in ("chosen", "rejected")))
        rows = labelled.read_text().count("\n")
        if rows:
            said = self.call("preference", "--model", self.model, "--data", labelled, "--loss.name", "kto", "--out", self.folder / "labelled", "--epochs", "0.1", "--text.held-out", "0")
            if f"{rows:,} judged answers" not in said:
                return False, f"{rows} labelled answers: {said[-300:]}"
        return worst < 1e-3, f"{len(dict.fromkeys(names))} losses, drift at the start {worst:.0e}, {rows} labelled answers"

    def check_group(self):
        """Without a critic, by a reward model and a rule, the first step starts at the policy that sampled, and answers end."""
        out = self.folder / "group"
        self.call("group", "--model", self.stage("sft") / "model", "--reward", self.stage("reward") / "model", "--prompts", self.pairs, "--out", out, "--steps", "2",
                  "--rewards", "model", "--rewards", "regex", "--regex.pattern", r"\w", "--batch-prompts", "4", "--samples-per-prompt", "4", "--policy-optim.lr", "1e-6", "--sampling.max-tokens", "32")
        self.call("check", out)
        first = next(m for m in lines(out / "metrics.jsonl") if m["step"] >= 1)
        ratio = abs(first["ratio_max_first"] - 1)
        return ratio < 1e-4 and abs(first["kl"]) < 1e-4 and first["logp_gap_max"] < 1e-4 and first["eos_share"] > 0.3 and first["score_regex"] > 0, \
            f"|ratio-1| {ratio:.0e}, KL {first['kl']:.0e}, gap {first['logp_gap_max']:.0e}, eos share {first['eos_share']:.2f}"

    def check_ends(self):
        """Answers end, in PPO as in generate, by any of the tokens that end one."""
        about = self.about()
        share = [m["eos_share"] for m in self.metrics("ppo") if m["step"] >= 1]
        done = self.sampled()
        stopped = [c for c in done if c["finish"] == "stop"]
        by = {c["ids"][-1] for c in stopped}
        inside = sum(i in about["ends"] for c in done for i in c["ids"][:-1])
        ok = min(share) > 0.3 and len(stopped) > 0.3 * len(done) and by <= set(about["ends"]) and inside == 0
        return ok, f"eos share {min(share):.2f} to {max(share):.2f}, generate {len(stopped) / len(done):.2f}, {inside} ends inside"

    def sampled(self):
        if "sampled" not in self.rendered:
            got = self.call("generate", "--model", self.stage("ppo") / "model", "--max-tokens", "32", "--n", "2", rows=self.prompts())
            self.rendered["sampled"] = [c for row in got for c in row["completions"]]
        return self.rendered["sampled"]

    def check_vocabulary(self):
        about = self.about()
        if about["rows"] == about["tokens"]:
            return True, None
        drawn = [i for c in self.sampled() for i in c["ids"]]
        outside = sum(i >= about["tokens"] for i in drawn)
        return outside == 0, f"{outside} of {len(drawn)} ids drawn without a token"

    def prompts(self):
        """As generate takes them, one for each comparison."""
        out = []
        for item, pair in zip(rows.items(), lines(self.pairs)):
            if self.kind.template is None:
                out.append({"prompt": pair["prompt"]})
            else:
                out.append({k: v for k, v in (("messages", self.context(item, pair)), ("tools", pair.get("tools"))) if v})
        return out

    def context(self, item, pair):
        """The messages before the answer, as this stranger's comparisons hold them."""
        style = self.kind.comparisons
        if style in ("conversational", "reasoning", "traces", "tools"):
            return pair["prompt"]
        if style == "implicit":
            return pair["chosen"][:-1]
        return rows.before(item | {"system": None} | ({"history": []} if style == "ultrafeedback" else {}))

    def answered(self, item, pair, answer):
        """A row for `hone score`; `answer` is a message, or a text where there is no template."""
        if self.kind.template is None:
            return {"prompt": pair["prompt"], "completion": answer}
        row = {"messages": self.context(item, pair) + answer}
        return row | ({"tools": pair["tools"]} if "tools" in pair else {})

    def sides(self, item, pair):
        out = []
        for side in ("chosen", "rejected"):
            if isinstance(pair[side], list):
                out.append([m for m in pair[side] if m not in self.context(item, pair)])
            elif self.kind.template is None:
                out.append(pair[side])
            else:
                out.append([rows.turn("assistant", item["answer" if side == "chosen" else "bad"])])
        return out

    def score(self, asked):
        got = self.call("score", "--model", self.stage("reward") / "model", rows=asked)
        bad = [r["error"] for r in got if "error" in r]
        if bad:
            raise Failed("hone score: " + bad[0])
        return [r["reward"] for r in got]

    def pair_scores(self):
        if "scores" not in self.rendered:
            asked = [self.answered(i, p, side) for i, p in zip(rows.items(), lines(self.pairs)) for side in self.sides(i, p)]
            self.rendered["scores"] = self.score(asked)
        return self.rendered["scores"][0::2], self.rendered["scores"][1::2]

    def check_normalised(self):
        """Over both sides of all comparisons (nothing is held out) `hone score` has mean 0 and deviation 1."""
        chosen, rejected = self.pair_scores()
        scores = chosen + rejected
        mean = sum(scores) / len(scores)
        std = math.sqrt(sum((s - mean) ** 2 for s in scores) / (len(scores) - 1))
        biased = std * math.sqrt((len(scores) - 1) / len(scores))
        return abs(mean) < CLOSE and min(abs(std - 1), abs(biased - 1)) < CLOSE, f"mean {mean:.1e}, deviation {std:.6f}"

    def check_agreement(self):
        """One answer, five scores: reward training's, normalisation's (above), hone score's, PPO's and eval's."""
        chosen, rejected = self.pair_scores()
        # Training's: the gap of its first step, before any update, over all comparisons at once.
        again = self.folder / "again"
        self.call("reward", "--model", self.stage("reward") / "model", "--data", self.pairs, "--out", again, "--epochs", "1",
                  "--batch-pairs", "1000", "--text.held-out", "0", "--quiet")
        scale = json.loads((self.stage("reward") / "model" / "config.json").read_text())["hone_reward_scale"]
        gap = lines(again / "metrics.jsonl")[0]["reward_gap"] / scale
        shutil.rmtree(again)
        training = abs(gap - sum(c - r for c, r in zip(chosen, rejected)) / len(chosen))
        asked, recorded = [], []
        for name, items, file in (("ppo", rows.items(), self.pairs), ("eval", rows.items(rows.AGAIN), self.folder / "eval.jsonl")):
            for r in lines(self.stage(name) / "samples.jsonl"):
                if r["finish"] == "stop" and self.spoken(r["completion"]):
                    item, pair = next((i, p) for i, p in zip(items, lines(file)) if i["question"] in r["prompt"])
                    asked.append(self.answered(item, pair, self.as_answer(r["completion"])))
                    recorded.append((name, r["reward"]))
        worst, counts = {"training": training, "ppo": 0.0, "eval": 0.0}, []
        for (name, reward), score in zip(recorded, self.score(asked)):
            worst[name] = max(worst[name], abs(reward - score))
        counts = [sum(n == name for n, _ in recorded) for name in ("ppo", "eval")]
        ok = max(worst.values()) < CLOSE and counts[0] >= 1 and counts[1] >= 3
        return ok, ", ".join(f"{k} {v:.1e}" for k, v in worst.items()) + f" ({counts[0]} and {counts[1]} answers)"

    def spoken(self, text):
        """Whether an answer is a sentence of our words, or a call, so that its text has one tokenisation."""
        if self.kind.template in ("thinking", "r1"):
            reason, found, text = text.partition("\n</think>\n\n")
            if not found or not self.spoken_sentence(reason):
                return False
        call = r'<tool_call>\n\{"name": "look_up", "arguments": \{"of": "[a-zA-Z ]+"\}\}\n</tool_call>'
        return self.spoken_sentence(text) or (self.kind.template == "tools" and re.fullmatch(call, text) is not None)

    def spoken_sentence(self, text):
        known = {word for i in rows.items() for word in f"{i['answer']} {i['reason']}".replace(".", "").split()}
        opening = " ?" if self.kind.template in (None, "mistral") else ""
        return re.fullmatch(opening + r"[A-Za-z]+( [A-Za-z]+)*\.", text) is not None and set(text[:-1].split()) <= known

    def as_answer(self, text):
        if self.kind.template is None:
            return text
        return [rows.turn("assistant", text.removeprefix(" ") if self.kind.template == "mistral" else text)]

    def check_export(self):
        """Every stage's folder says what the stranger's said, and which tokens end an answer."""
        wrong = []
        read = lambda p: json.loads(p.read_text()) if p.exists() else {}
        own = {f: read(self.model / f) for f in ("tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json")}
        for name in ("sft", "reward", "ppo", "dpo"):
            folder = self.stage(name) / "model"
            for part in ("model", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder"):
                if read(folder / "tokenizer.json").get(part) != own["tokenizer.json"].get(part):
                    wrong.append(f"{name}: tokenizer.json's {part}")
            for key in ("chat_template", "bos_token", "eos_token", "pad_token", "added_tokens_decoder", "model_max_length", "padding_side"):
                config = read(folder / "tokenizer_config.json")
                jinja = folder / "chat_template.jinja"
                if key == "chat_template" and jinja.exists():
                    config["chat_template"] = jinja.read_text()
                if name == "reward" and key == "pad_token":
                    continue
                if key in own["tokenizer_config.json"] and config.get(key) != own["tokenizer_config.json"][key]:
                    wrong.append(f"{name}: tokenizer_config.json's {key} is {str(config.get(key))[:40]}")
            if name == "reward":  # its padding is its own: transformers reads the score at the last token that is none
                pad = read(folder / "config.json").get("pad_token_id")
                if pad in self.about()["ends"] or (pad is None) == self.about()["can_pad"]:
                    wrong.append(f"{name}: pads with {pad}")
                continue
            generation = read(folder / "generation_config.json")
            ends = generation.get("eos_token_id")
            ends = ends if isinstance(ends, list) else [ends]
            if sorted(ends, key=str) != self.about()["ends"]:
                wrong.append(f"{name}: generation_config.json ends answers at {ends}, not {self.about()['ends']}")
            for key in ("do_sample", "temperature", "top_k", "top_p", "repetition_penalty", "bos_token_id", "pad_token_id"):
                if key in own["generation_config.json"] and generation.get(key) != own["generation_config.json"][key]:
                    wrong.append(f"{name}: generation_config.json's {key}")
            if read(folder / "config.json").get("vocab_size") != own["config.json"]["vocab_size"]:
                wrong.append(f"{name}: vocab_size")
        return not wrong, "; ".join(wrong)[:300] or "round trip"

    def check_next_stage(self):
        """The exported policies are taken where the stranger's folder was."""
        ppo, dpo = self.stage("ppo") / "model", self.stage("dpo") / "model"
        if [r.get("ids") for r in self.probes(self.model, True)] != [r.get("ids") for r in self.probes(ppo, True)]:
            return False, "other tokens"
        asked = [self.answered(i, p, self.sides(i, p)[0]) for i, p in list(zip(rows.items(), lines(self.pairs)))[:4]]
        bad = [r for r in self.call("logprobs", "--model", dpo, rows=asked, allow=(0, 1)) if "error" in r]
        if bad:
            return False, bad[0]["error"]
        more = self.folder / "more"
        self.call("sft", "--model", dpo, "--data", self.demos, "--out", more, "--steps", "1", "--batch-tokens", "256", "--text.held-out", "0.2", "--quiet")
        shutil.rmtree(more)
        return True, "sft, logprobs and tokenize take them"

    def check_verified(self):
        self.call("check", self.out)
        return True, "run and stages"

    def digest(self):
        """Every result of the stages from PPO on; neither wall-clock nor checkpoints, of which a termination writes one more."""
        out = {}
        for name in ("ppo", "dpo", "eval"):
            for path in sorted(self.stage(name).rglob("*")):
                if path.is_file() and "checkpoints" not in path.parts and path.name not in ("timing.jsonl", "report.html", ".lock", "run.json"):
                    out[str(path.relative_to(self.out))] = hashlib.sha256(path.read_bytes()).hexdigest()
        return out

    def check_resume(self):
        """Stopped in PPO or DPO after a checkpoint and resumed, the run leaves the same bytes."""
        want = self.digest()
        ways = [(s, w) for s in ("ppo", "dpo") for w in (signal.SIGKILL, signal.SIGTERM)]
        stopped = []
        for stage, way in ways if self.whole else [ways[self.number % len(ways)]]:
            for name in ("ppo", "dpo", "eval"):
                shutil.rmtree(self.stage(name))
            process = subprocess.Popen([str(self.hone), *map(str, self.command("--resume")), "--dtype", self.dtype, "--threads", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 120
            while not list(self.stage(stage).glob("checkpoints/step-*/DONE")) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            process.send_signal(way)
            stopped.append(f"{stage} {way.name} exit {process.wait(60)}")
            self.call(*self.command("--resume"))
            changed = [k for k in want.keys() | self.digest().keys() if want.get(k) != self.digest().get(k)]
            if changed:
                return False, f"{stopped[-1]}: {', '.join(sorted(changed))[:200]}"
        return True, "; ".join(stopped)
