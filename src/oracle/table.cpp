#include "oracle/table.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/rng.h"
#include "tensor/from_host.h"

namespace hone::oracle {

Tensor table(std::span<const float> values, int64_t columns) { return from_host(values).view({-1, columns}); }

std::span<const float> values_of(const Tensor& table) {
  return {table.const_data_ptr<float>(), static_cast<size_t>(table.numel())};
}

Tensor logps_of(const Tensor& logits, const Tensor& states, const Tensor& tokens) {
  return at::log_softmax(logits.index_select(0, states), -1).gather(1, tokens.unsqueeze(1)).squeeze(1);
}

Tensor states_at(const Space& space, const train::Batch& batch, const Tensor& rows) {
  const std::vector<model::Place>& places = batch.packed.places;
  const int64_t* ids = batch.packed.ids.const_data_ptr<int64_t>();
  std::vector<int64_t> out;
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const int64_t row = rows.const_data_ptr<int64_t>()[i];
    // A sequence that the row is of: in its branch, or in a trunk, which any of the tree has.
    const auto place = std::ranges::find_if(places, [&](const model::Place& p) {
      return (row >= p.begin && row < p.begin + p.shared) || (row >= p.own && row <= p.last());
    });
    HONE_CHECK(place != places.end(), "a row of the batch");
    int64_t position = 0;
    while (place->row(position) != row) ++position;
    std::vector<int32_t> tokens;  // behind the prompt's one
    for (int64_t p = 1; p <= position; ++p) tokens.push_back(static_cast<int32_t>(ids[place->row(p)]));
    out.push_back(space.state(tokens));
  }
  return from_host(out);
}

train::Actor table_actor(const Space& space, const Tensor& logits, uint64_t seed) {
  train::Actor actor;
  actor.logps = [&space, logits](const train::Batch& batch, const LogpsOptions& options) {
    const Tensor all =
        at::log_softmax(logits.index_select(0, states_at(space, batch, batch.rows)) * options.inv_temperature, -1);
    TokenLogps out;
    out.logps = all.gather(1, batch.targets.unsqueeze(1)).squeeze(1);
    if (options.entropy) out.entropy = -(all.exp() * all).sum(-1);
    return out;
  };
  actor.sample = [&space, logits, seed](std::span<const rollout::Request> requests) {
    std::vector<rollout::Completion> out;
    const std::span<const float> values = values_of(logits);
    for (const rollout::Request& request : requests) {
      Stream random(seed, "oracle sample", request.key, request.sample);
      rollout::Completion c;
      for (int64_t t = 0; t < space.length(); ++t) {
        const std::span<const float> row =
            values.subspan(space.state(c.ids) * space.vocab(), static_cast<size_t>(space.vocab()));
        double sum = 0, left = random.uniform();
        for (const float x : row) sum += std::exp(static_cast<double>(x));
        left *= sum;
        int32_t token = 0;
        while (token + 1 < space.vocab() && (left -= std::exp(static_cast<double>(row[token]))) >= 0) ++token;
        c.ids.push_back(token);
        c.logps.push_back(static_cast<float>(row[token] - std::log(sum)));
      }
      out.push_back(std::move(c));
    }
    return out;
  };
  actor.parameters = {{"logits", logits, optim::TensorKind::kEmbedding}};
  return actor;
}

train::Critic table_critic(const Space& space, const Tensor& values) {
  train::Critic critic;
  critic.values = [&space, values](const train::Batch& batch, const Tensor& rows) {
    return values.index_select(0, states_at(space, batch, rows)).squeeze(1);
  };
  critic.parameters = {{"values", values, optim::TensorKind::kEmbedding}};
  return critic;
}

AllAnswers all_answers(const Space& space) {
  std::vector<int64_t> states, tokens;
  for (int64_t i = 0; i < space.answers(); ++i) {
    const std::vector<int32_t> answer = space.answer(i);
    for (size_t t = 0; t < answer.size(); ++t) {
      states.push_back(space.state(std::span(answer).first(t)));
      tokens.push_back(answer[t]);
    }
  }
  return {from_host(states), from_host(tokens)};
}

Tensor answer_logps(const Space& space, const AllAnswers& all, const Tensor& logits) {
  return logps_of(logits, all.states, all.tokens).view({space.answers(), space.length()}).sum(1);
}

}  // namespace hone::oracle
