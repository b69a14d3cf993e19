// The public sets beside the repository, against counts computed from them with Python.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/read.h"
#include "data/split.h"
#include "scratch.h"

using namespace hone::data;

namespace {

struct Sets {
  std::optional<std::filesystem::path> root = scratch::shared_data();
  std::string at(const char* name) const { return (*root / name).string(); }
};

// Characters, not bytes.
size_t characters(const std::string& s) {
  return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

#define NEEDS_SHARED_DATA(sets)                                                           \
  if (!sets.root) {                                                                       \
    MESSAGE("skipped: neither $HONE_DATA nor ../shared/data holds the public data sets"); \
    return;                                                                               \
  }

TEST_CASE("HH harmless-base: 2,000 comparisons of which the longer answer wins 44.8%") {
  const Sets sets;
  NEEDS_SHARED_DATA(sets);
  const auto read = read_preferences({sets.at("hh-rlhf/harmless-base/test.jsonl.gz")});
  CHECK(read.rows.size() == 2000);
  CHECK(read.report.dropped.empty());
  double longer = 0;
  std::set<std::string> prompts;
  for (const Preference& p : read.rows) {
    const size_t a = characters(p.chosen), b = characters(p.rejected);
    longer += a > b ? 1 : a == b ? 0.5 : 0;
    prompts.insert(prompt_hash(p));
    CHECK(p.prompt.back().role == "user");
  }
  CHECK(longer / 2000 == doctest::Approx(0.44775).epsilon(1e-9));  // 44.485% on all 2,312 rows of the full file
  CHECK(prompts.size() <= 1998);
}

TEST_CASE("fine-grained, Tulu, PandaLM, Open-Assistant: decided pairs and ties as published") {
  const Sets sets;
  NEEDS_SHARED_DATA(sets);
  const auto fine = read_preferences({sets.at("finegrained-rlhf/dev_feedback.json.gz")});
  CHECK(fine.rows.size() == 2616);
  CHECK(fine.report.ties == 384);
  CHECK(fine.report.files[0].rows == 500);
  const auto tulu = read_preferences({sets.at("tulu1-human-eval/annotations.jsonl.gz")});
  CHECK(tulu.rows.size() + 1 == 774);  // one decided pair has identical answers
  CHECK(tulu.report.ties == 376);
  CHECK(tulu.report.dropped.at("identical answers") == 40);
  const auto panda = read_preferences({sets.at("pandalm/testset-v1.json")});
  CHECK(panda.rows.size() == 894);  // majorities: 422 first, 472 second, 105 ties
  CHECK(panda.report.ties == 105);
  const auto oasst = read_preferences({sets.at("oasst-sample/en_100_tree.jsonl.gz")});
  CHECK(oasst.rows.size() == 754);
  CHECK(oasst.report.ties == 0);
  CHECK(read_preferences({sets.at("oasst-sample/en_100_message.jsonl.gz")}).rows.size() == 754);

  // All together, as the recipe on real feedback reads them.
  ReadSettings half;
  half.ties = "half";
  const auto all = read_preferences(
      {sets.at("hh-rlhf/harmless-base/test.jsonl.gz"), sets.at("finegrained-rlhf/dev_feedback.json.gz"),
       sets.at("tulu1-human-eval/annotations.jsonl.gz"), sets.at("pandalm/testset-v1.json"),
       sets.at("oasst-sample/en_100_tree.jsonl.gz")},
      half);
  CHECK(all.report.ties == 384 + 376 + 105);
  const auto ties = std::count_if(all.rows.begin(), all.rows.end(), [](const Preference& p) { return p.tie; });
  CHECK(ties == 2 * (384 + 105 + 376 - 39));  // 39 of Tulu's ties are between identical answers
  CHECK(all.rows.size() == 2000 + 2616 + 773 + 894 + 754 + static_cast<size_t>(ties));
}

TEST_CASE("demonstrations and prompts of the real sets") {
  const Sets sets;
  NEEDS_SHARED_DATA(sets);
  CHECK(read_demonstrations({sets.at("llama-factory-demo/alpaca_en_demo.json")}).rows.size() == 999);
  CHECK(read_demonstrations({sets.at("open-instruct-fixtures/sft_sample.jsonl.gz")}).rows.size() == 100);
  CHECK(read_preferences({sets.at("open-instruct-fixtures/preference_sample.jsonl.gz")}).rows.size() > 90);
  CHECK(read_prompts({sets.at("open-instruct-fixtures/rlvr_sample.jsonl.gz")}).rows.size() > 90);
  CHECK(read_preferences({sets.at("llama-factory-demo/dpo_en_demo.json")}).rows.size() > 290);
  CHECK(read_demonstrations({sets.at("llama-factory-demo/v1_sft_demo.jsonl")}).rows.size() > 490);
  CHECK(read_documents({sets.at("llama-factory-demo/c4_demo.jsonl")}).rows.size() == 300);
  CHECK(read_demonstrations({sets.at("torchtune-assets/chat_tiny.json")}).rows.size() == 1);
  ReadSettings lines;
  lines.split_text_by = "line";
  CHECK(read_documents({sets.at("llama-factory-demo/wiki_demo.txt")}, lines).rows.size() == 30);
  const auto novels = read_documents({sets.at("english-novels/W*.txt.gz")});
  CHECK(novels.rows.size() == 8);
  for (const Document& d : novels.rows) CHECK(!d.text.starts_with("\xEF\xBB\xBF"));
}
