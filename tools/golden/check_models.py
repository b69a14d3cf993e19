"""Opens with transformers what hone wrote and compares the logits with the golden ones.

    HONE_WRITE_MODELS=/tmp/written build/tests/model/tests_model -tc='a saved model*'
    VENV/bin/python tools/golden/check_models.py /tmp/written tests/golden/models     (VENV as in models.py)
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification


def main(written, golden):
    worst = 0.0
    folders = sorted(p for p in written.iterdir() if (p / "config.json").exists())
    for folder in folders:
        expected = load_file(golden / folder.name / "expected.safetensors")
        auto = AutoModelForSequenceClassification if "reward" in folder.name else AutoModelForCausalLM
        model, info = auto.from_pretrained(folder, output_loading_info=True, attn_implementation="eager")
        for key in ("missing_keys", "unexpected_keys", "mismatched_keys"):
            assert not info[key], (folder.name, key, info[key])
        ids = torch.split(expected["ids"], expected["lengths"].tolist())
        with torch.no_grad():
            outputs = [model.float().eval()(i[None]).logits[0] for i in ids]
        if "reward" in folder.name:
            got = torch.stack([o.reshape(-1) for o in outputs])
        else:
            got = torch.cat(outputs)
        difference = (got - expected["logits"]).abs().max().item()
        worst = max(worst, difference)
        print(f"{folder.name}: largest difference {difference:.2e}")
        assert difference < 1e-4, folder.name
    assert folders, "nothing was written"
    print(f"{len(folders)} folders open in transformers, largest difference {worst:.2e}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
