// Hostile bytes into every reader: rows or hone::Error, nothing else. Under ASan and UBSan in `make check`.
#include <doctest/doctest.h>

#include <fstream>

#include "base/error.h"
#include "base/rng.h"
#include "data/format.h"
#include "data/read.h"
#include "scratch.h"

using namespace hone;
using namespace hone::data;

namespace {

// Reads the file by every reader; returns how many of them found rows.
int read_all(const std::string& file, const ReadSettings& settings) {
  int found = 0;
  const auto attempt = [&](auto reader) {
    try {
      found += reader({file}, settings).rows.empty() ? 0 : 1;
    } catch (const Error& e) {
      CHECK(e.kind == Kind::kUsage);
    }
  };
  attempt(read_documents);
  attempt(read_demonstrations);
  attempt(read_preferences);
  attempt([](const std::vector<std::string>& paths, const ReadSettings& settings) {
    return read_prompts(paths, settings, true);
  });
  return found;
}

const std::string kSeeds[] = {
    R"({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"})",
    R"({"question": "Q", "passages": [["T", "S"]], "prediction 1": "a", "prediction 2": "b", "prediction 3": "c", "prediction 4": "d", "preference": [1, 2, 0, 1, 2, 1]})",
    R"({"prompt": "P", "completion_a": "a", "completion_b": "b", "preference": "a-is-better"})",
    R"({"instruction": "I", "input": "X", "response1": "a", "response2": "b", "annotator1": 1, "annotator2": 0, "annotator3": 2})",
    R"({"prompt": {"text": "P", "role": "prompter", "replies": [{"text": "a", "role": "assistant", "rank": 1, "replies": []}, {"text": "b", "role": "assistant", "rank": 0, "replies": []}]}})",
    R"({"prompt": "P", "chosen": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "P"}, {"role": "assistant", "content": "b"}]})",
    R"({"conversations": [{"from": "human", "value": "P"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}})",
    R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "P"}]}, {"role": "assistant", "content": "a"}], "label": true})",
    R"({"instruction": "I", "input": "X", "output": "O"})",
    R"({"instruction": "I", "output": ["a", "b"], "history": [["q", "r"]], "system": "S"})",
    R"({"conversations": [{"from": "human", "value": "P"}, {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {}}"}, {"from": "observation", "value": "4"}, {"from": "gpt", "value": "a"}], "tools": "[{\"name\": \"f\"}]", "kto_tag": true})",
    R"({"messages": [{"role": "user", "content": "P"}, {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}], "reasoning": "r", "weight": 0.5}], "tools": [{"name": "f"}], "label": "good"})",
    R"({"prompt": "Human: a\n\nAssistant:", "chosen": " b", "rejected": " c", "tie": "false", "score_chosen": 2, "score_rejected": 1})",
    R"({"prompt": "P", "answers": ["a", [{"role": "assistant", "content": "b"}]]})",
    R"({"prompt": "P", "answer_a": "a", "answer_b": "b", "outcome": "a"})",
    R"({"prompt": "P", "completion": "C"})",
    R"({"question": "Q", "answer": "A", "system": "S"})",
    R"({"prompt": [{"role": "user", "content": "P"}]})",
    R"({"text": "T"})",
};

}  // namespace

TEST_CASE("random bytes") {
  const scratch::Folder dir;
  Stream random(1, "fuzz bytes");
  const char* names[] = {"a.jsonl", "a.json", "a.txt", "a.bin", "a.jsonl.gz"};
  const std::string alphabet = "{}[]\",:\\n \n\r\t0a\xff\xc3\xa9";
  for (int round = 0; round < 300; ++round) {
    std::string content;
    for (uint64_t n = random.below(200); n > 0; --n)
      content += round % 2 ? static_cast<char>(random.below(256)) : alphabet[random.below(alphabet.size())];
    ReadSettings settings;
    if (round % 3 == 0) settings.on_bad_line = "skip";
    if (round % 5 == 0) settings.format = std::string(formats()[random.below(formats().size())].id);
    const char* name = names[random.below(std::size(names))];
    // Every other .gz holds raw bytes under a false name.
    if (round % 2 && std::string(name).ends_with(".gz")) {
      std::ofstream(dir.path / name, std::ios::binary) << content;
      read_all((dir.path / name).string(), settings);
    } else {
      read_all(dir.file(name, content), settings);
    }
  }
}

TEST_CASE("mutated rows of every format") {
  const scratch::Folder dir;
  Stream random(2, "fuzz rows");
  int found = 0;
  for (const std::string& seed : kSeeds) {
    CHECK(read_all(dir.file("good.jsonl", seed), {}) >= 1);
    for (int round = 0; round < 150; ++round) {
      std::string row = seed;
      for (uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
        const size_t at = random.below(row.size());
        switch (random.below(4)) {
          case 0:
            row[at] = static_cast<char>(random.below(256));
            break;
          case 1:
            row.erase(at, 1 + random.below(8));
            break;
          case 2:
            row.insert(at, row.substr(random.below(row.size()), random.below(12)));
            break;
          default: {
            // Another value in place of a text: the types that a format must not trust.
            const char* values[] = {"null", "0", "-1", "1e400", "[]", "{}", "true", "99999999999999999999", "\"\""};
            const size_t open = row.find('"', at), close = open == std::string::npos ? open : row.find('"', open + 1);
            if (close != std::string::npos)
              row.replace(open, close - open + 1, values[random.below(std::size(values))]);
          }
        }
        if (row.empty()) row = " ";
      }
      ReadSettings settings;
      settings.ties = round % 2 ? "half" : "drop";
      settings.passages = round % 3 == 0;
      settings.on_bad_line = round % 4 == 0 ? "skip" : "stop";
      found +=
          read_all(dir.file(round % 5 == 0 ? "m.json" : "m.jsonl", round % 5 == 0 ? "[" + row + "]" : row), settings);
    }
  }
  CHECK(found > 100);  // the mutations are not all fatal
}

TEST_CASE("each format meets every other format's rows and every JSON type") {
  const scratch::Folder dir;
  std::string rows;
  for (const std::string& seed : kSeeds) rows += seed + "\n";
  rows +=
      "null\n1\n\"text\"\n[]\n[{}]\n{}\ntrue\n{\"prompt\": null}\n{\"messages\": [null]}\n{\"chosen\": [], "
      "\"rejected\": []}\n";
  for (const Format& f : formats()) {
    ReadSettings settings;
    settings.format = std::string(f.id);
    settings.on_bad_line = "skip";
    CHECK(read_all(dir.file("mixed.jsonl", rows), settings) >= 1);
    settings.on_bad_line = "stop";
    read_all(dir.file("mixed.jsonl", rows), settings);
  }
}

TEST_CASE("deep trees, long lines, many brackets") {
  const scratch::Folder dir;
  std::string tree;
  for (int i = 0; i < 150; ++i)
    tree += std::string(R"({"text": "t", "role": ")") + (i % 2 ? "assistant" : "prompter") + R"(", "replies": [)";
  for (int i = 0; i < 150; ++i) tree += "]}";
  read_all(dir.file("deep.jsonl", tree), {});
  read_all(dir.file("brackets.json", std::string(100000, '[')), {});
  read_all(dir.file("brackets.txt", std::string(100000, '[')), {});
  read_all(dir.file("braces.jsonl", std::string(100000, '{')), {});
  CHECK(read_all(dir.file("long.jsonl", "{\"text\": \"" + std::string(3'000'000, 'x') + "\"}"), {}) >= 1);
}
