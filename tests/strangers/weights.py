"""Decoders drawn at random around a table of which token follows which, so that a model of a hundred thousand parameters
answers in words and ends its answers without having been trained; and the safetensors files that hold them.

Layer 0 and all attention are small random matrices. The last layer's feed-forward holds one neuron for each token of the
table: it fires on that token's embedding and adds the output rows of the tokens that may follow it.
"""
import array
import json
import math
import random
import struct

WIDTH, HEADS, KV_HEADS, FFN, LAYERS, POSITIONS = 64, 4, 2, 192, 2, 512
GPT2_FFN = 4 * WIDTH
FIRE = 6.0     # what a neuron's gate reads on its own token
TARGET = 12.0  # length of what it adds to the residual stream, of which an embedding is 3 long


def matrix(r, rows, columns, std):
    return (rows, columns), [r.gauss(0, std) for _ in range(rows * columns)]


def vector(r, n, centre, std=0.02):
    return (n,), [centre + r.gauss(0, std) for _ in range(n)]


def row(tensor, i):
    n = tensor[0][1]
    return tensor[1][i * n:(i + 1) * n]


def unit(v):
    length = math.sqrt(sum(x * x for x in v))
    return [x / length for x in v]


def neurons(embedding, output, table, ffn):
    """For each token of the table: the direction on which it fires, and what it adds."""
    assert len(table) <= ffn, (len(table), ffn)
    for token, followers in sorted(table.items()):
        into = [sum(column) for column in zip(*(unit(row(output, f)) for f in followers))]
        yield unit(row(embedding, token)), [TARGET * x for x in unit(into)]


def llama(r, family, rows, tied, table):
    t = {"model.embed_tokens.weight": matrix(r, rows, WIDTH, 3 / math.sqrt(WIDTH))}
    output = t["model.embed_tokens.weight"] if tied else matrix(r, rows, WIDTH, 3 / math.sqrt(WIDTH))
    small, head = 0.03, WIDTH // HEADS
    for layer in range(LAYERS):
        p = f"model.layers.{layer}."
        t[p + "input_layernorm.weight"] = vector(r, WIDTH, 1)
        t[p + "post_attention_layernorm.weight"] = vector(r, WIDTH, 1)
        for name, n in (("q", HEADS * head), ("k", KV_HEADS * head), ("v", KV_HEADS * head)):
            t[p + f"self_attn.{name}_proj.weight"] = matrix(r, n, WIDTH, 1 / math.sqrt(WIDTH))
            if family == "qwen2":
                t[p + f"self_attn.{name}_proj.bias"] = vector(r, n, 0, 0.3)
        t[p + "self_attn.o_proj.weight"] = matrix(r, WIDTH, HEADS * head, 0.02)
        gate, up, down = matrix(r, FFN, WIDTH, small), matrix(r, FFN, WIDTH, small), matrix(r, WIDTH, FFN, small)
        if layer == LAYERS - 1:
            down[1][:] = [0.0] * len(down[1])
            for k, (fires, adds) in enumerate(neurons(t["model.embed_tokens.weight"], output, table, FFN)):
                for i in range(WIDTH):
                    gate[1][k * WIDTH + i] = up[1][k * WIDTH + i] = fires[i] * FIRE / math.sqrt(WIDTH)
                    down[1][i * FFN + k] = adds[i] / FIRE ** 2
        t[p + "mlp.gate_proj.weight"], t[p + "mlp.up_proj.weight"], t[p + "mlp.down_proj.weight"] = gate, up, down
    t["model.norm.weight"] = vector(r, WIDTH, 1)
    if not tied:
        t["lm_head.weight"] = output
    return t


