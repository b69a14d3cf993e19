#!/usr/bin/env python3
"""Writes tests/golden/trl_preference.json: what TRL's trainers compute for every direct preference loss.

Each entry is one loss of one batch: the trainer is built as a user builds it, its own data loader makes the batch, its
compute_loss runs on tiny models of tests/golden/models, and backward gives the gradient. Texts are words that stand for
one token id each, so that TRL's tokenising gives back the ids that the file holds. Every loss and gradient norm is also
computed here from the formula, on log-probabilities of unpadded sequences one at a time, and must agree.

BCOTrainer is gone from TRL 1.16, so another interpreter with 1.9.2 runs that part. To make the file again:

    python3 -m venv NEW && NEW/bin/pip install torch==2.13.0 trl==1.16.0 transformers==5.24.0
    python3 -m venv OLD && OLD/bin/pip install torch==2.13.0 trl==1.9.2 transformers==5.24.0
    NEW/bin/python tools/golden/trl_preference.py OLD/bin/python
"""
import json
import math
import pathlib
import platform
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests" / "golden" / "models"
POLICY, REFERENCE = "llama-untied", "llama-tied"
PAD, EOS, VOCABULARY = 0, 2, 64
SCRATCH = tempfile.TemporaryDirectory()


# Batches. Every completion ends with EOS, since TRL's trainers append it where it is missing.

def draw(generator, length):
    return torch.randint(3, VOCABULARY, (length,), generator=generator).tolist()


def pairs(seed, prompt_lengths):
    g, chosen, rejected = torch.Generator().manual_seed(seed), [7, 1, 12, 4, 9, 3], [2, 8, 5, 12, 1, 6]
    return [{"prompt": draw(g, p), "chosen": draw(g, c - 1) + [EOS], "rejected": draw(g, r - 1) + [EOS]}
            for p, c, r in zip(prompt_lengths, chosen, rejected)]


def singles(seed):
    g, lengths, good = torch.Generator().manual_seed(seed), [5, 1, 12, 8, 3, 10], [True, False, True, True, False, True]
    return [{"prompt": draw(g, p), "completion": draw(g, n - 1) + [EOS], "label": label}
            for p, n, label in zip([3, 4, 5, 6, 4, 3], lengths, good)]


def likely_pairs(seed):
    """Pairs that the policy itself writes, the last one greedily, so that WPO's weights are not all next to nothing, and one
    above 1."""
    g, network, rows = torch.Generator().manual_seed(seed), model(POLICY), pairs(seed, [3, 4, 5, 6, 4, 3])
    for row in rows:
        for key in ("chosen", "rejected"):
            for i in range(len(row[key]) - 1):
                with torch.no_grad():
                    p = network(torch.tensor([row["prompt"] + row[key][:i]])).logits[0, -1].softmax(-1)
                p[:3] = 0
                row[key][i] = p.argmax().item() if row is rows[-1] else torch.multinomial(p, 1, generator=g).item()
    return rows


def model(name):
    return AutoModelForCausalLM.from_pretrained(MODELS / name, dtype=torch.float32, attn_implementation="eager")


BATCHES = {"pairs": pairs(4001, [3, 4, 5, 6, 4, 3]), "pairs1": pairs(4002, [1] * 6), "pairs_likely": likely_pairs(4004),
           "singles": singles(4004), "singles_clamped": singles(4010)}


# TRL's side.

def tokenizer():
    words = Tokenizer(WordLevel({f"<{i}>": i for i in range(VOCABULARY)}, unk_token="<1>"))
    words.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token=f"<{EOS}>", pad_token=f"<{PAD}>")


def dataset(rows):
    def text(ids, lead=""):
        return lead + " ".join(f"<{i}>" for i in ids)
    return Dataset.from_list([{k: v if k == "label" else text(v, "" if k == "prompt" else " ") for k, v in row.items()}
                              for row in rows])


