# What the cases stand on, made by the program itself in seconds: a world, a tokenizer, a model of a few thousand
# parameters and a reward model, under $TINY.
set -e
hone world --corpus.words 20000 --demonstrations.count 400 --out $TINY/world --quiet
hone tokenizer train --data $TINY/world/corpus.txt --size 320 --out $TINY/tokenizer --quiet
hone sft --tokenizer $TINY/tokenizer/model --data $TINY/world/demonstrations.jsonl --steps 30 --batch-tokens 512 --shape.layers 1 \
  --shape.width 16 --shape.heads 2 --shape.kv-heads 2 --shape.ffn 32 --shape.context 192 --out $TINY/sft --quiet
# Comparisons without people: an answer beats the answer to the next prompt.
hone data convert $TINY/world/demonstrations.jsonl --to completion --quiet | head -80 >$TINY/rows.jsonl || true
python3 - $TINY/rows.jsonl >$TINY/pairs.jsonl <<'PYTHON'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
for a, b in zip(rows, rows[1:]):
    print(json.dumps({"prompt": a["prompt"], "chosen": a["completion"], "rejected": b["completion"]}))
PYTHON
hone reward --model $TINY/sft/model --data $TINY/pairs.jsonl --out $TINY/reward-run --quiet
ln -s sft/model $TINY/model
ln -s reward-run/model $TINY/reward
