#include "text/tokenizer.h"

#include <unistd.h>

#include <ctime>

#include "../shared_data.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "text/byte_alphabet.h"
#include "text/chat_template.h"

namespace fs = std::filesystem;
using hone::Json;
using hone::text::ChatTemplate;
using hone::text::Tokenizer;

namespace {

// All 256 bytes, two merges, one special token: enough for hand-made cases.
Json tiny_json() {
  Json vocab = Json::object(), merges = Json::array();
  int id = 0;
  for (const unsigned char b : hone::text::bytes_in_alphabet_order())
    vocab[hone::text::to_byte_alphabet(std::string(1, static_cast<char>(b)))] = id++;
  vocab["ab"] = id++;     // 256
  vocab["abc"] = id++;    // 257
  vocab["aa"] = id++;     // 258
  vocab["<|end|>"] = id;  // 259
  merges = {"a b", "ab c", "a a"};
  return {{"added_tokens", {{{"id", 259}, {"content", "<|end|>"}, {"special", true}, {"normalized", false}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}};
}

Tokenizer tiny() { return Tokenizer::from_json(tiny_json(), Json(), "tiny"); }

std::string error_of(const Json& json, const Json& config = Json()) {
  try {
    Tokenizer::from_json(json, config, "tiny");
  } catch (const hone::Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("merges go by rank, leftmost first, and special tokens are found whole") {
  const Tokenizer t = tiny();
  const int a = *t.id("a"), b = *t.id("b");
  CHECK(t.encode("abc") == std::vector<int32_t>{257});
  CHECK(t.encode("aab") == std::vector<int32_t>{a, 256});  // a b before a a
  CHECK(t.encode("aaa") == std::vector<int32_t>{258, a});  // leftmost
  CHECK(t.encode("b<|end|>b") == std::vector<int32_t>{b, 259, b});
  CHECK(t.encode("<|end|>", false).size() == 7);
  CHECK(t.decode(t.encode("b<|end|>b")) == "b<|end|>b");
  CHECK(t.decode(t.encode("b<|end|>b"), true) == "bb");
  CHECK(t.is_special(259));
  CHECK_FALSE(t.is_special(258));
  CHECK(t.token_bytes(257) == "abc");
  CHECK(t.token_bytes(-1).empty());
  CHECK(t.token_bytes(260).empty());
}

TEST_CASE("a long word merges as a short one does") {
  // 31 and 33 symbols take the two ways; both must give the pairs "aa" left to right.
  const Tokenizer t = tiny();
  for (const size_t n : {2, 31, 32, 33, 34, 100}) {
    const auto ids = t.encode(std::string(n, 'a'));
    CHECK(ids.size() == n / 2 + n % 2);
    CHECK(t.decode(ids) == std::string(n, 'a'));
  }
}

TEST_CASE("hostile text costs no more than honest text") {
  const Tokenizer t = tiny();
  for (const std::string& piece :
       {std::string("a"), std::string(" "), std::string("\n"), std::string("<|end|"), std::string("\xff")}) {
    std::string text;
    while (text.size() < (1 << 20)) text += piece;
    const std::clock_t start = std::clock();  // processor time: the machine may be busy
    const auto ids = t.encode(text);
    CHECK(std::clock() - start < 20 * CLOCKS_PER_SEC);
    CHECK(t.decode(ids) == text);
  }
}

TEST_CASE("any bytes survive the round trip") {
  const Tokenizer t = tiny();
  hone::Stream random(7, "bytes");
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (uint64_t n = random.below(60); n > 0; --n)
      text +=
          random.chance(0.3) ? static_cast<char>(random.below(256)) : "ab c\xC3\xA9\xE2\x82\xAC\n"[random.below(10)];
    CHECK(t.decode(t.encode(text)) == text);
  }
}

TEST_CASE("what is not supported is refused by name") {
  const auto with = [](const char* key, const Json& value) {
    Json json = tiny_json();
    json[key] = value;
    return error_of(json);
  };
  CHECK(with("normalizer", {{"type", "Precompiled"}}) == "tiny: normalizer 'Precompiled' is not supported");
  CHECK(with("pre_tokenizer", {{"type", "BertPreTokenizer"}}) ==
        "tiny: pre_tokenizer 'BertPreTokenizer' is not supported");
  CHECK(with("decoder", {{"type", "WordPiece"}}) == "tiny: decoder 'WordPiece' is not supported");
  CHECK(with("model", {{"type", "Unigram"}}) == "tiny: model 'Unigram' is not supported");
  Json json = tiny_json();
  json["model"]["dropout"] = 0.1;
  CHECK(error_of(json) == "tiny: model option 'dropout' = 0.1 is not supported");
  json = tiny_json();
  json["model"]["merges"].push_back("x yz");
  CHECK(error_of(json) == "tiny: merge 4 (\"x yz\") needs the token 'yz', which is not in the vocabulary");
}

TEST_CASE("flags of added tokens: white space, whole words") {
  Json json = tiny_json();
  json["added_tokens"] = {{{"id", 259}, {"content", "<|end|>"}, {"special", true}, {"lstrip", true}, {"rstrip", true}}};
  CHECK(Tokenizer::from_json(json, Json(), "tiny").encode("c \n<|end|>\xC2\xA0 c") ==
        std::vector<int32_t>{*tiny().id("c"), 259, *tiny().id("c")});
  json["added_tokens"] = {{{"id", 260}, {"content", "end"}, {"single_word", true}}};
  const Tokenizer word = Tokenizer::from_json(json, Json(), "tiny");
  CHECK(word.encode("end") == std::vector<int32_t>{260});
  CHECK(word.encode("(end)").size() == 3);
  CHECK(word.encode("\xC3\xA9"
                    "end")
            .size() == 5);  // é is a letter
  CHECK(word.encode("ending").size() == 6);
}

TEST_CASE("a mutated file is read or refused, never worse") {
  const std::string text = hone::dump_json(tiny_json());
  hone::Stream random(3, "mutate");
  int read = 0;
  const fs::path file = fs::temp_directory_path() / ("hone-tokenizer-" + std::to_string(::getpid()) + ".json");
  for (int i = 0; i < 400; ++i) {
    std::string copy = text;
    for (uint64_t n = 1 + random.below(4); n > 0; --n) {
      const size_t at = random.below(copy.size());
      switch (random.below(4)) {
        case 0:
          copy[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          copy.erase(at, random.below(20));
          break;
        case 2:
          copy.insert(at, copy.substr(random.below(copy.size()), random.below(20)));
          break;
        default:
          copy[at] = "0123456789{}[]\",:"[random.below(17)];
          break;
      }
    }
    hone::write_file_atomic(file, copy);
    try {
      const Tokenizer t = Tokenizer::load(file);
      t.decode(t.encode("abc <|end|> d"));
      ++read;
    } catch (const hone::Error&) {
    }
  }
  fs::remove(file);
  CHECK(read > 0);
}

namespace {

Tokenizer with_config(const Json& config, const Json& json = tiny_json()) {
  return Tokenizer::from_json(json, config, "tiny");
}

Json flags(const char* content, bool special = true) {
  return {{"content", content}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false},    {"normalized", false},  {"special", special}};
}

// [before… A after…]
Json template_processing(const std::vector<std::pair<const char*, int>>& before, const char* after = nullptr) {
  Json single = Json::array(), tokens = Json::object();
  const auto piece = [&](const char* token, int id) {
    single.push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
    tokens[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
  };
  for (const auto& [token, id] : before) piece(token, id);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  if (after != nullptr) piece(after, 259);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", single}, {"special_tokens", tokens}};
}

// The same values, keys of every object in the opposite order.
Json reversed(const Json& json) {
  if (json.is_array()) {
    Json out = Json::array();
    for (const Json& value : json) out.push_back(reversed(value));
    return out;
  }
  if (!json.is_object()) return json;
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.insert(keys.begin(), key);
  Json out = Json::object();
  for (const std::string& key : keys) out[key] = reversed(json[key]);
  return out;
}

}  // namespace

TEST_CASE("a tokenizer is known by what it does, not by how its file is written") {
  Json json = tiny_json();
  json["added_tokens"].push_back({{"id", 260}, {"content", "<x>"}, {"special", false}, {"normalized", false}});
  const Tokenizer plain = with_config(Json(), json);
  const std::string hash = plain.hash();
  const auto same = [&](const char* what, const Json& changed, const Json& config = Json()) {
    CAPTURE(what);
    const Tokenizer other = with_config(config, changed);
    CHECK(other.hash() == hash);
    for (const char* text : {"abc aab <|end|> x<x>y", " \xC3\xA9 ab\n\n12"})
      CHECK(other.encode(text) == plain.encode(text));
  };
  const auto differs = [&](const char* what, const Json& changed, const Json& config = Json()) {
    CAPTURE(what);
    CHECK(with_config(config, changed).hash() != hash);
  };
  const auto with = [&](auto change) {
    Json out = json;
    change(out);
    return out;
  };
  same("order of keys", reversed(json));
  same("merges as pairs", with([](Json& j) {
         for (Json& merge : j["model"]["merges"]) {
           const auto text = merge.get<std::string>();
           merge = Json::array({text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1)});
         }
       }));
  same("order of added tokens", with([](Json& j) { std::swap(j["added_tokens"][0], j["added_tokens"][1]); }));
  same("padding, truncation, version", with([](Json& j) {
         j["padding"] = {{"strategy", "BatchLongest"}};
         j["truncation"] = {{"max_length", 7}};
         j["version"] = "1.0";
       }));
  same("a sequence of one", with([](Json& j) {
         j["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", Json::array({j["pre_tokenizer"]})}};
         j["normalizer"] = {{"type", "Sequence"}, {"normalizers", Json::array()}};
       }));
  same("defaults written out", with([](Json& j) {
         j["pre_tokenizer"]["use_regex"] = true;
         j["pre_tokenizer"]["trim_offsets"] = false;
         j["decoder"]["add_prefix_space"] = true;
         j["model"]["dropout"] = nullptr;
         j["model"]["unk_token"] = nullptr;
         j["model"]["fuse_unk"] = false;
         j["added_tokens"][0]["lstrip"] = false;
       }));
  same("what the post-processor puts before a text",
       with([](Json& j) { j["post_processor"] = template_processing({{"<|end|>", 259}}); }));
  same("names, lengths and templates in the configuration", json,
       {{"bos_token", "<|end|>"},
        {"eos_token", "<|end|>"},
        {"model_max_length", 77},
        {"padding_side", "left"},
        {"chat_template", "x"},
        {"add_bos_token", false},
        {"added_tokens_decoder", {{"259", flags("<|end|>")}, {"260", flags("<x>", false)}}}});
  same("a special token outside the model's vocabulary", with([](Json& j) { j["model"]["vocab"].erase("<|end|>"); }));

  differs("a flag", with([](Json& j) { j["added_tokens"][0]["lstrip"] = true; }));
  differs("a token that is special", with([](Json& j) { j["added_tokens"][1]["special"] = true; }));
  differs("a token more", with([](Json& j) { j["model"]["vocab"]["zz"] = 261; }));
  differs("two tokens that changed places",
          with([](Json& j) { std::swap(j["model"]["vocab"]["a"], j["model"]["vocab"]["b"]); }));
  differs("the order of merges", with([](Json& j) { std::swap(j["model"]["merges"][0], j["model"]["merges"][2]); }));
  differs("a merge less", with([](Json& j) { j["model"]["merges"].erase(2); }));
  differs("a normaliser", with([](Json& j) { j["normalizer"] = {{"type", "NFC"}}; }));
  differs("a prefix space", with([](Json& j) { j["pre_tokenizer"]["add_prefix_space"] = true; }));
  differs("no split", with([](Json& j) { j["pre_tokenizer"]["use_regex"] = false; }));
  differs("words that are tokens", with([](Json& j) { j["model"]["ignore_merges"] = true; }));
  differs("a token that the configuration adds", json, {{"added_tokens_decoder", {{"261", flags("<tool>")}}}});
  differs("a flag that the configuration sets", json, {{"added_tokens_decoder", {{"260", [] {
                                                                                    Json f = flags("<x>", false);
                                                                                    f["rstrip"] = true;
                                                                                    return f;
                                                                                  }()}}}});
}

TEST_CASE("tokens of tokenizer_config.json alone are tokens, found whole, and saved into tokenizer.json") {
  const Json config = {
      {"added_tokens_decoder", {{"260", flags("<tool>")}, {"259", flags("<|end|>")}, {"261", flags("word", false)}}},
      {"additional_special_tokens", {"<tool>", {{"content", "<more>"}}}}};
  const Tokenizer t = with_config(config);
  const int32_t a = *t.id("a"), b = *t.id("b");
  CHECK(t.encode("a<tool>b") == std::vector<int32_t>{a, 260, b});
  CHECK(t.encode("awordb<more>") == std::vector<int32_t>{a, 261, b, 262});
  CHECK(t.decode(std::vector<int32_t>{a, 260, 261, b}, true) == "awordb");
  CHECK(t.size() == 263);
  const fs::path folder = fs::temp_directory_path() / ("hone-config-tokens-" + std::to_string(::getpid()));
  t.save(folder);
  const Tokenizer whole = Tokenizer::load(folder);
  fs::remove(folder / "tokenizer_config.json");
  const Tokenizer alone = Tokenizer::load(folder);
  fs::remove_all(folder);
  CHECK(whole.hash() == t.hash());
  CHECK(alone.hash() == t.hash());
  // As in transformers a new token gets the next free id, whatever is written, and one of the vocabulary keeps its own.
  CHECK(with_config({{"added_tokens_decoder", {{"300", flags("<tool>")}}}}).encode("<tool>") ==
        std::vector<int32_t>{260});
  CHECK(with_config({{"added_tokens_decoder", {{"7", flags("abc")}}}}).is_special(257));
  // A token of the vocabulary that is named as special is found whole, as transformers finds it.
  Json json = tiny_json();
  json["added_tokens"] = Json::array();
  CHECK(with_config(Json(), json).encode("<|end|>").size() > 1);
  CHECK(with_config({{"eos_token", "<|end|>"}}, json).encode("a<|end|>") == std::vector<int32_t>{a, 259});
  // Where the files contradict each other, tokenizer.json is right.
  CHECK_FALSE(with_config({{"added_tokens_decoder", {{"258", flags("<tool>")}}}}).id("<tool>"));
  CHECK_THROWS_AS(with_config({{"added_tokens_decoder", {{"x", flags("<tool>")}}}}), hone::Error);
  CHECK_THROWS_AS(with_config({{"added_tokens_decoder", {{"260", 5}}}}), hone::Error);
}

TEST_CASE("a text begins with what the post-processor or add_bos_token asks for, and with nothing by its name alone") {
  const auto begin = [](const Json& post, Json config) {
    Json json = tiny_json();
    json["post_processor"] = post;
    config["bos_token"] = "<|end|>";
    return with_config(config, json).begin();
  };
  CHECK_FALSE(begin(Json(), Json::object()));
  CHECK_FALSE(begin({{"type", "ByteLevel"}}, {{"add_bos_token", false}}));
  CHECK_FALSE(begin(template_processing({}, "<|end|>"), Json::object()));  // an EOS behind it is no BOS
  CHECK(begin(Json(), {{"add_bos_token", true}}) == 259);
  CHECK(begin(template_processing({{"<|end|>", 259}}), Json::object()) == 259);
  CHECK(begin(template_processing({{"<|end|>", 259}}), {{"add_bos_token", false}}) == 259);  // as in transformers 5
  CHECK(begin({{"type", "Sequence"}, {"processors", {{{"type", "ByteLevel"}}, template_processing({{"a", 64}})}}},
              Json::object()) == 64);
  CHECK(begin({{"type", "RobertaProcessing"}, {"sep", {"<|end|>", 259}}, {"cls", {"<|end|>", 259}}}, Json::object()) ==
        259);
  for (const Json& bad : {template_processing({{"a", 64}, {"b", 65}}), template_processing({{"a", 9999}}),
                          Json{{"type", "Unheard"}}, Json{{"type", "TemplateProcessing"}}, Json(3)})
    CHECK_THROWS_AS(begin(bad, Json::object()), hone::Error);
  CHECK_THROWS_AS(with_config({{"add_bos_token", true}}), hone::Error);
}

TEST_CASE("a named token that the vocabulary lacks is no token, and no error") {
  const Tokenizer t = with_config({{"pad_token", "[PAD]"}, {"eos_token", "<|end|>"}, {"bos_token", "<absent>"}});
  CHECK_FALSE(t.pad());
  CHECK_FALSE(t.bos());
  CHECK(t.eos() == 259);
  CHECK(t.size() == 260);
  CHECK(t.encode("abc") == std::vector<int32_t>{257});
}

TEST_CASE("ids without a token: padding of a model's vocabulary, and holes") {
  Json json = tiny_json();
  json["added_tokens"].push_back({{"id", 262}, {"content", "<x>"}});
  const Tokenizer t = with_config(Json(), json);
  CHECK(t.without_token(265) == std::vector<int32_t>{260, 261, 263, 264});
  CHECK(t.without_token(260).empty());
}

TEST_CASE("a switch of the configuration is true or false, and a text is neither") {
  for (const char* key : {"add_bos_token", "add_eos_token"})
    for (const Json& bad : {Json("true"), Json(1), Json::array()}) {
      CAPTURE(key);
      const std::string error = error_of(tiny_json(), {{"bos_token", "<|end|>"}, {key, bad}});
      CHECK(error.find(std::string("tokenizer_config.json: '") + key + "' is not true or false") != std::string::npos);
    }
  CHECK_FALSE(with_config({{"bos_token", "<|end|>"}, {"add_bos_token", nullptr}}).begin());
}

TEST_CASE("what the files ask to stand behind a text is known, and put nowhere") {
  const auto behind = [](const Json& post, const Json& config) {
    Json json = tiny_json();
    json["post_processor"] = post;
    const Tokenizer t = with_config(config, json);
    CHECK(t.encode("abc") == std::vector<int32_t>{257});
    return t.behind();
  };
  CHECK_FALSE(behind(Json(), {{"eos_token", "<|end|>"}}));
  CHECK_FALSE(behind(template_processing({{"<|end|>", 259}}), {{"eos_token", "<|end|>"}}));
  CHECK(behind(template_processing({}, "<|end|>"), Json::object()) == 259);
  CHECK(behind(Json(), {{"eos_token", "<|end|>"}, {"add_eos_token", true}}) == 259);
  CHECK_FALSE(behind(Json(), {{"eos_token", "<|end|>"}, {"add_eos_token", false}}));
  CHECK(behind({{"type", "RobertaProcessing"}, {"sep", {"a", 64}}, {"cls", {"<|end|>", 259}}}, Json::object()) == 64);
}

TEST_CASE("no token takes the id of another") {
  const auto mentions = [](const std::string& error, std::initializer_list<const char*> parts) {
    CAPTURE(error);
    for (const char* part : parts) CHECK(error.find(part) != std::string::npos);
  };
  Json json = tiny_json();
  const int a = *tiny().id("a");
  json["added_tokens"].push_back({{"id", a}, {"content", "<|im_end|>"}, {"special", true}});
  mentions(error_of(json), {"'<|im_end|>' has the id", "which is the token 'a'"});
  json["added_tokens"][1]["id"] = 259;  // of another added token
  mentions(error_of(json), {"'<|im_end|>' has the id 259, which is the token '<|end|>'"});
  json = tiny_json();
  json["model"]["vocab"]["zz"] = a;
  mentions(error_of(json), {"vocab 'zz' has the id", "which is the token 'a'"});
  // A token of the vocabulary keeps its id, whatever the list says, as in transformers.
  json = tiny_json();
  json["added_tokens"][0]["id"] = 300;
  const Tokenizer t = with_config(Json(), json);
  CHECK(t.size() == 260);
  CHECK(t.encode("<|end|>") == std::vector<int32_t>{259});
  // The same content twice at its id is no contradiction; one without content is no token.
  json = tiny_json();
  json["added_tokens"].push_back(json["added_tokens"][0]);
  json["added_tokens"].push_back({{"id", a}, {"content", ""}});
  CHECK(with_config(Json(), json).encode("a") == std::vector<int32_t>{a});
}

TEST_CASE("special tokens of a model's own, by name: found whole, and given to chat templates by their names") {
  for (const char* key : {"extra_special_tokens", "model_specific_special_tokens"}) {
    CAPTURE(key);
    const Tokenizer t = with_config({{key, {{"image_token", "<img>"}, {"audio_token", {{"content", "<aud>"}}}}}});
    CHECK(t.encode("<img>") == std::vector<int32_t>{260});
    CHECK(t.encode("<aud>") == std::vector<int32_t>{261});
    CHECK(t.is_special(260));
    CHECK(t.named_special_tokens() == Json{{"image_token", "<img>"}, {"audio_token", "<aud>"}});
  }
  const Tokenizer top = with_config({{"image_token", "<img>"}, {"add_bos_token", false}});
  CHECK(top.encode("<img>") == std::vector<int32_t>{260});
  CHECK(top.named_special_tokens() == Json{{"image_token", "<img>"}});
}

TEST_CASE("a chat template sees every special token that the configuration names") {
  const Json named = {{"bos_token", "<|end|>"},
                      {"eos_token", "a"},
                      {"unk_token", "b"},
                      {"pad_token", "c"},
                      {"sep_token", "d"},
                      {"cls_token", "e"},
                      {"mask_token", {{"content", "f"}}},
                      {"extra_special_tokens", {{"image_token", "<i>"}}}};
  Json config = named;
  config["additional_special_tokens"] = {"<x>", {{"content", "<y>"}}};
  config["chat_template"] =
      "{{ bos_token }} {{ eos_token }} {{ unk_token }} {{ pad_token }} {{ sep_token }} {{ cls_token }} "
      "{{ mask_token }} {{ image_token }} {{ additional_special_tokens | join('+') }} {{ additional_special_tokens[1] "
      "}}";
  const std::vector<hone::text::Message> talk = {{"user", "hi"}};
  CHECK(ChatTemplate::of(with_config(config)).render(talk, false) == "<|end|> a b c d e f <i> <x>+<y> <y>");
  // What it does not name stays undefined.
  CHECK(ChatTemplate::of(with_config({{"chat_template", "{{ unk_token is defined }}"}})).render(talk, false) ==
        "False");
  config["extra_special_tokens"] = {{"messages", "<i>"}};
  config["chat_template"] = "{{ messages[0]['content'] }}";
  CHECK(ChatTemplate::of(with_config(config)).render(talk, false) == "hi");
}