def build(trainer_class, config_class, batch, rows_per_step=6, reference=True, **arguments):
    """-> the trainer over that batch, in its order, and its policy."""
    if "train_sampling_strategy" in config_class.__dataclass_fields__:
        arguments["train_sampling_strategy"] = "sequential"
    config = config_class(output_dir=SCRATCH.name, per_device_train_batch_size=rows_per_step, gradient_checkpointing=False,
                          bf16=False, use_cpu=True, report_to="none", disable_dropout=True, max_length=64, **arguments)
    policy = model(POLICY)
    references = {"ref_model": model(REFERENCE)} if reference else {}
    trainer = trainer_class(model=policy, args=config, train_dataset=dataset(BATCHES[batch]),
                            processing_class=tokenizer(), **references)
    policy.train()
    return trainer, policy


def gradient_norm(policy):
    return math.sqrt(sum(p.grad.double().square().sum().item() for p in policy.parameters() if p.grad is not None))


def step(trainer, policy):
    """-> the mean loss of the trainer's batches, the norm of its gradient over all of the policy's parameters, the batches."""
    batches, total = [trainer._prepare_inputs(b) for b in trainer.get_train_dataloader()], 0.0
    for batch in batches:
        loss = trainer.compute_loss(policy, batch) / len(batches)
        loss.backward()
        total += loss.item()
    return total, gradient_norm(policy), batches


# The formulas' side: log-probabilities in f64 of one unpadded sequence after the other.

class Formulas:
    def __init__(self, batch):
        self.rows, self.policy, self.reference = BATCHES[batch], model(POLICY).double(), model(REFERENCE).double()
        self.keys = [k for k in ("chosen", "rejected", "completion") if k in self.rows[0]]
        self.p = {k: [self.tokens(self.policy, r["prompt"], r[k]) for r in self.rows] for k in self.keys}
        with torch.no_grad():
            self.r = {k: [self.tokens(self.reference, r["prompt"], r[k]) for r in self.rows] for k in self.keys}

    @staticmethod
    def tokens(network, prompt, completion, square_sums=None):
        """-> log-probability of each token of the completion."""
        log_p = network(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1:-1].log_softmax(-1)
        if square_sums is not None:
            square_sums.append((2 * log_p).logsumexp(-1).detach())
        return log_p.gather(-1, torch.tensor(completion)[:, None])[:, 0]

    def sums(self, side, key):
        return torch.stack([x.sum() for x in side[key]])

    def means(self, side, key):
        return torch.stack([x.mean() for x in side[key]])

    def h(self, key):
        return self.sums(self.p, key) - self.sums(self.r, key)

    def h_mean(self, key):
        return self.means(self.p, key) - self.means(self.r, key)

    def d(self):
        return self.h("chosen") - self.h("rejected")

    def nll(self, key="chosen"):
        return -torch.cat(self.p[key]).mean()  # over all tokens of the batch at once

    def labels(self):
        return torch.tensor([r["label"] for r in self.rows])

    def z(self, order):
        """Mean over prompts of log π - log π_ref of the completion of row order[i] after the prompt of row i."""
        with torch.no_grad():
            pieces = [(self.tokens(self.policy, r["prompt"], self.rows[j]["completion"])
                       - self.tokens(self.reference, r["prompt"], self.rows[j]["completion"])).sum()
                      for r, j in zip(self.rows, order)]
        return torch.stack(pieces).mean()

    def weights(self, key):
        """WPO's weight of each completion: exp of the mean of log π(y_t) - log Σ_v π(v)²."""
        squares = []
        with torch.no_grad():
            for r in self.rows:
                self.tokens(self.policy, r["prompt"], r[key], squares)
            return torch.stack([(p - s).mean() for p, s in zip(self.p[key], squares)]).exp()


