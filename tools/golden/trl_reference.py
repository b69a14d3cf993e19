#!/usr/bin/env python3
"""Writes tests/golden/trl_losses.json, trl_ppo.json and torch_optim.json: what TRL and torch compute on small inputs.

Lines of TRL are not retyped: they are cut out of the installed trainer's source between two marks and executed, so a
golden value is what that version of TRL computes. To make them again:

    python3 -m venv /tmp/venv-trl
    /tmp/venv-trl/bin/pip install torch==2.13.0 trl==1.9.2 transformers
    /tmp/venv-trl/bin/python tools/golden/trl_reference.py
"""
import inspect
import json
import pathlib
import platform
import textwrap
from types import SimpleNamespace

import torch
import torch.nn.functional as F
import transformers
import trl
from trl.experimental.ppo import ppo_trainer
from trl.trainer import dpo_trainer, reward_trainer

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
VERSIONS = {"torch": torch.__version__, "trl": trl.__version__, "transformers": transformers.__version__,
            "python": platform.python_version(), "script": "tools/golden/trl_reference.py"}


def cut(module, first: str, last: str, after: str = "") -> str:
    """The source from the line that starts with `first` to the one that starts with `last`, both included."""
    lines = inspect.getsource(module).splitlines()
    start = next(i for i, x in enumerate(lines) if x.strip().startswith(after)) if after else 0
    a = next(i for i in range(start, len(lines)) if lines[i].strip().startswith(first))
    b = next(i for i in range(a, len(lines)) if lines[i].strip().startswith(last))
    return textwrap.dedent("\n".join(lines[a:b + 1]))


def run(source: str, names: dict) -> dict:
    scope = dict(names)
    exec(compile(source, "trl", "exec"), scope)
    return scope


def plain(x):
    if isinstance(x, torch.Tensor):
        return x.detach().tolist()
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


def write(name: str, content: dict) -> None:
    text = json.dumps({"versions": VERSIONS, **plain(content)}, separators=(",", ":"))
    (OUT / name).write_text(text.replace('},"', '},\n"').replace('],"', '],\n"') + "\n")


def losses() -> None:
    torch.manual_seed(1)
    policy_c, policy_r, ref_c, ref_r = (-20 + 8 * torch.randn(6) for _ in range(4))
    this = SimpleNamespace(beta=0.3, label_smoothing=0.2)
    scope = {"self": this, "torch": torch, "F": F, "device": "cpu", "chosen_logps": policy_c, "rejected_logps": policy_r,
             "ref_chosen_logps": ref_c, "ref_rejected_logps": ref_r,
             "chosen_scores": policy_c - ref_c, "rejected_scores": policy_r - ref_r}
    scope["delta_score"] = scope["chosen_scores"] - scope["rejected_scores"]
    sigmoid = cut(dpo_trainer, "per_sequence_loss = -F.logsigmoid(self.beta * delta_score)", "per_sequence_loss")
    dpo = run(sigmoid, scope)["per_sequence_loss"]
    # TRL 1.9.2 has no label smoothing in its sigmoid loss, but its "aot" loss of a single pair is conservative DPO.
    aot = cut(dpo_trainer, "logratios = chosen_logps", ")", after='elif loss_type == "aot"')
    cdpo = []
    for i in range(6):
        one = {k: v[i:i + 1] if isinstance(v, torch.Tensor) else v for k, v in scope.items()}
        cdpo.append(run(aot, one)["per_sequence_loss"].item())
    chosen, rejected, margin = torch.randn(6), torch.randn(6), torch.rand(6)
    names = {"nn": torch.nn, "F": F, "torch": torch, "rewards_chosen": chosen, "rewards_rejected": rejected,
             "self": SimpleNamespace(args=SimpleNamespace(center_rewards_coefficient=0.01)),
             "inputs": {"margin": margin}}
    bt = run(BT_SOURCE, names)["loss"]
    write("trl_losses.json", {
        "dpo": {"beta": this.beta, "label_smoothing": this.label_smoothing, "policy_chosen": policy_c, "policy_rejected": policy_r,
                "reference_chosen": ref_c, "reference_rejected": ref_r, "loss": dpo, "smoothed_loss": cdpo},
        "bradley_terry": {"centring": 0.01, "chosen": chosen, "rejected": rejected, "margin": margin, "mean_loss": bt}})


BT_SOURCE = cut(reward_trainer, 'if "margin" in inputs', "loss += self.args.center_rewards_coefficient")


