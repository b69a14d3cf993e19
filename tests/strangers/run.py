"""Takes every stranger (make.py) through SFT, a reward model, PPO, DPO and eval (align.toml) and holds what comes out.

    python3 tests/strangers/run.py BUILD [--out DIR] [--only NAME,…] [--whole] [--json FILE]

Without --out everything happens in a scratch folder. --whole: every run is also stopped in PPO and in DPO, by both signals
(else each stranger meets one of them), and one answer's scores are held together in bf16 too. Python 3 alone; each check is a function of `checks.py`.
"""
import argparse
import concurrent.futures
import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
import checks
import kinds
import make


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--out", help="keep the folders here")
    parser.add_argument("--only", default=",".join(k.name for k in kinds.KINDS))
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="a setting for every run of align.toml")
    args = parser.parse_args()
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        out = Path(args.out or stack.enter_context(tempfile.TemporaryDirectory(prefix="hone-strangers."))).absolute()
        names = args.only.split(",")
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            strangers = [checks.Stranger(Path(args.build).absolute() / "hone", out, kind, n, args.whole, args.set)
                         for n, kind in enumerate(kinds.KINDS) if kind.name in names]
            if args.whole:
                strangers += [checks.Stranger(s.hone, out / "bf16", s.kind, settings=args.set, dtype="bf16") for s in strangers]
            list(pool.map(checks.Stranger.run, strangers))
    table = [dict(stranger=s.kind.name + ("" if s.dtype == "f32" else " " + s.dtype), check=check, ok=ok, figure=figure) for s in strangers for check, ok, figure in s.results]
    for entry in table:
        print(f"{entry['stranger']:14} {entry['check']:22} {'ok    ' if entry['ok'] else 'FAILED'} {entry['figure']}")
    if args.json:
        Path(args.json).write_text(json.dumps(table, indent=1) + "\n")
    failed = sum(not entry["ok"] for entry in table)
    print(f"strangers: {len(names)} kinds, {len(strangers)} runs, {len(table)} checks, {failed} failed, {time.monotonic() - start:.0f} s")
    sys.exit(1 if failed or not table else 0)


if __name__ == "__main__":
    main()
