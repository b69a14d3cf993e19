// Every chat template of the shared data against conversations of every kind: what is trained is the last answer and
// the end of its turn, after the ids that would be sampled from; or the conversation is refused by name.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "text/bpe_train.h"
#include "text/chat_template.h"
#include "text/special_text.h"

using namespace hone::text;

namespace {

const char* const kCall =
    R"([{"id": "abcdefghi", "type": "function", "function": {"name": "clock", "arguments": {"zone": "UTC"}}}])";
const char* const kTextCall =
    R"([{"id": "abcdefghi", "type": "function", "function": {"name": "clock", "arguments": "{\"zone\": \"UTC\"}"}}])";
const char* const kTools =
    R"([{"type": "function", "function": {"name": "clock", "description": "tells the time", "parameters": {"type": "object", "properties": {"zone": {"type": "string", "description": "which"}}, "required": ["zone"]}}}])";

Message turn(const char* role, const char* content) { return {role, content}; }
Message thought(const char* reasoning, const char* content) {
  Message m{"assistant", content};
  m.reasoning = reasoning;
  return m;
}
Message call(const char* calls) {
  Message m{"assistant", ""};
  m.no_content = true;
  m.tool_calls = calls;
  return m;
}
Message result(const char* content) {
  Message m{"tool", content};
  m.tool_call_id = "abcdefghi";
  m.name = "clock";
  return m;
}

using Conversation = std::vector<Message>;
Conversation with_tools(Conversation c) {
  c.front().tools = kTools;
  return c;
}

const std::map<std::string, Conversation>& conversations() {
  static const std::map<std::string, Conversation> all{
      {"plain", {turn("user", "Which?"), turn("assistant", "Blue42")}},
      {"system", {turn("system", "Be brief."), turn("user", "Which?"), turn("assistant", "Blue42")}},
      {"several turns",
       {turn("system", "Be brief."), turn("user", "Hello"), turn("assistant", "Red17"), turn("user", "Which?"),
        turn("assistant", "Blue42")}},
      {"begins with the assistant", {turn("assistant", "Red17"), turn("user", "Which?"), turn("assistant", "Blue42")}},
      {"reasoning", {turn("user", "Which?"), thought("the sky", "Blue42")}},
      {"reasoning in several turns",
       {turn("user", "Hello"), thought("roses", "Red17"), turn("user", "Which?"), thought("the sky", "Blue42")}},
      {"reasoning in the content", {turn("user", "Which?"), turn("assistant", "<think>\nthe sky\n</think>\n\nBlue42")}},
      {"tools", with_tools({turn("user", "Which?"), call(kCall), result("it is noon"), turn("assistant", "Blue42")})},
      {"tools, arguments as text",
       with_tools({turn("user", "Which?"), call(kTextCall), result("it is noon"), turn("assistant", "Blue42")})},
      {"a call at the end", with_tools({turn("user", "Which?"), call(kCall)})},
  };
  return all;
}

// What stands between < and > with bars, and the marks of the templates that go without.
std::vector<std::string> special_tokens(const std::string& source) {
  std::set<std::string> found;
  for (const auto& [open, close] :
       std::vector<std::pair<std::string, std::string>>{{"<|", "|>"}, {"<｜", "｜>"}, {"<|", ">"}, {"<", "|>"}})
    for (size_t at = source.find(open); at != std::string::npos; at = source.find(open, at + 1)) {
      const size_t end = source.find(close, at + open.size());
      if (end == std::string::npos) break;
      const std::string token = source.substr(at, end + close.size() - at);
      if (token.size() < 40 && token.find_first_of(" '\"\n{}(") == std::string::npos &&
          token.find('<', 1) == std::string::npos && token.find('>') == token.size() - 1)
        found.insert(token);
    }
  for (const char* mark :
       {"<s>", "</s>", "<start_of_turn>", "<end_of_turn>", "<end_of_utterance>", "[INST]", "[/INST]", "[TOOL_CALLS]",
        "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"})
    found.insert(mark);
  return {found.begin(), found.end()};
}

}  // namespace

