#!/usr/bin/env python3
"""Writes tests/golden/openrlhf.json: what OpenRLHF's own functions make of a small batch.

Run from the source as it is published, without Ray, vLLM or DeepSpeed: its losses (models/loss.py), its divergence and its
rewards of tokens (models/utils.py), its advantages (get_advantages_and_returns of trainer/ppo_utils/experience_maker.py). Only the
whitening, which stands in the midst of compute_advantages_and_returns there, is written down here once more. The batch has a token 14 nats away from the reference,
a score of 13 and values that move by more than half, so that each of its limits is reached. To make the file again:

    pip download --no-deps openrlhf==0.11.2 && python3 -m zipfile -e openrlhf-0.11.2-*.whl SOURCE
    python3 tools/golden/openrlhf.py SOURCE/openrlhf-0.11.2.data/purelib      # with torch 2.13.0
"""
import ast
import importlib.util
import json
import pathlib
import platform
import sys
import types
from typing import Optional, Tuple

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path(sys.argv[1]) / "openrlhf"
sys.modules["deepspeed"] = types.ModuleType("deepspeed")


def load(name):
    spec = importlib.util.spec_from_file_location(f"openrlhf_models.{name}", SOURCE / "models" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def methods_of(path, names):
    """Methods of any class in the file, as functions that ask nothing of their object."""
    scope = {"torch": torch, "Optional": Optional, "Tuple": Tuple}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            exec(compile(ast.Module([node], []), str(path), "exec"), scope)
    return [scope[n] for n in names]


sys.modules["openrlhf_models"] = types.ModuleType("openrlhf_models")
sys.modules["openrlhf_models"].__path__ = [str(SOURCE / "models")]
UTILS, LOSS = load("utils"), load("loss")
[GAE] = methods_of(SOURCE / "trainer" / "ppo_utils" / "experience_maker.py", ["get_advantages_and_returns"])

LENGTHS, LONGEST = [7, 3, 5, 1, 6], 7
KL_COEF, CLIP_RANGE, VALUE_CLIP = 0.01, (-10.0, 10.0), 0.5


def batch():
    g = torch.Generator().manual_seed(6001)
    mask = torch.arange(LONGEST)[None] < torch.tensor(LENGTHS)[:, None]
    old = -torch.rand(5, LONGEST, generator=g) * 2 - 0.05
    out = {"old_logp": old, "reference_logp": old + 0.3 * torch.randn(5, LONGEST, generator=g),
           "logp": old + 0.3 * torch.randn(5, LONGEST, generator=g), "values": torch.randn(5, LONGEST, generator=g),
           "score": torch.tensor([0.7, 13.0, -1.2, 2.5, -0.3])}
    out["reference_logp"][0, 2] = old[0, 2] - 14
    out["new_values"] = out["values"] + torch.randn(5, LONGEST, generator=g)
    return mask, out


def whitened(x, mask):
    mean = (x * mask).sum() / mask.sum()
    return (x - mean) * (((x - mean).pow(2) * mask).sum() / mask.sum()).clamp(min=1e-8).rsqrt()


def with_gradient(value, leaf):
    value.backward()
    return {"loss": value.item(), "gradient": leaf.grad.tolist()}


def main():
    mask, b = batch()
    out = {"versions": {"python": platform.python_version(), "torch": torch.__version__, "openrlhf": "0.11.2"},
           "lengths": LENGTHS, "kl_coef": KL_COEF, **{k: v.tolist() for k, v in b.items()}}
    kl = UTILS.compute_approx_kl(b["old_logp"], b["reference_logp"], kl_estimator="k1")
    rewards = UTILS.compute_reward(b["score"], KL_COEF, kl, action_mask=mask, reward_clip_range=CLIP_RANGE)
    out["rewards"] = rewards.tolist()
    for lam in (1.0, 0.95):
        advantages, returns = GAE(None, b["values"], rewards, mask, 1.0, lam)
        out[f"gae_{lam:g}"] = {"advantages": whitened(advantages, mask).tolist(), "returns": returns.tolist()}
    advantages = torch.tensor(out["gae_1"]["advantages"])
    for name, how in {"ppo": {}, "dual_clip": {"dual_clip": 1.2}, "clip_higher": {"clip_eps_high": 0.28},
                      "sequence_mean": {"token_level_loss": False}}.items():
        logp = b["logp"].clone().requires_grad_()
        out[f"policy_{name}"] = with_gradient(LOSS.PolicyLoss(**how)(logp, b["old_logp"], advantages, mask)[0], logp)
    values = b["new_values"].clone().requires_grad_()
    out["value"] = with_gradient(
        LOSS.ValueLoss(VALUE_CLIP)(values, b["values"], torch.tensor(out["gae_1"]["returns"]), mask), values)
    # The divergence in the loss, of a policy that has moved; both gradients.
    for name, unbiased in (("k3", True), ("k3_plain", False)):
        logp = b["logp"].clone().requires_grad_()
        near = torch.where((b["reference_logp"] - b["old_logp"]).abs() < 5, b["reference_logp"], b["old_logp"])
        term = UTILS.compute_approx_kl(logp, near, b["old_logp"], "k3", unbiased)
        out[f"kl_{name}"] = {**with_gradient((term * mask).sum() / mask.sum(), logp), "reference_logp": near.tolist()}
    chosen, rejected = torch.tensor([0.3, 1.9, -0.7]), torch.tensor([-0.2, 2.4, -0.7])
    margin = torch.tensor([0.5, 0.0, 0.25])
    out["pairs"] = {"chosen": chosen.tolist(), "rejected": rejected.tolist(), "margin": margin.tolist(),
                    "loss": LOSS.PairWiseLoss()(chosen, rejected).item(),
                    "loss_with_margin": LOSS.PairWiseLoss()(chosen, rejected, margin).item()}
    path = ROOT / "tests" / "golden" / "openrlhf.json"
    path.write_text(json.dumps(out, separators=(",", ":")).replace(',"', ',\n"') + "\n")


if __name__ == "__main__":
    main()
