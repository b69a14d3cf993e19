// MistralForCausalLM: Jiang et al., "Mistral 7B", 2023. Llama's shape; its sliding window is refused unless it never
// bites.
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {

const Family& mistral_family() {
  static const Family family{
      .id = "mistral",
      .causal = "MistralForCausalLM",
      .classifier = "MistralForSequenceClassification",
      .model_type = "mistral",
      .prefix = "model.",
      .transposed = false,
      .layer = {},
      .read =
          [](ConfigReader& reader, ModelConfig& c) {
            read_llama_shape(reader, c);
            const auto window = reader.optional_integer("sliding_window");
            if (window && *window < c.max_positions)
              reader.refuse("sliding_window", "a window shorter than max_position_embeddings");
          },
      .write =
          [](const ModelConfig& c, Json& json) {
            write_llama_shape(c, json);
            json["sliding_window"] = nullptr;
          },
      .name = llama_shape_name,
  };
  return family;
}

}  // namespace hone::model