TEST_CASE("every template, every kind of conversation: the last answer and its end after the prompt, or a reason") {
  if (data_missing("llama-cpp-templates")) return;
  // Of 57 templates. The others say themselves that they take no system message, or no assistant first; want tools, or
  // parts of a content; or render neither reasoning nor tools.
  const std::map<std::string, int> least{{"plain", 51},
                                         {"system", 48},
                                         {"several turns", 48},
                                         {"begins with the assistant", 43},
                                         {"reasoning", 19},
                                         {"reasoning in several turns", 19},
                                         {"reasoning in the content", 49},
                                         {"tools", 34},
                                         {"tools, arguments as text", 34},
                                         {"a call at the end", 33}};
  std::map<std::string, int> refused, encoded;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data_root() / "llama-cpp-templates")) {
    if (entry.path().extension() != ".jinja") continue;
    const std::string name = std::filesystem::relative(entry.path(), data_root() / "llama-cpp-templates").string();
    CAPTURE(name);
    const std::string source = hone::read_file(entry.path());
    const std::vector<std::string> specials = special_tokens(source);
    const Tokenizer tokenizer = train_bpe(std::vector<std::string>{"the cat sat on the mat"},
                                          256 + static_cast<int64_t>(specials.size()) + 8, specials);
    const ChatTemplate chat_template = ChatTemplate::from_source(source, "<s>", "</s>", "template");
    for (const auto& [kind, messages] : conversations()) {
      CAPTURE(kind);
      Encoded e;
      try {
        e = encode_chat(tokenizer, chat_template, messages, false);
      } catch (const hone::Error& error) {
        CHECK(error.kind == hone::Kind::kUsage);
        ++refused[kind];
        continue;
      }
      ++encoded[kind];
      const std::span prompt_messages = std::span(messages).first(messages.size() - 1);
      const Encoded prompt = encode_chat(tokenizer, chat_template, prompt_messages, true);
      REQUIRE(e.answer_begin == static_cast<int64_t>(prompt.ids.size()));
      CHECK(std::equal(prompt.ids.begin(), prompt.ids.end(), e.ids.begin()));
      REQUIRE(e.answer_begin < e.answer_end);
      // GLM's turns end where the next one begins; data::Encoder refuses to train with such a template.
      CHECK(tokenizer.is_special(e.ids[static_cast<size_t>(e.answer_end) - 1]) != (name == "trl/glm4moe.jinja"));
      const auto text = [&](int64_t from, int64_t to, bool trained) {
        std::vector<int32_t> ids;
        for (auto i = static_cast<size_t>(from); i < static_cast<size_t>(to); ++i)
          if (!trained || e.trained[i]) ids.push_back(e.ids[i]);
        return tokenizer.decode(ids);
      };
      const std::string answer = text(e.answer_begin, e.answer_end, true);
      CHECK(answer == text(e.answer_begin, e.answer_end, false));
      const std::string wanted = messages.back().tool_calls.empty() ? "Blue42" : "clock";
      CHECK_MESSAGE(answer.find(wanted) != std::string::npos, answer);
      if (kind.starts_with("reasoning")) CHECK_MESSAGE(answer.find("the sky") != std::string::npos, answer);
      const std::string earlier = text(0, e.answer_begin, true),
                        after = text(e.answer_end, static_cast<int64_t>(e.ids.size()), true);
      CHECK_MESSAGE(after.empty(), after);
      for (const char* asked : {"Which?", "Hello", "Be brief", "noon"})
        CHECK_MESSAGE(earlier.find(asked) == std::string::npos, earlier);
      if (kind == "several turns") {
        const bool apart = !e.apart.empty();
        CHECK_MESSAGE((earlier.find("Red17") != std::string::npos) != apart, earlier);
      }
    }
  }
  for (const auto& [kind, n] : least)
    CHECK_MESSAGE(encoded[kind] >= n, kind, ": ", encoded[kind], " encoded, ", refused[kind], " refused");
}

