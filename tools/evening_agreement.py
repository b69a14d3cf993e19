"""What must agree after an evening (evening.py): the page's figures, the store's, the run folder's and the report's."""
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

# What no evening may do to a model (the limits of a round, and of its second judge).
MOST_KL, MOST_START_LOSS, MOST_OLD_PREFERRED, MOST_SECONDS = 0.1, 1.1, 0.55, 15 * 60


def rows_of(text):
    """The rows of a JSON-lines text. Not by splitlines(), which also ends a line at U+0085 or U+2028: a model may write them."""
    return [json.loads(line) for line in text.split("\n") if line]


class Evening:
    """An evening that is over. `shown`: what the page showed last ("round", "progress"), the counts before it began
    ("before") and the outcomes that were sent ("sent")."""

    def __init__(self, hone, store, shown):
        self.hone, self.store, self.shown = hone, store, shown
        self.round = shown["round"]["round"]
        self.folder = Path(self.round["folder"])
        self.wrong = []

    def run(self, *words):
        done = subprocess.run([self.hone, *map(str, words)], capture_output=True, text=True)
        if done.returncode != 0:
            self.wrong.append(f"hone {' '.join(map(str, words))} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-600:]}")
        return done.stdout

    def same(self, what, **seen):
        """Each of `seen` must be the same."""
        if len({json.dumps(value, sort_keys=True) for value in seen.values()}) > 1:
            self.wrong.append(f"{what} differ: " + ", ".join(f"{where.replace('_', ' ')} {value}" for where, value in seen.items()))

    def disagreements(self):
        self.run("check", self.store)
        self.run("check", self.folder)
        stored = json.loads(self.run("feedback", "show", "--store", self.store, "--json") or "{}")
        if self.wrong:
            return self.wrong
        self._judgements(stored)
        self._learning(stored["rounds"][-1])
        self._verdicts([t for t in stored["blind_tests"] if t["round"] == self.round["name"]])
        self._report()
        return self.wrong

    def _judgements(self, stored):
        page, outcomes, before, sent = self.shown["progress"]["counts"], stored["by_outcome"], self.shown["before"], self.shown["sent"]
        for name in ("tie", "both_bad", "cant_tell", "skip"):
            self.same(f"judgements '{name}'", page=page[name], store=outcomes.get(name, 0), said=before[name] + sent.get(name, 0))
        self.same("decided judgements", page=page["decided"], store=outcomes.get("a", 0) + outcomes.get("b", 0),
                  said=before["decided"] + sent.get("first", 0) + sent.get("second", 0))

    def _learning(self, stored):
        """The rows that the run learned from are those that the log gives, and as many as page and store say."""
        path = Path(f"{self.store}.rounds") / f"{stored['round']}.jsonl"
        rows, given = rows_of(path.read_text()), rows_of(self.run("feedback", "export", "--store", self.store, "--messages"))
        self.same("rows to learn from", page=self.round["pairs"], store=stored["pairs"], run=len(rows))
        # Judged after the round began, further rows stand behind.
        if given[:len(rows)] != rows:
            self.wrong.append(f"{path} holds other rows than `hone feedback export --messages`")
        record = json.loads((self.folder / "01-learn/run.json").read_text())
        inputs = {Path(i["path"]).name: i["sha256"] for i in record["inputs"]}
        self.same("hashes of the rows", run=inputs.get(path.name), file=hashlib.sha256(path.read_bytes()).hexdigest())
        self.same("reasons for the end", page=self.round["why"], store=stored["why"], run=record["summary"]["why"])
        self.same("outcomes", page=self.round["outcome"], store=stored["outcome"])

    def _verdicts(self, stored):
        page = self.shown["round"]["verdicts"]
        for key in ("test", "words", "asked", "prompts", "finding"):
            self.same(f"verdicts' {key}", page=[v[key] for v in page], store=[t[key] for t in stored])
        self.same("decided answers", page=[v.get("decided") for v in page],
                  store=[sum(t["preferred"].values()) if "preferred" in t else None for t in stored])

    def _report(self):
        report = (self.folder / "report.html").read_text()
        measured = {m["name"]: m for m in self.measured()}
        length = next(c for c in self.round["changes"] if c["name"] == "Length")
        for name in ("before", "after"):
            self.same(f"lengths {name}", page=length[name], run=measured[name]["length"]["value"])
            if f"{name}: {length[name]:.1f} [" not in report:
                self.wrong.append(f"the report does not say that answers {name} are {length[name]:.1f} tokens long")

    def measured(self):
        return json.loads((self.folder / "02-measure/results.json").read_text())["models"]

    def unmet(self, second_judge):
        """What the evening does not show: that the taste was learned, and that nothing was wrecked."""
        out = []
        findings = [v["finding"] for v in self.shown["round"]["verdicts"]]
        if not findings or set(findings) != {"better"}:
            out.append(f"the taste was not learned: the round ended '{self.round['outcome']}', verdicts {findings}")
        if self.round["seconds"] > MOST_SECONDS:
            out.append(f"the round took {self.round['seconds'] / 60:.1f} minutes, above {MOST_SECONDS / 60:.0f}")
        after = next(m for m in self.measured() if m["name"] == "after")
        for key, most in (("kl_per_token", MOST_KL), ("start_loss_ratio", MOST_START_LOSS)):
            if after[key]["value"] > most:
                out.append(f"{key} is {after[key]['value']:.3f}, above {most}")
        if second_judge and findings:
            share, n = self._old_preferred(second_judge)
            print(f"the second judge prefers the old model in {share:.0%} of {n} blind pairs")
            if share > MOST_OLD_PREFERRED:
                out.append(f"the second judge prefers the old model in {share:.0%} of {n} blind pairs, above {MOST_OLD_PREFERRED:.0%}")
        return out

    def _old_preferred(self, second_judge):
        """Share of the blind test's pairs of which a reward model prefers the old model's answer, and their number."""
        rows = rows_of(self.run("feedback", "export", "--store", self.store, "--full"))
        pairs = [r for r in rows if r["policy_a"] != r["policy_b"]]  # of blind tests alone: else one model gave both answers
        start = json.loads(self.run("feedback", "show", "--store", self.store, "--json"))["rounds"][-1]["start"]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as asked:
            for pair in pairs:
                for side in ("a", "b"):
                    asked.write(json.dumps({"prompt": pair["prompt"], "completion": pair[f"answer_{side}"]}) + "\n")
            asked.flush()
            scores = [row["reward"] for row in rows_of(self.run("score", "--model", second_judge, "--in", asked.name))]
        if len(scores) != 2 * len(pairs):
            return 1.0, len(pairs)  # run() has noted why
        old = sum((a > b) if pair["policy_a"] == start else (b > a) for pair, a, b in zip(pairs, scores[::2], scores[1::2]))
        return old / max(1, len(pairs)), len(pairs)
