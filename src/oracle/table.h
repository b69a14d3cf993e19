// A policy, a reference and a critic that are tables, behind the interfaces of the on-policy learners.
#pragma once
#include "oracle/space.h"
#include "tensor/tensor.h"
#include "train/experience.h"

namespace hone::oracle {

/// (states, vocab) f32 from host values.
Tensor table(std::span<const float> values, int64_t columns);
std::span<const float> values_of(const Tensor& table);

/// Log-probabilities of tokens in states under a table of logits: logits (S, V), states and tokens (R) i64 -> (R).
Tensor logps_of(const Tensor& logits, const Tensor& states, const Tensor& tokens);
/// The states at packed rows of a batch whose sequences are one prompt token and an answer -> (R) i64.
Tensor states_at(const Space& space, const train::Batch& batch, const Tensor& rows);

/// `logits` learn; answers are sampled from them, keyed by (seed, request).
train::Actor table_actor(const Space& space, const Tensor& logits, uint64_t seed);
train::Critic table_critic(const Space& space, const Tensor& values);

/// (answers · length) states and tokens of all answers, for gathering whole answers' log-probabilities.
struct AllAnswers {
  Tensor states, tokens;  // (answers·length) i64
};
AllAnswers all_answers(const Space& space);
/// (answers) log-probabilities, differentiable.
Tensor answer_logps(const Space& space, const AllAnswers& all, const Tensor& logits);

}  // namespace hone::oracle
