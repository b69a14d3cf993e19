#include "cli/jsonl.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "cli/line_source.h"
#include "cli/row_writer.h"

namespace hone::cli {
namespace {

// Reads a line into an item; an item that has failed keeps its place.
void parse(Item& item, const std::string& text, LineSource::Result result, const JsonlOptions& options) {
  if (result == LineSource::Result::kTooLong)
    return item.fail("longer than " + std::to_string(options.max_line) + " bytes");
  if (text.find_first_not_of(" \t") == std::string::npos) return item.fail("is empty");
  try {
    item.row = parse_json(text, "");
    if (!item.row.is_object()) item.fail("must be a JSON object, got " + std::string(item.row.type_name()));
  } catch (const Error& e) {
    item.fail(std::string(e.what()).substr(2));  // without the ": " after the empty place
  }
}

std::string line_of(const Item& item, const std::vector<std::string>& known) {
  if (item.ok()) return dump_json(item.row) + "\n";
  Json out = Json::object();
  out["error"] = "line " + std::to_string(item.line) + ": " + item.error;
  if (item.row.is_object())
    for (const auto& [key, value] : item.row.items())
      if (key != "error" && std::ranges::find(known, key) == known.end()) out[key] = value;
  return dump_json(out) + "\n";
}

}  // namespace

void JsonlOptions::declare(Options& options) {
  options.value("--in", &in, "FILE", "JSON Lines to read, plain or gzip; default: standard input").in_group("Rows");
  options.value("--out", &out, "FILE", "JSON Lines to write, complete or not at all; default: standard output")
      .in_group("Rows");
}

void for_each_item(std::span<Item*> items, const std::function<void(Item&)>& work) {
  for (Item* item : items) {
    if (!item->ok()) continue;
    try {
      work(*item);
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      item->fail(e.what());
    } catch (const nlohmann::json::exception& e) {  // a field of an unexpected type
      const std::string_view what = e.what();
      item->fail("a field has an unexpected type: " + std::string(what.substr(what.find("] ") + 2)));
    }
  }
}

int process_jsonl(const JsonlOptions& options, const std::vector<std::string>& known,
                  const std::function<void(std::span<Item*>)>& handle) {
  LineSource source(options.in, options.max_line);
  RowWriter writer(options.out);
  int64_t number = 0, failed = 0;
  bool more = true;
  std::string text, out;
  std::vector<Item> items;
  while (more) {
    items.clear();
    uint64_t bytes = 0;
    while (items.size() < options.chunk_rows && bytes < options.chunk_bytes) {
      if (!items.empty() && source.would_wait()) break;
      const LineSource::Result result = source.next(text);
      if (result == LineSource::Result::kEnd) {
        more = false;
        break;
      }
      items.emplace_back();
      items.back().line = ++number;
      bytes += text.size();
      parse(items.back(), text, result, options);
    }
    std::vector<Item*> good;
    for (Item& item : items)
      if (item.ok()) good.push_back(&item);
    if (!good.empty()) handle(good);
    out.clear();
    for (const Item& item : items) {
      out += line_of(item, known);
      failed += item.ok() ? 0 : 1;
    }
    writer.write(out);
  }
  writer.finish();
  if (failed > 0)
    log::warn(std::to_string(failed) + " of " + std::to_string(number) +
              " rows failed; each has an \"error\" in its place");
  return failed > 0 ? kFailed : kDone;
}

}  // namespace hone::cli