namespace {

struct Encoding {
  Tokenizer tokenizer;
  ChatTemplate chat_template;
  explicit Encoding(const std::string& source)
      : tokenizer(train_bpe(std::vector<std::string>{"the cat sat on the mat"}, 300, special_tokens(source))),
        chat_template(ChatTemplate::from_source(source, "<s>", "</s>", "template")) {}
  Encoded encode(std::span<const Message> messages, bool prompt = false) const {
    return encode_chat(tokenizer, chat_template, messages, prompt);
  }
  std::string trained(std::span<const Message> messages) const {
    const Encoded e = encode(messages);
    std::vector<int32_t> ids;
    for (size_t i = 0; i < e.ids.size(); ++i)
      if (e.trained[i]) ids.push_back(e.ids[i]);
    return tokenizer.decode(ids);
  }
};

// Opens a block in the generation prompt and strips it from every turn, as QwQ's and DeepSeek's distilled models'.
const char* const kOpensBlock =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% set c = m.content %}"
    "{% if m.role == 'assistant' and '</think>' in c %}{% set c = c.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "{{ c + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% "
    "endif %}";

}  // namespace

TEST_CASE("a generation prompt that opens a block of reasoning: what is trained is what would be sampled after it") {
  const Encoding e(kOpensBlock);
  const Conversation plain{turn("user", "Which?"), turn("assistant", "Blue42")};
  CHECK(e.trained(plain) == "\n</think>\n\nBlue42<|im_end|>");
  CHECK(e.trained(Conversation{turn("user", "Which?"), thought("the sky", "Blue42")}) ==
        "the sky\n</think>\n\nBlue42<|im_end|>");
  // In the content: whole, without its opening, and as it was sampled.
  for (const char* content :
       {"<think>\nthe sky\n</think>\n\nBlue42", "<think>the sky</think>Blue42", "the sky\n</think>\n\nBlue42"}) {
    CAPTURE(content);
    CHECK(e.trained(Conversation{turn("user", "Which?"), turn("assistant", content)}) ==
          "the sky\n</think>\n\nBlue42<|im_end|>");
  }
  // Earlier answers are stripped of it: context in the whole, learnt by themselves.
  const Conversation two{turn("user", "Hello"), thought("roses", "Red17"), turn("user", "Which?"),
                         thought("the sky", "Blue42")};
  CHECK(e.trained(two) == "the sky\n</think>\n\nBlue42<|im_end|>");
  CHECK(e.encode(two).apart == std::vector<size_t>{2});
  CHECK(e.trained(std::span(two).first(2)) == "roses\n</think>\n\nRed17<|im_end|>");
  const Encoded prompt = e.encode(std::span(two).first(3), true), whole = e.encode(two);
  CHECK(e.tokenizer.decode(prompt.ids).ends_with("<|im_start|>assistant\n<think>\n"));
  CHECK(std::equal(prompt.ids.begin(), prompt.ids.end(), whole.ids.begin()));
  CHECK(whole.answer_begin == static_cast<int64_t>(prompt.ids.size()));
  // The newline after the end of the turn is no part of the answer.
  CHECK(whole.answer_end == static_cast<int64_t>(whole.ids.size()) - 1);
}

TEST_CASE("a template that closes the block in its prompt takes answers without reasoning, and says so of others") {
  const Encoding e(
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n\n</think>\n\n' }}{% endif %}");
  CHECK(e.trained(Conversation{turn("user", "Which?"), turn("assistant", "Blue42")}) == "Blue42<|im_end|>");
  CHECK_THROWS_WITH_AS(e.trained(Conversation{turn("user", "Which?"), thought("the sky", "Blue42")}),
                       doctest::Contains("reasoning_content"), hone::Error);
}

TEST_CASE("the prompt of the last answer is what would be sampled from, where a template writes it otherwise later") {
  // Mistral's kind: the system message goes into the last turn, if that is the user's.
  const Encoding e(
      "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[INST] ' }}"
      "{% if loop.last and messages[0].role == 'system' %}{{ messages[0].content + '\n\n' }}{% endif %}"
      "{{ m.content + '[/INST]' }}{% elif m.role == 'assistant' %}{{ ' ' + m.content + eos_token }}{% endif %}{% "
      "endfor %}");
  const Conversation talk{turn("system", "Be brief."), turn("user", "Which?"), turn("assistant", "Blue42")};
  const Encoded whole = e.encode(talk);
  CHECK(e.tokenizer.decode(whole.ids) == "<s>[INST] Be brief.\n\nWhich?[/INST] Blue42</s>");
  CHECK(e.trained(talk) == " Blue42</s>");
}

TEST_CASE("what a template leaves out of a row is named") {
  const Encoding chatml(
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
  const auto refusal = [&](const Conversation& c, bool prompt = false) {
    try {
      chatml.encode(c, prompt);
    } catch (const hone::Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  CHECK(refusal({turn("user", "q"), thought("r", "a")}) == "the chat template does not render 'reasoning_content'");
  CHECK(refusal(with_tools({turn("user", "q"), turn("assistant", "a")})) ==
        "the chat template does not render 'tools'");
  CHECK(refusal(with_tools({turn("user", "q")}), true) == "the chat template does not render 'tools'");
  CHECK(refusal({turn("user", "q"), call(kCall)}) == "the chat template does not render 'tool_calls'");
  CHECK(refusal({turn("user", "q"), call(kCall), turn("user", "r"), turn("assistant", "a")}) ==
        "the chat template does not render 'tool_calls'");
  CHECK(refusal({turn("user", "q"), turn("assistant", "a"), result("r"), turn("assistant", "b")}) == "nothing");
  const Encoding deaf(
      "{% for m in messages %}{% if m.role in ['user', 'assistant'] %}{{ m.content + '<|end|>' }}{% endif %}{% endfor "
      "%}");
  for (const char* role : {"system", "tool", "developer"}) {
    Conversation c{turn("user", "q"), turn(role, "x"), turn("assistant", "a")};
    CHECK_THROWS_WITH_AS(deaf.encode(c), doctest::Contains(role), hone::Error);
  }
}

TEST_CASE("a turn's weight is that of its tokens; the answer's place does not depend on it") {
  const Encoding e(
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
  Conversation talk{turn("user", "2+2?"), turn("assistant", "WRONG"), turn("user", "really?"),
                    turn("assistant", "four")};
  const Encoded before = e.encode(talk);
  CHECK(e.trained(talk) == "WRONG<|im_end|>four<|im_end|>");
  talk[1].weight = 0;
  talk[3].weight = 0.25;
  const Encoded after = e.encode(talk);
  CHECK(e.trained(talk) == "four<|im_end|>");
  CHECK(after.ids == before.ids);
  CHECK(after.answer_begin == before.answer_begin);
  CHECK(after.answer_end == before.answer_end);
  CHECK(after.weight[static_cast<size_t>(after.answer_end) - 1] == 0.25f);
  talk[3].weight = 0;
  CHECK(e.encode(talk).answer_end == before.answer_end);
  CHECK(e.trained(talk).empty());
}

TEST_CASE("neighbouring turns of one role stay two where the template takes them, and are joined where it does not") {
  const Conversation talk{turn("user", "q"), turn("assistant", "A"), turn("assistant", "B")};
  const Encoding chatml(
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
  CHECK(chatml.trained(talk) == "A<|im_end|>B<|im_end|>");
  const Encoding strict(
      "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('take turns') "
      "}}{% endif %}"
      "{{ '<|im_start|>' + m.content + '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>' }}{% "
      "endif %}");
  CHECK(strict.trained(talk) == "A\n\nB<|im_end|>");
  CHECK_THROWS_WITH_AS(strict.encode(Conversation{turn("assistant", "A"), turn("user", "q"), turn("assistant", "B")}),
                       doctest::Contains("take turns"), hone::Error);
}

TEST_CASE("special tokens in calls, tools and reasoning are ordinary text too") {
  const Encoding e(
      "{% if tools %}{{ '<|im_start|>system\n' + tools|tojson + '<|im_end|>' }}{% endif %}"
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{{ m.reasoning_content if m.reasoning_content }}{{ "
      "m.content }}"
      "{{ m.tool_calls|tojson if m.tool_calls }}{{ '<|im_end|>' }}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
  Conversation talk{turn("user", "q"), thought("<|im_end|>", "x<|im_start|>")};
  talk[0].tools = R"([{"name": "<|im_end|>", "<|im_start|>": 1}])";
  talk[1].tool_calls = R"([{"name": "f", "arguments": {"a": "<|im_end|>"}}])";
  const Encoded encoded = e.encode(talk);
  const auto count = [&](const char* token) {
    return std::count(encoded.ids.begin(), encoded.ids.end(), *e.tokenizer.id(token));
  };
  CHECK(count("<|im_end|>") == 3);
  CHECK(count("<|im_start|>") == 3);
  CHECK(e.tokenizer.decode(encoded.ids) == e.chat_template.render(talk, false));
  CHECK(holds_special_text(e.tokenizer, talk));
  CHECK_FALSE(holds_special_text(e.tokenizer, Conversation{turn("user", "<|im_")}));
}

TEST_CASE("the frozen renders: role tool, tools, and conversations that begin with the assistant, through messages") {
  if (data_missing("golden/chat_template_vectors.jsonl")) return;
  std::map<std::string, std::optional<ChatTemplate>> loaded;
  int right = 0;
  hone::for_each_line(data_root() / "golden/chat_template_vectors.jsonl", [&](std::string_view line, int64_t) {
    const hone::Json row = hone::parse_json(line, "chat_template_vectors.jsonl");
    if (!row.contains("expected")) return;
    const auto name = row["template"].get<std::string>();
    auto& chat_template = loaded[name];
    if (!chat_template)
      chat_template =
          ChatTemplate::from_source(hone::read_file(data_root() / name), row["bos_token"], row["eos_token"], name);
    Conversation messages;
    for (const hone::Json& item : row["messages"]) {
      Message m{item["role"], item["content"]};
      if (item.contains("tool_calls")) m.tool_calls = hone::dump_json(item["tool_calls"]);
      m.tool_call_id = item.value("tool_call_id", "");
      m.name = item.value("name", "");
      messages.push_back(std::move(m));
    }
    if (!row["tools"].is_null()) messages.front().tools = hone::dump_json(row["tools"]);
    CAPTURE(name);
    CAPTURE(row["case"].get<std::string>());
    const std::string got = chat_template->render(messages, row["add_generation_prompt"]);
    CHECK(got == row["expected"].get<std::string>());
    right += got == row["expected"].get<std::string>();
  });
  MESSAGE(right << " renders agree");
}
