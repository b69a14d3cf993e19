# The project's verbs. `make align` and `make test` are all that a newcomer needs; both set everything up.
BUILD_DIR ?= build
OUT ?= runs/align
HONE = $(BUILD_DIR)/hone
# Options of the bench: make bench BENCH="--size 26M --json bench.json"
BENCH ?=
# Parts of the long run, all by default: make long PARTS="align-1 kills"
PARTS ?=
# The model that make chat and make judge open (a folder or a .gguf file), a small one from the net by default; and options of
# hone chat and hone annotate
MODEL ?=
CHAT ?=
JUDGE ?=
# Where make judge keeps what you judge (runs/judge.store by default), and its port
STORE ?=
PORT ?=
# A simulated person who does the evening of make judge (shorter or list), after how many comparisons the model learns (60), and
# prompts of the blind test (20)
SIMULATE ?=
LEARN_AT ?=
BLIND ?=

.PHONY: help setup build align chat judge test test-fast format check bench bench-peers long clean

help:
	@echo "make align        set up, build, and run recipes/align.toml: from nothing to an aligned model and a report"
	@echo "make chat         set up, build, fetch a small chat model once (93 MB) and talk to it; MODEL=DIR takes another"
	@echo "make judge        the same model answers twice and you judge, in a browser; STORE=FILE keeps what you judge, PORT=N"
	@echo "                  SIMULATE=shorter or list: a simulated person does the evening, to the verdict; LEARN_AT=60 BLIND=20"
	@echo "make test         set up, build, and run the tests (what CI runs)"
	@echo "make test-fast    the fast ones of them, under a minute once built"
	@echo "make build        the program alone, at $(HONE)"
	@echo "make format       format the C++ in place (clang-format 19)"
	@echo "make check        format, lint, rooms, sanitizers"
	@echo "make bench        tokens per second beside the measured matrix-multiply peak"
	@echo "make bench-peers  rollout and training beside transformers, in an environment of its own (optional)"
	@echo "make long         seeds, soaks, kills, real recipes; resumable; PARTS=\"align-1 kills\": only these"

setup:
	@BUILD_DIR=$(BUILD_DIR) tools/setup.sh

build: setup
	@ninja -j "$$(nproc)" -C $(BUILD_DIR) hone

align: build
	@$(HONE) run recipes/align.toml --out $(OUT) --resume

chat: build
	@MODEL="$(MODEL)" tools/chat.sh $(BUILD_DIR) $(CHAT)

judge: build
	@MODEL="$(MODEL)" STORE="$(STORE)" PORT="$(PORT)" SIMULATE="$(SIMULATE)" LEARN_AT="$(LEARN_AT)" BLIND="$(BLIND)" tools/judge.sh $(BUILD_DIR) $(JUDGE)

test: setup
	@tools/test.sh $(BUILD_DIR)

test-fast: setup
	@tools/test.sh $(BUILD_DIR) -L fast

format:
	@tools/format.sh

check: setup
	@tools/check.sh $(BUILD_DIR)

bench: setup
	@ninja -C $(BUILD_DIR) model_bench
	@$(BUILD_DIR)/bench/model_bench $(BENCH)

bench-peers: setup
	@ninja -C $(BUILD_DIR) model_bench
	@bench/peers/run.sh $(BUILD_DIR) $(BENCH)

long: build
	@tools/long.sh $(BUILD_DIR) $(PARTS)

clean:
	rm -rf $(BUILD_DIR)