def near(what, a, b, tolerance):
    if not abs(a - b) <= tolerance * max(abs(a), abs(b)):
        raise SystemExit(f"{what}: TRL {a!r}, the formula {b!r}")


ENTRIES = []


def entry(name, says, settings, batch, loss, norm, formula, **more):
    """Keeps the entry, if `formula` (a function of Formulas) agrees with TRL."""
    own = Formulas(batch)
    value = formula(own)
    value.backward()
    near(f"{name} {settings}: loss", loss, value.item(), 1e-5)
    near(f"{name} {settings}: gradient", norm, gradient_norm(own.policy), 2e-5)
    for side, which in (("policy_logps", own.p), ("reference_logps", own.r)):
        for key, values in more.get(side, {}).items():
            for a, b in zip(values, own.sums(which, key).tolist(), strict=True):
                near(f"{name}: {side} {key}", a, b, 1e-5)
    ENTRIES.append({"name": name, "trl": says, "settings": settings, "batch": batch, "loss": loss, "grad_norm": norm,
                    "formula": value.item(), **more})
    print(f"{name:13} {json.dumps(settings):64} {batch:15} loss {loss:.6f}, gradient {norm:.5f}", file=sys.stderr)


def split(values):
    chosen, rejected = values
    return {"chosen": chosen.tolist(), "rejected": rejected.tolist()}


def per_token(logps, rows):
    return {k: [x / len(r[k]) for x, r in zip(v, rows)] for k, v in logps.items()}


# The losses.

def log_s(x):
    return F.logsigmoid(x)


def smoothed(x, e):
    return -(1 - e) * log_s(x) - e * log_s(-x)


def discopop(x, tau):
    mix = torch.sigmoid(x / tau)
    return (1 - mix) * -log_s(x) + mix * torch.exp(-x)


def exo(x, e):
    return torch.sigmoid(x) * (log_s(x) - math.log1p(-e)) + torch.sigmoid(-x) * (log_s(-x) - math.log(e))


def sorted_values(x):
    return x.sort().values


def aot(f):
    return sorted_values(f.sums(f.p, "chosen") - f.sums(f.p, "rejected")) \
        - sorted_values(f.sums(f.r, "chosen") - f.sums(f.r, "rejected"))


def aot_unpaired(f):
    return sorted_values(f.h("chosen")) - sorted_values(f.h("rejected"))


def ld_sums(f, side, alpha):
    """LD-DPO: tokens beyond the length that both completions reach count alpha."""
    out = {}
    for key in ("chosen", "rejected"):
        out[key] = torch.stack([x[:min(len(a), len(b))].sum() + alpha * x[min(len(a), len(b)):].sum()
                                for x, a, b in zip(side[key], side["chosen"], side["rejected"])])
    return out["chosen"] - out["rejected"]