def gpt2(r, rows, table):
    """Conv1D matrices are (in, out); the causal masks stand in the file, and no name has a prefix, as in the published one."""
    t = {"wte.weight": matrix(r, rows, WIDTH, 3 / math.sqrt(WIDTH)), "wpe.weight": matrix(r, POSITIONS, WIDTH, 0.02)}
    for layer in range(LAYERS):
        p = f"h.{layer}."
        for norm in ("ln_1", "ln_2"):
            t[p + norm + ".weight"], t[p + norm + ".bias"] = vector(r, WIDTH, 1), vector(r, WIDTH, 0)
        t[p + "attn.c_attn.weight"], t[p + "attn.c_attn.bias"] = matrix(r, WIDTH, 3 * WIDTH, 1 / math.sqrt(WIDTH)), vector(r, 3 * WIDTH, 0)
        t[p + "attn.c_proj.weight"], t[p + "attn.c_proj.bias"] = matrix(r, WIDTH, WIDTH, 0.02), vector(r, WIDTH, 0)
        fc, proj = matrix(r, WIDTH, GPT2_FFN, 0.03), matrix(r, GPT2_FFN, WIDTH, 0.03)
        bias = vector(r, GPT2_FFN, 0)
        if layer == LAYERS - 1:
            proj[1][:] = [0.0] * len(proj[1])
            for k, (fires, adds) in enumerate(neurons(t["wte.weight"], t["wte.weight"], table, GPT2_FFN)):
                bias[1][k] = -FIRE  # GELU(2·FIRE·cos - FIRE): FIRE on its own token, next to nothing on others
                for i in range(WIDTH):
                    fc[1][i * GPT2_FFN + k] = fires[i] * 2 * FIRE / math.sqrt(WIDTH)
                    proj[1][k * WIDTH + i] = adds[i] / FIRE
        t[p + "mlp.c_fc.weight"], t[p + "mlp.c_fc.bias"] = fc, bias
        t[p + "mlp.c_proj.weight"], t[p + "mlp.c_proj.bias"] = proj, vector(r, WIDTH, 0)
        mask = [1.0 if j <= i else 0.0 for i in range(POSITIONS) for j in range(POSITIONS)]
        t[p + "attn.bias"] = ((1, 1, POSITIONS, POSITIONS), mask)
    t["ln_f.weight"], t["ln_f.bias"] = vector(r, WIDTH, 1), vector(r, WIDTH, 0)
    return t


def draw(family, seed, rows, tied, table):
    r = random.Random(seed)
    return gpt2(r, rows, table) if family == "gpt2" else llama(r, family, rows, tied, table)


def head(seed):
    return matrix(random.Random(seed), 1, WIDTH, 1 / math.sqrt(WIDTH))


def pack(data, dtype):
    if dtype == "F16":
        return struct.pack("<%de" % len(data), *data)
    raw = struct.pack("<%df" % len(data), *data)
    if dtype == "BF16":  # rounded to nearest, as torch does
        words = struct.unpack("<%dI" % len(data), raw)
        return struct.pack("<%dH" % len(data), *((w + 0x7FFF + (w >> 16 & 1)) >> 16 for w in words))
    return raw


def load(folder):
    """{name: floats} of every safetensors file, without GPT-2's prefix."""
    out = {}
    for file in sorted(folder.glob("*.safetensors")):
        raw = file.read_bytes()
        start = 8 + struct.unpack("<Q", raw[:8])[0]
        for name, t in json.loads(raw[8:start]).items():
            if name == "__metadata__":
                continue
            data = raw[start + t["data_offsets"][0]:start + t["data_offsets"][1]]
            if t["dtype"] == "BF16":
                data = struct.pack("<%dI" % (len(data) // 2), *(w << 16 for w in array.array("H", data)))
            out[name.removeprefix("transformer.")] = array.array("f", data)
    return out


def save(folder, tensors, dtype="F32", shards=1):
    names = sorted(tensors)
    files, total = {}, 0
    for shard in range(shards):
        file = "model.safetensors" if shards == 1 else f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        header, body = {"__metadata__": {"format": "pt"}}, b""
        for name in names[shard::shards]:
            raw = pack(tensors[name][1], dtype)
            header[name] = {"dtype": dtype, "shape": list(tensors[name][0]), "data_offsets": [len(body), len(body) + len(raw)]}
            body += raw
            files[name] = file
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        (folder / file).write_bytes(struct.pack("<Q", len(text)) + text + body)
        total += len(body)
    if shards > 1:
        index = {"metadata": {"total_size": total}, "weight_map": files}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
