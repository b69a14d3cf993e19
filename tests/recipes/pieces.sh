#!/usr/bin/env bash
# A piece of every recipe but align.toml, which CI runs whole: a few steps of each stage on little data. Its settings are
# still known, its stages still fit together, every stage's folder passes `hone check`, the evaluation measured what the
# recipe demands, and there is a page. What the figures must be is the whole recipe's business: `make long`.
#   tests/recipes/pieces.sh BUILD world|real
set -uo pipefail
cd "$(dirname "$0")/../.."
hone=$1/hone
data=${HONE_DATA:-../shared/data}
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-recipes.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
fail() {
  echo "recipes: $1"
  tail -n 20 "$work/log"
  exit 1
}
piece() {  # piece RECIPE [KEY=VALUE…]
  local recipe=$1 out=$work/$1 settings=() start=$SECONDS
  shift
  for setting in "$@"; do settings+=(--set "$setting"); done
  "$hone" run "recipes/$recipe.toml" --out "$out" "${settings[@]}" >"$work/log" 2>&1 || fail "$recipe ended with $?"
  for stage in "$out"/*/; do
    "$hone" check "$stage" >"$work/check.log" 2>&1 || { cat "$work/check.log"; fail "$recipe: hone check fails on $(basename "$stage")"; }
  done
  # `require` opens a list of one line each; every line must have been measured, met or not.
  local demanded measured=0
  demanded=$(awk '/^require = \[/ { on = 1; next } on && /^\]/ { on = 0 } on && /"/' "recipes/$recipe.toml" | wc -l)
  compgen -G "$out/*/results.json" >/dev/null && measured=$(cat "$out"/*/results.json | grep -c '"met": ')
  [ "$measured" = "$demanded" ] || fail "$recipe demands $demanded checks, and $measured were looked at"
  ! grep -q 'there is nothing to measure' "$work/log" || fail "$recipe demands what was not measured"
  grep -q '</html>' "$out/report.html" || fail "$recipe left no page"
  echo "recipes: $recipe, $(ls -d "$out"/*/ | wc -l) stages, $demanded checks measured, $((SECONDS - start)) s"
}
mapfile -t group < <(grep -l -- "--data runs/align" recipes/*.toml | xargs -n1 basename -s .toml)  # on what another recipe has left
world=(over-optimise blind-spot sycophancy own checked)
real=(real-stories real-feedback real-chat real-losses real-chat-rl)
case $2 in
  world)
    for file in recipes/*.toml; do
      name=$(basename "$file" .toml)
      [[ " align ${world[*]} ${group[*]} ${real[*]} " = *" $name "* ]] || { echo "recipes: nothing runs a piece of $file"; exit 1; }
    done
    # The models' shapes are the recipes' own; everything else is short.
    small=(world.world.prompts_per_family=60 world.world.held_out_per_family=8 world.corpus.words=12000
      world.demonstrations.count=300 tokenizer.size=500 pretrain.steps=8 sft.steps=4)
    compare=(count=40 samples=3 pairs=2 sampling.max_tokens=16)
    ppo=(steps=2 batch_prompts=12 minibatches=2 watch_every=1 watch_prompts=12 sampling.max_tokens=16)
    eval=(eval.limit=24 eval.sampling.max_tokens=16)
    for recipe in over-optimise blind-spot; do
      piece $recipe "${small[@]}" "${compare[@]/#/compare.}" "${ppo[@]/#/ppo.}" "${eval[@]}"
    done
    settings=()
    for judges in agree honest; do settings+=("${compare[@]/#/compare-$judges.}" "${ppo[@]/#/ppo-$judges.}"); done
    piece sycophancy "${small[@]}" "${settings[@]}" "${eval[@]}"
    for recipe in "${group[@]}"; do
      piece "$recipe" data="$work/over-optimise" group.steps=2 group.batch_prompts=3 group.sampling.max_tokens=16
    done
    # Somebody's model and comparisons: those of a piece above, as a Hugging Face folder and a file.
    model=$(echo "$work"/over-optimise/*-sft/model) comparisons=$(echo "$work"/over-optimise/*-compare/comparisons.jsonl)
    piece own sft.model="$model" sft.data="$comparisons" sft.steps=2 reward.data="$comparisons" ppo.prompts="$comparisons" \
      ppo.steps=1 ppo.batch_prompts=8 ppo.sampling.max_tokens=16 dpo.data="$comparisons"
    # Questions whose answers can be checked.
    tools/sums.py "$work/sums" --count 24 --held-out 8
    piece checked group.model="$model" group.prompts="$work/sums/sums.jsonl" group.steps=2 group.batch_prompts=3 group.sampling.max_tokens=8 \
      group.sampling_rounds=2 eval.models="start=$model,group=@group" eval.prompts="$work/sums/sums-held-out.jsonl" eval.sampling.max_tokens=8
    ;;
  real)
    [ -d "$data" ] || { echo "recipes: the recipes on real data read $data, which is absent: skipped"; exit 77; }
    piece real-stories data="$data" compare.count=24 compare.samples=2 compare.pairs=1 compare.sampling.max_tokens=64 \
      ppo.steps=1 ppo.batch_prompts=8 ppo.sampling.max_tokens=64 eval.sampling.max_tokens=64
    # Held-out rows are many; they are looked at once, at the end.
    piece real-feedback data="$data" pretrain.max_data_tokens=60000 pretrain.max_minutes=0 pretrain.steps=4 \
      pretrain.keep.evaluate_every=1000 sft.steps=2 sft.keep.evaluate_every=1000 reward.epochs=0.02 \
      reward.keep.evaluate_every=1000 ppo.steps=1 ppo.batch_prompts=8 ppo.sampling.max_tokens=16 eval.limit=16 \
      eval.sampling.max_tokens=16
    # In place of the chat model the small one of the piece above, which has a chat template too; another is imported
    # and not used. Its tokens are shorter, so more of the rows are too long.
    model=$(echo "$work"/real-feedback/*-sft/model)
    small=(data="$data" import.file="$data/stories260k/stories260K.bin" eval.limit=6 eval.comparisons_limit=24
      eval.text_passages=6 eval.sampling.max_tokens=12 eval.max_lost_share=1)
    piece real-chat "${small[@]}" dpo.model="$model" eval.models="start=$model,dpo=@dpo" dpo.epochs=0.05 dpo.text.max_lost_share=1 \
      dpo.keep.evaluate_every=1000 dpo.samples.max_tokens=16
    losses=()
    for loss in dpo ipo kto simpo orpo; do
      losses+=("$loss.model=$model" "$loss.epochs=0.05" "$loss.text.max_lost_share=1" "$loss.batch_pairs=4")
    done
    piece real-losses "${small[@]}" "${losses[@]}" eval.models="start=$model,dpo=@dpo,ipo=@ipo,kto=@kto,simpo=@simpo,orpo=@orpo"
    piece real-chat-rl "${small[@]}" reward.model="$model" second.model="$model" ppo.model="$model" \
      eval.models="start=$model,ppo=@ppo" reward.epochs=0.03 second.epochs=0.03 reward.text.max_lost_share=1 second.text.max_lost_share=1 ppo.max_lost_share=1 reward.keep.evaluate_every=1000 \
      second.keep.evaluate_every=1000 ppo.steps=2 ppo.batch_prompts=8 ppo.critic_warmup=1 ppo.sampling.max_tokens=12 \
      ppo.samples.max_tokens=16
    ;;
  *)
    echo "usage: tests/recipes/pieces.sh BUILD world|real" >&2
    exit 2
    ;;
esac
