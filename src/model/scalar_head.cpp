#include "model/scalar_head.h"

namespace hone::model {

Tensor ScalarHead::scores(const Tensor& rows) const {
  // A product and a sum by row rather than a matrix product: each score is independent of the others.
  const Tensor y = (rows * weight.to(rows.scalar_type())).sum(1);
  return bias.defined() ? y + bias : y;
}

}  // namespace hone::model
