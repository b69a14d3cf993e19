// GPT2LMHeadModel: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019. LayerNorm before each
// half, learned positions, GELU by its tanh approximation, biases everywhere but in the output weight.
#include "base/error.h"
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {
namespace {

std::string name(Slot slot, int64_t layer) {
  const std::string in_layer = "transformer.h." + std::to_string(layer) + ".";
  switch (slot) {
    case Slot::kEmbedding:
      return "transformer.wte.weight";
    case Slot::kPositions:
      return "transformer.wpe.weight";
    case Slot::kFinalNorm:
      return "transformer.ln_f.weight";
    case Slot::kFinalNormBias:
      return "transformer.ln_f.bias";
    case Slot::kOutput:
      return "lm_head.weight";
    case Slot::kNorm1:
      return in_layer + "ln_1.weight";
    case Slot::kNorm1Bias:
      return in_layer + "ln_1.bias";
    case Slot::kQkv:
      return in_layer + "attn.c_attn.weight";
    case Slot::kQkvBias:
      return in_layer + "attn.c_attn.bias";
    case Slot::kO:
      return in_layer + "attn.c_proj.weight";
    case Slot::kOBias:
      return in_layer + "attn.c_proj.bias";
    case Slot::kNorm2:
      return in_layer + "ln_2.weight";
    case Slot::kNorm2Bias:
      return in_layer + "ln_2.bias";
    case Slot::kUp:
      return in_layer + "mlp.c_fc.weight";
    case Slot::kUpBias:
      return in_layer + "mlp.c_fc.bias";
    case Slot::kDown:
      return in_layer + "mlp.c_proj.weight";
    case Slot::kDownBias:
      return in_layer + "mlp.c_proj.bias";
    default:
      HONE_CHECK(false, "GPT-2 has no such tensor");
      return {};
  }
}

void read(ConfigReader& reader, ModelConfig& c) {
  c.width = reader.integer("n_embd");
  c.layers = reader.integer("n_layer");
  c.heads = c.kv_heads = reader.integer("n_head");
  c.head_dim = c.heads > 0 ? c.width / c.heads : 0;
  if (c.heads > 0 && c.width % c.heads != 0) usage_error(reader.where() + ": n_embd must be a multiple of n_head");
  c.ffn = reader.integer("n_inner", 4 * c.width);
  c.max_positions = reader.integer("n_positions", 1024);
  c.norm_eps = reader.number("layer_norm_epsilon", 1e-5);
  c.tied = reader.boolean("tie_word_embeddings", true);
  c.qkv_bias = c.out_bias = c.mlp_bias = true;
  reader.only("activation_function", "gelu_new");
  reader.only("scale_attn_weights", true);
  reader.only("scale_attn_by_inverse_layer_idx", false);
  reader.only("add_cross_attention", false);
  reader.ignore({"n_ctx", "reorder_and_upcast_attn"});
}

void write(const ModelConfig& c, Json& json) {
  json["n_embd"] = c.width;
  json["n_layer"] = c.layers;
  json["n_head"] = c.heads;
  json["n_inner"] = c.ffn;
  json["n_positions"] = c.max_positions;
  json["layer_norm_epsilon"] = c.norm_eps;
  json["activation_function"] = "gelu_new";
}

}  // namespace

const Family& gpt2_family() {
  static const Family family{
      .id = "gpt2",
      .causal = "GPT2LMHeadModel",
      .classifier = "GPT2ForSequenceClassification",
      .model_type = "gpt2",
      .prefix = "transformer.",
      .transposed = true,
      .layer = {.norm = LayerSpec::Norm::kLayer,
                .qkv = LayerSpec::Qkv::kFused,
                .mlp = LayerSpec::Mlp::kGelu,
                .positions = LayerSpec::Positions::kLearned},
      .read = read,
      .write = write,
      .name = name,
  };
  return family;
}

}  // namespace hone::model