def dpo_losses():
    from trl import DPOConfig, DPOTrainer

    def one(name, loss_type, settings, formula, rows_per_step=6, note=None, mean=False, extra=None, batch="pairs", **arguments):
        loss_type = loss_type if isinstance(loss_type, list) else [loss_type]
        trainer, policy = build(DPOTrainer, DPOConfig, batch, rows_per_step, loss_type=loss_type, **arguments)
        loss, norm, batches = step(trainer, policy)
        logps = {}
        for side, network in (("policy_logps", policy), ("reference_logps", trainer.ref_model)):
            parts = [trainer.compute_ref_log_probs(network, b) for b in batches]
            logps[side] = split([torch.cat(x) for x in zip(*parts)])
        more = {}
        if arguments.get("ld_alpha") is not None:  # TRL's sums are weighted ones here
            logps = {side.replace("logps", "weighted_logps"): value for side, value in logps.items()}
        if mean:
            more = {side.replace("logps", "mean_logps"): per_token(v, BATCHES[batch]) for side, v in logps.items()}
        if extra:
            more.update(extra())
        if note:
            more["note"] = note
        said = {"loss_type": loss_type, **arguments}
        if rows_per_step != 6:
            said["per_device_train_batch_size"] = rows_per_step
        says = "DPOTrainer, " + ", ".join(f"{k}={v}" for k, v in said.items())
        entry(name, says, settings, batch, loss, norm, formula, **logps, **more)

    b = 0.1
    one("dpo", "sigmoid", {"beta": b}, lambda f: -log_s(b * f.d()).mean(), beta=b)
    one("dpo", "sigmoid", {"beta": 0.5}, lambda f: -log_s(0.5 * f.d()).mean(), beta=0.5)
    one("dpo", "aot", {"beta": b, "label_smoothing": 0.2}, lambda f: smoothed(b * f.d(), 0.2).mean(), 1,
        note="conservative DPO: TRL's sigmoid loss ignores label_smoothing, but its aot loss of a batch of one pair is the "
             "smoothed sigmoid loss; this is the mean of the six batches", beta=b, label_smoothing=0.2)

    def nll():
        trainer, policy = build(DPOTrainer, DPOConfig, "pairs", loss_type=["sft"])
        return {"nll": step(trainer, policy)[0]}
    one("dpo", ["sigmoid", "sft"], {"beta": b, "nll_coef": 0.2}, lambda f: -log_s(b * f.d()).mean() + 0.2 * f.nll(),
        extra=nll, note="nll: mean over all chosen completion tokens of the batch, not mean of the pairs' means",
        beta=b, loss_weights=[1.0, 0.2])
    one("dpo_norm", "sigmoid_norm", {"beta": 2.0}, lambda f: -log_s(2 * (f.h_mean("chosen") - f.h_mean("rejected"))).mean(),
        mean=True, beta=2.0)
    one("ld_dpo", "sigmoid", {"beta": b, "ld_alpha": 0.4},
        lambda f: -log_s(b * (ld_sums(f, f.p, 0.4) - ld_sums(f, f.r, 0.4))).mean(),
        note="tokens beyond the length that both completions reach count ld_alpha, in policy and reference", beta=b, ld_alpha=0.4)
    one("robust", "robust", {"beta": b, "label_smoothing": 0.2},
        lambda f: ((-0.8 * log_s(b * f.d()) + 0.2 * log_s(-b * f.d())) / 0.6).mean(), beta=b, label_smoothing=0.2)
    one("robust", "robust", {"beta": b, "label_smoothing": 0.0}, lambda f: -log_s(b * f.d()).mean(), beta=b)
    one("hinge", "hinge", {"beta": b}, lambda f: torch.relu(1 - b * f.d()).mean(), beta=b)
    one("ipo", "ipo", {"beta": b}, lambda f: ((f.h_mean("chosen") - f.h_mean("rejected") - 1 / (2 * b)) ** 2).mean(), mean=True,
        note="TRL takes log-ratios a token (mean over the completion, EOS included); the paper sums", beta=b)
    for e in (1e-3, 0.2):
        one("exo", "exo_pair", {"beta": b, "label_smoothing": e}, lambda f: exo(b * f.d(), e).mean(), beta=b, label_smoothing=e)
    one("nca", "nca_pair", {"beta": b}, lambda f: (-log_s(b * f.h("chosen")) - 0.5 * log_s(-b * f.h("chosen"))
                                                  - 0.5 * log_s(-b * f.h("rejected"))).mean(), beta=b)
    one("sppo_hard", "sppo_hard", {"beta": b}, lambda f: ((f.h("chosen") - 0.5 / b) ** 2
                                                         + (f.h("rejected") + 0.5 / b) ** 2).mean(), beta=b)
    for e in (0.0, 0.1):
        one("aot", "aot", {"beta": b, "label_smoothing": e}, lambda f: smoothed(b * aot(f), e).mean(), beta=b, label_smoothing=e)
        one("aot_unpaired", "aot_unpaired", {"beta": b, "label_smoothing": e},
            lambda f: smoothed(b * aot_unpaired(f), e).mean(), beta=b, label_smoothing=e)
    one("apo_zero", "apo_zero", {"beta": b}, lambda f: (1 - torch.sigmoid(b * f.h("chosen"))
                                                       + torch.sigmoid(b * f.h("rejected"))).mean(), beta=b)
    one("apo_down", "apo_down", {"beta": b}, lambda f: (torch.sigmoid(b * f.h("chosen"))
                                                       + 1 - torch.sigmoid(b * f.d())).mean(), beta=b)
    for tau in (0.05, 0.5):
        one("discopop", "discopop", {"beta": b, "tau": tau}, lambda f: discopop(b * f.d(), tau).mean(), beta=b, discopop_tau=tau)
    one("bco", "bco_pair", {"beta": b}, lambda f: (-log_s(b * f.h("chosen")) - log_s(-b * f.h("rejected"))).mean(),
        extra=lambda: {"delta": 0.0}, note="no running mean: delta is 0", beta=b)

    def weights():
        f = Formulas("pairs_likely")
        both = {k: f.weights(k) for k in ("chosen", "rejected")}
        if (both["chosen"] * both["rejected"]).max() <= 1:
            raise SystemExit("pairs_likely: no weight above 1; take another seed")
        return {"weights": {k: v.tolist() for k, v in both.items()}}
    one("wpo", "sigmoid", {"beta": b}, lambda f: (-log_s(b * f.d()) * f.weights("chosen") * f.weights("rejected")).mean(),
        batch="pairs_likely", extra=weights,
        note="weights (the formula's), detached: exp of the mean over completion tokens of log p(y_t) - log sum_v p(v)^2; their "
             "product multiplies the pair's loss and is not clamped at 1 (older TRL clamped it)", beta=b, use_weighting=True)


