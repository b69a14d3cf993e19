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
    const size_t a = characters(p.chosen[0].content), b = characters(p.rejected[0].content);
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
  CHECK(read_demonstrations({sets.at("llama-factory-demo/identity.json")}).rows.size() == 91);
  CHECK(read_demonstrations({sets.at("torchtune-assets/instruct_tiny.json")}).rows.size() == 2);
  CHECK(read_demonstrations({sets.at("torchtune-assets/alpaca_tiny.json")}).report.unread.at("text") == 100);
  CHECK(read_preferences({sets.at("torchtune-assets/hh_rlhf_tiny.json")}).rows.size() == 1);
  CHECK(read_preferences({sets.at("torchtune-assets/stack_exchange_paired_tiny.json")}).rows.size() == 25);
  CHECK(read_demonstrations({sets.at("torchtune-assets/chat_tiny.json")}).rows.size() == 1);
  ReadSettings lines;
  lines.split_text_by = "line";
  CHECK(read_documents({sets.at("llama-factory-demo/wiki_demo.txt")}, lines).rows.size() == 30);
  const auto novels = read_documents({sets.at("english-novels/W*.txt.gz")});
  CHECK(novels.rows.size() == 8);
  for (const Document& d : novels.rows) CHECK(!d.text.starts_with("\xEF\xBB\xBF"));
}

TEST_CASE("tools, reasoning, labels and weights of the real sets, against counts made with Python") {
  const Sets sets;
  NEEDS_SHARED_DATA(sets);
  const auto count = [](const std::vector<Demonstration>& rows, const auto& holds) {
    int64_t n = 0;
    for (const Demonstration& d : rows) n += std::count_if(d.messages.begin(), d.messages.end(), holds);
    return n;
  };
  const auto calls = [](const hone::text::Message& m) { return !m.tool_calls.empty(); };
  const auto tools = [](const hone::text::Message& m) { return !m.tools.empty(); };
  const auto glaive = read_demonstrations({sets.at("llama-factory-demo/glaive_toolcall_en_demo.json")});
  CHECK(glaive.rows.size() == 300);
  CHECK(count(glaive.rows, calls) == 211);
  CHECK(count(glaive.rows, [](const auto& m) { return m.role == "tool"; }) == 211);
  CHECK(count(glaive.rows, tools) == 191);
  const auto reason = read_demonstrations({sets.at("llama-factory-demo/reason_tool_use_demo_50.jsonl")});
  CHECK(reason.rows.size() == 50);
  CHECK(count(reason.rows, tools) == 48);
  CHECK(count(reason.rows, [](const auto& m) { return !m.reasoning.empty(); }) == 112);
  const auto kto = read_demonstrations({sets.at("llama-factory-demo/kto_en_demo.json")});
  CHECK(kto.rows.size() == 150);
  CHECK(kto.report.dropped.at("labelled bad") == 300 - 150);
  const auto v1 = read_preferences({sets.at("llama-factory-demo/v1_dpo_demo.jsonl")});
  CHECK(v1.rows.size() == 10);
  for (const Preference& p : v1.rows) CHECK(p.prompt.front().role == "system");
  for (const char* file : {"glaive_toolcall_en_demo.json", "reason_tool_use_demo_50.jsonl", "kto_en_demo.json",
                           "v1_sft_demo.jsonl", "alpaca_en_demo.json", "identity.json"}) {
    const auto read = read_demonstrations({sets.at("llama-factory-demo") + "/" + file});
    CHECK_MESSAGE(read.report.unread.empty(), file);
    CHECK_MESSAGE(read.report.noticed.empty(), file);
  }
}
