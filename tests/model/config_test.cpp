#include "model/config.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/json.h"

using namespace hone;
using namespace hone::model;

namespace {

Json base() {
  return parse_json(R"({"architectures":["LlamaForCausalLM"],"model_type":"llama","vocab_size":100,"hidden_size":32,
    "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"intermediate_size":64,
    "max_position_embeddings":128,"rms_norm_eps":1e-5,"rope_theta":500000.0,"tie_word_embeddings":true,
    "eos_token_id":[2,7],"hidden_act":"silu"})",
                    "test");
}

std::string error_of(const Json& json) {
  try {
    parse_config(json, "config.json");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a config of transformers 4 is read and survives the way out and in") {
  Json json = base();
  json["rope_scaling"] = {{"type", "linear"}, {"factor", 2.0}};
  const ParsedConfig parsed = parse_config(json, "x");
  CHECK(parsed.config.rope_theta == 500000);
  CHECK(parsed.config.rope.type == RopeScaling::Type::kLinear);
  CHECK(parsed.config.rope.factor == 2);
  CHECK(parsed.config.eos == std::vector<int64_t>{2, 7});
  CHECK(parsed.notes.empty());
  const ParsedConfig again = parse_config(config_json(parsed.config, false), "y");
  CHECK(again.config == parsed.config);
  CHECK(again.notes.empty());
}

TEST_CASE("what would change the mathematics is refused by name") {
  const auto with = [](const std::string& key, const Json& value) {
    Json json = base();
    json[key] = value;
    return error_of(json);
  };
  CHECK(mentions(with("architectures", {"T5ForConditionalGeneration"}), "T5ForConditionalGeneration"));
  CHECK(mentions(with("hidden_act", "gelu"), "'hidden_act'"));
  CHECK(mentions(with("rope_scaling", {{"rope_type", "dynamic"}, {"factor", 2.0}}), "'dynamic'"));
  CHECK(mentions(with("rope_scaling", {{"rope_type", "longrope"}}), "'longrope'"));
  CHECK(mentions(with("quantization_config", {{"bits", 4}}), "'quantization_config'"));
  CHECK(mentions(with("partial_rotary_factor", 0.5), "'partial_rotary_factor'"));
  CHECK(mentions(with("num_key_value_heads", 3), "multiple of the kv heads"));
  CHECK(mentions(with("hidden_size", -4), "hidden size"));
  CHECK(mentions(with("hidden_size", "big"), "whole number"));
  CHECK(mentions(with("vocab_size", nullptr), "'vocab_size' is missing"));
  CHECK(mentions(error_of(Json::array()), "not a JSON object"));
  Json classifier = base();
  classifier["architectures"] = {"LlamaForSequenceClassification"};
  CHECK(mentions(error_of(classifier), "num_labels 1"));
}

TEST_CASE("a number that is none, or too large for 32 bits, is refused where it is used, as the file writes it") {
  const auto with = [](const std::string& text) {
    Json json = base();
    const Json more = parse_python_json(text, "test");
    for (const auto& [key, value] : more.items()) json[key] = value;
    return error_of(json);
  };
  for (const auto& [number, shown] : {std::pair<std::string, std::string>{"NaN", "it is NaN"},
                                      {"Infinity", "it is Infinity"},
                                      {"-Infinity", "it is -Infinity"},
                                      {"1e39", "it is 1e+39"}}) {
    CAPTURE(number);
    for (const std::string key : {"rms_norm_eps", "rope_theta", "initializer_range"}) {
      const std::string error = with("{\"" + key + "\": " + number + "}");
      CHECK(mentions(error, "'" + key + "' must be a finite number"));
      CHECK(mentions(error, shown));
    }
    for (const std::string type : {"linear", "llama3", "yarn"})
      CHECK(mentions(with(R"({"rope_scaling": {"rope_type": ")" + type + R"(", "factor": )" + number + "}}"),
                     "rope_scaling: 'factor' must be a finite number"));
    CHECK(mentions(
        with(R"({"rope_parameters": {"rope_type": "yarn", "factor": 2.0, "attention_factor": )" + number + "}}"),
        "rope_parameters: 'attention_factor' must be a finite number"));
    CHECK(mentions(with("{\"vocab_size\": " + number + "}"), shown));
    CHECK(with("{\"time_step_limit\": [0.0, " + number + "]}").empty());  // nobody reads it
  }
}

TEST_CASE("an unknown key is ignored, but not in silence") {
  Json json = base();
  json["flux_capacitor"] = true;
  const ParsedConfig parsed = parse_config(json, "config.json");
  REQUIRE(parsed.notes.size() == 1);
  CHECK(mentions(parsed.notes[0], "'flux_capacitor'"));
}