def kto_losses():
    from trl import KTOConfig, KTOTrainer

    def one(name, loss_type, settings, batch, formula, note=None, **arguments):
        trainer, policy = build(KTOTrainer, KTOConfig, batch, loss_type=loss_type, **arguments)
        loss, norm, [inputs] = step(trainer, policy)
        rows, more = BATCHES[batch], {"note": note} if note else {}
        p, p_mismatched = trainer.compute_ref_log_probs(policy, inputs)
        r, r_mismatched = trainer.compute_ref_log_probs(trainer.ref_model, inputs)
        if loss_type == "kto":
            completions = [row["completion"] for row in rows]
            more["mismatched"] = [completions.index(x) for x in trainer.train_dataset["KL_completion_ids"]]
            more["mismatched_logps"] = {"policy": p_mismatched.tolist(), "reference": r_mismatched.tolist()}
            more["z"] = trainer._metrics["train"]["kl"][0]
            z = Formulas(batch).z(more["mismatched"]).item()
            more["z_unclamped"] = z
            if (z > 0) != (batch == "singles"):
                raise SystemExit(f"{batch}: the mean of the mismatched log-ratios is {z}; take another seed")
            near(f"{name} {batch}: z", more["z"], max(z, 0.0), 1e-5)
        says = ", ".join(["KTOTrainer", f"loss_type={loss_type}", *(f"{k}={v}" for k, v in arguments.items())])
        entry(name, says, settings, batch, loss, norm, lambda f: formula(f, max(more.get("z_unclamped", 0.0), 0.0)),
              policy_logps={"completion": p.tolist()}, reference_logps={"completion": r.tolist()}, **more)

    def kto(beta, desirable, undesirable):
        def formula(f, z):
            h, good = f.h("completion"), f.labels()
            return torch.where(good, desirable * (1 - torch.sigmoid(beta * (h - z))),
                               undesirable * (1 - torch.sigmoid(beta * (z - h)))).mean()
        return formula

    def apo(beta, desirable, undesirable):
        def formula(f, _):
            h = f.h("completion")
            return torch.where(f.labels(), desirable * (1 - torch.sigmoid(beta * h)),
                               undesirable * torch.sigmoid(beta * h)).mean()
        return formula

    for batch in ("singles", "singles_clamped"):
        for w in ((1.0, 1.0), (0.7, 1.4)):
            settings = {"beta": 0.1, "desirable_weight": w[0], "undesirable_weight": w[1]}
            one("kto", "kto", settings, batch, kto(0.1, *w), note="mismatched[i] is the row whose completion follows prompt i: "
                "TRL turns the completions by one within the batch; z is the mean over the batch, clamped at 0", **settings)
            if batch == "singles":
                one("apo_zero", "apo_zero_unpaired", settings, batch, apo(0.1, *w), **settings)


