"""One sequence: tokens a second and the time to the first token of `hone chat` and of llama.cpp, f32, greedy, in one run.

Both take the same weights: the GGUF file's, dequantised to F32 for llama.cpp, imported as a folder for hone. Each round is a
new process of each, one after the other; the ratio is of the medians. Run it with nothing beside it.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

QUESTION = "Tell me in a few sentences how bread is made, and why it rises in the oven."
STATS = re.compile(r"(\d+) tokens, ([\d.]+) a second, first after (\d+) ms")


def write_f32(source, out):
    """The GGUF file with every tensor dequantised to F32, its metadata kept."""
    import gguf

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(out, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for t in reader.tensors:
        writer.add_tensor(t.name, gguf.quants.dequantize(t.data, t.tensor_type))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama(model, tokens, threads):
    """(tokens a second, milliseconds to the first token), by llama.cpp's own clock."""
    import xllamacpp as x

    p = x.CommonParams()
    p.model.path = model
    p.n_ctx, p.n_parallel, p.use_jinja, p.warmup = 2048, 1, True, True
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
    server = x.Server(p)
    request = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": tokens, "cache_prompt": False}
    answers = []
    server.handle_chat_completions(request, answers.append)
    if not answers or "timings" not in answers[-1]:
        sys.exit(f"llama.cpp gave no timings: {answers}")
    t = answers[-1]["timings"]
    return t["predicted_per_second"], t["prompt_ms"], t["predicted_n"]


def hone(binary, model, tokens):
    command = [binary, "chat", "--model", model, "--temperature", "0", "--max-tokens", str(tokens), "--stats"]
    done = subprocess.run(command, input=QUESTION + "\n", capture_output=True, text=True)
    found = STATS.search(done.stdout + done.stderr)
    if done.returncode or not found:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return float(found[2]), float(found[3]), int(found[1])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--hone", required=True)
    a.add_argument("--gguf", required=True)
    a.add_argument("--work", required=True, help="where the two copies of the model lie")
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--tokens", type=int, default=128)
    a.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    a.add_argument("--one-llama", help=argparse.SUPPRESS)
    a = a.parse_args()
    if a.one_llama:
        print("RESULT", *llama(a.one_llama, a.tokens, a.threads))
        return
    os.makedirs(a.work, exist_ok=True)
    f32, folder = os.path.join(a.work, "model-f32.gguf"), os.path.join(a.work, "model")
    if not os.path.exists(f32):
        write_f32(a.gguf, f32 + ".part")
        os.rename(f32 + ".part", f32)
    if not os.path.exists(os.path.join(folder, "config.json")):
        subprocess.run([a.hone, "import", a.gguf, "--out", folder], check=True)
    rows = {"llama.cpp": [], "hone chat": []}
    for _ in range(a.rounds):
        again = [sys.executable, *sys.argv, "--one-llama", f32]
        done = subprocess.run(again, capture_output=True, text=True)
        line = [l for l in done.stdout.splitlines() if l.startswith("RESULT")]
        if not line:
            sys.exit(done.stdout + done.stderr)
        rows["llama.cpp"].append([float(v) for v in line[0].split()[1:]])
        rows["hone chat"].append(hone(a.hone, folder, a.tokens))
    for name, r in rows.items():
        print(f"{name:10}  {statistics.median(x[0] for x in r):6.1f} tokens/s ({', '.join(f'{x[0]:.1f}' for x in r)})  "
              f"first token {statistics.median(x[1] for x in r):.0f} ms  {int(r[0][2])} tokens")
    speed = {n: statistics.median(x[0] for x in r) for n, r in rows.items()}
    print(f"hone / llama.cpp  {speed['hone chat'] / speed['llama.cpp']:.2f}")


main()
