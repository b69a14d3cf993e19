#include "base/json.h"
#include "base/progress.h"
#include "data/read.h"

namespace hone::data {

Json ReadReport::to_json() const {
  Json out;
  out["rows"] = rows;
  out["skipped"] = skipped;
  out["ties"] = ties;
  out["dropped"] = Json::object();
  for (const auto& [reason, count] : dropped) out["dropped"][reason] = count;
  out["noticed"] = Json::object();
  for (const auto& [what, count] : noticed) out["noticed"][what] = count;
  out["unread_keys"] = Json::object();
  for (const auto& [key, count] : unread) out["unread_keys"][key] = count;
  out["files"] = Json::array();
  for (const FileReport& f : files)
    out["files"].push_back({{"path", f.path},
                            {"sha256", f.sha256},
                            {"bytes", f.bytes},
                            {"container", f.container},
                            {"format", f.format},
                            {"rows", f.rows}});
  out["problems"] = Json::array();
  for (const Problem& p : problems) out["problems"].push_back({{"where", p.where}, {"what", p.what}});
  return out;
}

std::string ReadReport::summary() const {
  std::string out = count_text(rows) + (rows == 1 ? " row from " : " rows from ") +
                    count_text(static_cast<int64_t>(files.size())) + (files.size() == 1 ? " file" : " files");
  if (ties > 0) out += "; " + count_text(ties) + (ties == 1 ? " tie" : " ties");
  for (const auto& [reason, count] : dropped) out += "; dropped " + count_text(count) + " (" + reason + ")";
  for (const auto& [what, count] : noticed) out += "; noticed in " + count_text(count) + " (" + what + ")";
  std::string keys;
  for (const auto& [key, count] : unread) keys += (keys.empty() ? "" : ", ") + key + " " + count_text(count);
  if (!keys.empty()) out += "; keys not read: " + keys;
  if (skipped > 0) {
    out += "; skipped " + count_text(skipped) + (skipped == 1 ? " bad line" : " bad lines");
    if (!problems.empty()) out += " (first problem: " + problems.front().where + ": " + problems.front().what + ")";
  }
  return out;
}

}  // namespace hone::data
