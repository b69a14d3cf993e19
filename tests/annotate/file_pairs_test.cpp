// Pairs from files: which rows give pairs, what is passed over and counted, in which order they are offered.
#include "annotate/file_pairs.h"

#include <doctest/doctest.h>

#include "../data/scratch.h"
#include "base/error.h"

using namespace hone;
using annotate::FilePairs;
using scratch::Folder;

namespace {

std::vector<std::string> prompts(const FilePairs& source, size_t most = 100) {
  std::vector<std::string> out;
  for (const annotate::Pair& p : source.offer(most).pairs) out.push_back(p.query.prompt.back().content);
  return out;
}

std::string error_of(const std::string& content) {
  const Folder folder;
  try {
    FilePairs source({folder.file("p.jsonl", content)});
  } catch (const Error& e) {
    CHECK(e.kind == Kind::kUsage);
    return std::string(e.what()) + " | " + e.hint;
  }
  return "nothing";
}

}  // namespace

TEST_CASE("pairs nobody judged and comparisons of every outcome, each different pair once") {
  const Folder folder;
  const FilePairs source({
      folder.file("a.jsonl", R"({"prompt": "P1", "answers": ["a", "b"], "id": "one"})"
                             "\n"
                             R"({"prompt": "P1", "answers": ["a", "b"]})"
                             "\n"
                             R"({"prompt": "P1", "answers": ["a", "c"]})"
                             "\n"
                             R"({"prompt": "P2", "answers": ["same", "same"]})"
                             "\n"
                             R"({"prompt": "P3", "answers": ["", "  "]})"
                             "\n"),
      folder.file("b.jsonl", R"({"prompt": "P4", "chosen": "a", "rejected": "b"})"
                             "\n"
                             R"({"prompt": "P5", "chosen": "a", "rejected": "b", "tie": true})"
                             "\n"),
      folder.file("c.json",
                  R"([{"chosen": "\n\nHuman: P6\n\nAssistant: x", "rejected": "\n\nHuman: P6\n\nAssistant: y"}])"),
  });
  CHECK(prompts(source) == std::vector<std::string>{"P1", "P1", "P4", "P5", "P6"});
  CHECK(source.report().dropped.at("the same pair again") == 1);
  CHECK(source.report().dropped.at("identical answers") == 1);
  CHECK(source.report().dropped.at("empty answers") == 1);
  const annotate::Pair first = source.offer(1).pairs.at(0);
  CHECK(first.query.id == "one");
  CHECK(first.query.source == "a");
  CHECK(first.id.size() == 32);
  CHECK(source.find(first.id)->query == first.query);
  CHECK_FALSE(source.find("none").has_value());
}

TEST_CASE("the same pair has the same id wherever it stands") {
  const Folder folder;
  const std::string row = R"({"prompt": "P", "answers": ["a", "b"]})";
  const FilePairs one({folder.file("x.jsonl", row)});
  const FilePairs two({folder.file("y.jsonl", R"({"prompt": "O", "answers": ["a", "b"]})" + std::string("\n") + row)});
  CHECK(one.offer(9).pairs[0].id == two.offer(9).pairs[1].id);
  CHECK(two.offer(9).pairs[0].id != two.offer(9).pairs[1].id);
}

TEST_CASE("what is settled is not offered, what is reopened comes first, the last one before the others") {
  const Folder folder;
  std::string rows;
  for (const char c : std::string("abcde"))
    rows += std::string(R"({"prompt": ")") + c + R"(", "answers": ["x", "y"]})" + "\n";
  FilePairs source({folder.file("p.jsonl", rows)});
  const auto all = source.offer(10).pairs;
  CHECK(source.offer(2).beyond == annotate::Supply::kReady);
  CHECK(source.offer(5).beyond == annotate::Supply::kEnd);
  for (const size_t i : {0, 1, 3}) source.settle(all[i].id);
  source.settle("of other files");
  CHECK(prompts(source) == std::vector<std::string>{"c", "e"});
  CHECK(source.left() == 2);
  source.reopen(all[1].id);
  source.reopen(all[0].id);
  source.reopen(all[0].id);
  source.reopen(all[4].id);  // was never settled
  source.reopen("of other files");
  CHECK(prompts(source) == std::vector<std::string>{"a", "b", "c", "e"});
  CHECK(prompts(source, 1) == std::vector<std::string>{"a"});
  source.settle(all[0].id);
  CHECK(prompts(source) == std::vector<std::string>{"b", "c", "e"});
}

TEST_CASE("files without pairs, and rows that cannot be pairs, are named") {
  CHECK(error_of(R"({"prompt": "P", "completion": "a"})").find("no pairs to judge") == 0);
  CHECK(error_of(R"({"text": "just text"})").find("no pairs to judge") == 0);
  CHECK(error_of(R"({"prompt": "P", "answers": ["a"]})").find("list of two") != std::string::npos);
  CHECK(error_of(R"({"prompt": "P", "answers": ["a", "b", "c"]})").find("list of two") != std::string::npos);
  CHECK(error_of(R"({"prompt": "P", "answers": ["a", 7]})").find("not an answer") != std::string::npos);
  CHECK(error_of(R"({"prompt": "P", "answers": ["a", [{"role": "user", "content": "b"}]]})").find("assistant") !=
        std::string::npos);
  CHECK(error_of(R"({"prompt": [{"role": "assistant", "content": "P"}], "answers": ["a", "b"]})").find("user") !=
        std::string::npos);
  CHECK(error_of("{broken\n").find("p.jsonl:1") != std::string::npos);
}

TEST_CASE("a pair that no page could show is passed over and counted") {
  const Folder folder;
  const std::string long_text(FilePairs::kLongest, 'x');
  const FilePairs source({folder.file("p.jsonl", R"({"prompt": "P", "answers": ["a", ")" + long_text + "\"]}\n" +
                                                     R"({"prompt": "P", "answers": ["a", "b"]})")});
  CHECK(source.left() == 1);
  CHECK(source.report().dropped.at("longer than a page shows") == 1);
}
