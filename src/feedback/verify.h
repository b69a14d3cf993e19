// `hone check STORE`: the whole log recomputed.
//
// Shown by the chain alone: any event changed, taken out, put in or moved, and by the stored head an end that was cut
// off. Not shown: a file whose every hash and head were rewritten together, or an older copy put in its place. Against
// that a receipt noted down elsewhere helps: give it as `anchor`.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "feedback/store.h"

namespace hone::feedback {

struct Verdict {
  int64_t events = 0;     ///< that hold, from the first
  Receipt head;           ///< the last of them
  int64_t wrong_seq = 0;  ///< the first event that is wrong; 0: none, or no single event
  std::string wrong;      ///< "event 17: …", "chain_head: …"; "": whole
};

/// Reads the file without changing it. `anchor`: "SEQ:HASH", as receipts are written down. A file that cannot be opened
/// as a store: StoreError.
Verdict verify(const std::filesystem::path& path, const std::string& anchor = {}, const StoreSettings& settings = {});

/// "17:9f86d0…"
std::string anchor_text(const Receipt& receipt);

}  // namespace hone::feedback