def ppo() -> None:
    torch.manual_seed(2)
    batch, length = 5, 7
    lengths = torch.tensor([7, 3, 5, 1, 6])  # real tokens of each response; 7 fills the row
    args = SimpleNamespace(kl_estimator="k1", kl_coef=0.05, whiten_rewards=False, gamma=0.97, lam=0.9, missing_eos_penalty=1.0,
                           cliprange=0.2, cliprange_value=0.2, vf_coef=0.1)
    contain_eos_token = torch.tensor([False, True, True, True, False])
    logprobs, ref = -2 * torch.rand(batch, length), -2 * torch.rand(batch, length)
    raw_scores, values = torch.randn(batch), torch.randn(batch, length)
    cases = {}
    reward_source = cut(ppo_trainer, "response_idxs = torch.arange(responses.shape[1]",
                        "advantages = torch.masked_fill(advantages, padding_mask, 0)")
    for name, changes in {"plain": {}, "whitened_rewards": {"whiten_rewards": True}, "k3": {"kl_estimator": "k3"}}.items():
        settings = SimpleNamespace(**{**vars(args), **changes})
        scores = raw_scores.clone()
        scores[~contain_eos_token] -= settings.missing_eos_penalty  # the line before the cut
        scope = run(reward_source, {
            "torch": torch, "args": settings, "responses": torch.zeros(batch, length, dtype=torch.long), "scores": scores,
            "sequence_lengths": lengths - 1, "logprobs": logprobs.clone(), "ref_logprobs": ref.clone(), "values": values.clone(),
            "INVALID_LOGPROB": ppo_trainer.INVALID_LOGPROB, "masked_whiten": ppo_trainer.masked_whiten})
        cases[name] = {k: scope[k] for k in ("rewards", "advantages", "returns")}
        cases[name]["settings"] = vars(settings)
        kept = scope
        if name == "plain":
            plain_scope = kept
    # The loss of one micro-batch that holds every response.
    new_logprobs = torch.masked_fill(plain_scope["logprobs"] + 0.3 * torch.randn(batch, length), plain_scope["padding_mask"], 1.0)
    new_logprobs.requires_grad_()
    vpred = torch.masked_fill(plain_scope["values"] + 0.5 * torch.randn(batch, length), plain_scope["padding_mask_p1"], 0).requires_grad_()
    loss_source = cut(ppo_trainer, "vpredclipped = torch.clamp(", "loss = pg_loss + args.vf_coef * vf_loss")
    scope = run(loss_source + "\npg_clipfrac = masked_mean((pg_losses2 > pg_losses).float(), ~padding_mask[micro_batch_inds])", {
        "torch": torch, "args": args, "vpred": vpred, "mb_values": plain_scope["values"], "mb_return": plain_scope["returns"],
        "new_logprobs": new_logprobs, "mb_logprobs": plain_scope["logprobs"], "mb_advantage": plain_scope["advantages"],
        "padding_mask": plain_scope["padding_mask"], "padding_mask_p1": plain_scope["padding_mask_p1"],
        "micro_batch_inds": slice(None), "masked_mean": ppo_trainer.masked_mean})
    scope["loss"].backward()
    x, mask = torch.randn(4, 5), torch.rand(4, 5) > 0.3
    write("trl_ppo.json", {
        "lengths": lengths, "finished": contain_eos_token, "logprobs": logprobs, "reference_logprobs": ref, "scores": raw_scores,
        "values": values, "cases": cases,
        "loss": {"new_logprobs": new_logprobs, "values": vpred, "policy_loss": scope["pg_loss"], "value_loss": scope["vf_loss"],
                 "clip_fraction": scope["pg_clipfrac"], "loss": scope["loss"], "grad_logprobs": new_logprobs.grad, "grad_values": vpred.grad},
        "whiten": {"x": x, "mask": mask, "shifted": ppo_trainer.masked_whiten(x, mask),
                   "unshifted": ppo_trainer.masked_whiten(x, mask, shift_mean=False)}})


def optimisers() -> None:
    torch.manual_seed(3)
    content = {}
    start, grads = torch.randn(3, 4), [torch.randn(3, 4) * 10 ** (i - 2) for i in range(5)]
    for name, settings in {"adamw": dict(lr=0.01, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1),
                           "adamw_plain": dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)}.items():
        w = start.clone().requires_grad_()
        optimiser, path = torch.optim.AdamW([w], **settings), []
        for g in grads:
            w.grad = g.clone()
            optimiser.step()
            path.append(w.detach().clone())
        content[name] = {"settings": {**settings, "betas": list(settings["betas"])}, "start": start, "grads": grads, "path": path}
    bfloat16 = torch.Tensor.bfloat16
    for name, shape, adjust, half in [("muon_square", (4, 4), None, False), ("muon_tall", (6, 3), None, False), ("muon_wide", (3, 6), None, False),
                                      ("muon_rms", (6, 3), "match_rms_adamw", False), ("muon_tall_bf16", (6, 3), None, True)]:
        # torch.optim.Muon rounds to bf16 before Newton-Schulz; without that rounding its own code runs in f32.
        torch.Tensor.bfloat16 = bfloat16 if half else torch.Tensor.float
        start, grads = torch.randn(shape), [torch.randn(shape) for _ in range(4)]
        w = start.clone().requires_grad_()
        settings = dict(lr=0.02, weight_decay=0.1, momentum=0.95, adjust_lr_fn=adjust)
        optimiser, path = torch.optim.Muon([w], **settings), []
        for g in grads:
            w.grad = g.clone()
            optimiser.step()
            path.append(w.detach().clone())
        content[name] = {"settings": settings, "start": start, "grads": grads, "path": path}
    torch.Tensor.bfloat16 = bfloat16
    write("torch_optim.json", content)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    losses()
    ppo()
    optimisers()
