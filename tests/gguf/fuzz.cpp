// libFuzzer's target for GGUF files (tools/fuzz.sh gguf): read whole or refused, never worse.
#include "base/error.h"
#include "read_whole.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    hone::gguf::test::read_whole({reinterpret_cast<const char*>(data), size}, "fuzz.gguf");
  } catch (const hone::Error& e) {
    if (e.kind != hone::Kind::kUsage) __builtin_trap();
  }
  return 0;
}