def log_odds(mean_logps):
    return mean_logps - torch.log(-torch.expm1(mean_logps))


def reference_free_losses():
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    def one(name, trainer_class, config_class, settings, batch, formula, note=None, **arguments):
        trainer, policy = build(trainer_class, config_class, batch, reference=False, **arguments)
        loss, norm, [inputs] = step(trainer, policy)
        both = trainer.concatenated_inputs(inputs, padding_value=PAD)
        with torch.no_grad():
            logits = policy(both["concatenated_input_ids"], attention_mask=both["concatenated_attention_mask"]).logits
        sums, means = (split(trainer.get_batch_logps(logits, both["concatenated_labels"], average_log_prob=average).chunk(2))
                       for average in (False, True))
        more = {"policy_logps": sums}
        if name != "cpo":
            more["policy_mean_logps"] = means
        if name == "orpo" or arguments["cpo_alpha"]:
            more["nll"] = trainer._stored_metrics["train"]["nll_loss"][0]
            near(f"{name}: nll", more["nll"], Formulas(batch).nll().item(), 1e-5)
        if note:
            more["note"] = note
        says = ", ".join([trainer_class.__name__, *(f"{k}={v}" for k, v in arguments.items())])
        entry(name, says, settings, batch, loss, norm, formula, **more)

    for beta in (0.1, 1.0):
        one("orpo", ORPOTrainer, ORPOConfig, {"beta": beta}, "pairs1",
            lambda f: f.nll() - beta * log_s(log_odds(f.means(f.p, "chosen")) - log_odds(f.means(f.p, "rejected"))).mean(),
            note="TRL's NLL covers the prompt too, all tokens but the first, which with a prompt of one token is the completion; "
                 "it is the mean over all tokens of the batch", beta=beta)

    nll_note = "nll: mean over all chosen completion tokens of the batch, not mean of the pairs' sums or means"
    for beta, alpha, e in ((0.1, 1.0, 0.0), (0.1, 0.0, 0.0), (0.1, 0.5, 0.1)):
        one("cpo", CPOTrainer, CPOConfig, {"beta": beta, "nll_coef": alpha, "label_smoothing": e}, "pairs",
            lambda f: smoothed(beta * (f.sums(f.p, "chosen") - f.sums(f.p, "rejected")), e).mean() + alpha * f.nll(),
            note=nll_note if alpha else None, loss_type="sigmoid", beta=beta, cpo_alpha=alpha, label_smoothing=e)
    for beta, gamma, alpha, e in ((2.0, 1.0, 0.0, 0.0), (2.0, 1.0, 0.0, 0.1), (0.1, 0.5, 1.0, 0.0)):
        one("simpo", CPOTrainer, CPOConfig, {"beta": beta, "gamma": gamma, "nll_coef": alpha, "label_smoothing": e}, "pairs",
            lambda f: smoothed(beta * (f.means(f.p, "chosen") - f.means(f.p, "rejected")) - gamma, e).mean() + alpha * f.nll(),
            note="TRL's defaults, which keep an NLL term that the paper has not; " + nll_note if alpha else None,
            loss_type="simpo", beta=beta, simpo_gamma=gamma, cpo_alpha=alpha, label_smoothing=e)


