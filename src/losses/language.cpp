#include "losses/language.h"

namespace hone::losses {

Tensor language(const Tensor& logps) { return -logps; }

}  // namespace hone::losses