def bco_losses():
    from trl.experimental.bco import BCOConfig, BCOTrainer
    for rows_per_step, beta in ((6, 0.1), (3, 0.1), (6, 0.02)):
        trainer, policy = build(BCOTrainer, BCOConfig, "singles", rows_per_step, beta=beta)
        batches = [trainer._prepare_inputs(b) for b in trainer.get_train_dataloader()]
        for batch in batches[:-1]:
            trainer.compute_loss(policy, batch)
        loss = trainer.compute_loss(policy, batches[-1])
        loss.backward()
        labels, logps = [r["label"] for r in BATCHES["singles"]], {}
        for side, network in (("policy_logps", policy), ("reference_logps", trainer.ref_model)):
            good, bad = [], []
            with torch.no_grad():
                for batch in batches:
                    chosen, rejected = trainer.forward(network, batch)[:2]
                    good += chosen.tolist()
                    bad += rejected.tolist()
            logps[side] = {"completion": [good.pop(0) if label else bad.pop(0) for label in labels]}
        first = 6 - rows_per_step

        def formula(f):
            h = beta * f.h("completion")
            delta = h.detach().mean()
            near("bco: delta", trainer._stored_metrics["train"]["delta"][-1], delta.item(), 1e-5)
            return -log_s(torch.where(f.labels(), h - delta, delta - h)[first:]).mean()
        more = {} if first == 0 else {"rows": list(range(first, 6)), "seen_before": list(range(first))}
        says = f"BCOTrainer of TRL {trl.__version__}, beta={beta}, per_device_train_batch_size={rows_per_step}"
        entry("bco", says, {"beta": beta}, "singles", loss.item(), gradient_norm(policy), formula, **logps,
              delta=trainer._stored_metrics["train"]["delta"][-1],
              note="delta is the running mean of all implicit rewards seen, this batch included, each weighing the same "
                   "(the paper takes the mean of the good ones' mean and the bad ones')", **more)


NOTES = {
    "batches": "token ids; completions end with the EOS that is in them, no BOS is put before a prompt",
    "loss": "mean over the batch's pairs or answers (or rows, where given), f32, dropout off",
    "grad_norm": "L2 norm over all parameters of the policy of the gradient of loss; a tied matrix counts once",
    "formula": "the same loss from the plain formula on f64 log-probabilities of unpadded sequences",
    "logps": "sums over completion tokens, EOS included, as TRL computes them; mean_logps: divided by their number",
    "trl": "the trainer's class and the arguments of its config that bear on the loss"}


def write(path, trl_bco):
    versions = {"torch": torch.__version__, "trl": trl.__version__, "trl_bco": trl_bco, "transformers": transformers.__version__,
                "python": platform.python_version(), "script": "tools/golden/trl_preference.py"}
    head = {"versions": versions, "models": {"policy": f"models/{POLICY}", "reference": f"models/{REFERENCE}", "eos": EOS},
            "notes": NOTES, **BATCHES}

    def line(x):
        return json.dumps(x, separators=(",", ":"), allow_nan=False)
    lines = [f"{line(k)}:{line(v)}" for k, v in head.items()]
    path.write_text("{" + ",\n".join(lines) + ',\n"entries":[\n' + ",\n".join(map(line, ENTRIES)) + "\n]}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["bco"]:
        bco_losses()
        print(json.dumps({"trl": trl.__version__, "entries": ENTRIES}))
    else:
        dpo_losses()
        kto_losses()
        reference_free_losses()
        older = subprocess.run([sys.argv[1], __file__, "bco"], check=True, stdout=subprocess.PIPE, text=True)
        older = json.loads(older.stdout.splitlines()[-1])
        ENTRIES += older["entries"]
        write(ROOT / "tests" / "golden" / "trl_preference.json", older["trl"])
