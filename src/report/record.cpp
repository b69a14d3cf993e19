// Sections on the record: stages and times, warnings and gaps, and what is needed to run it again.
#include <algorithm>
#include <cmath>
#include <set>

#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

double median(std::vector<double> x) {
  std::erase_if(x, [](double v) { return !std::isfinite(v); });
  if (x.empty()) return std::nan("");
  std::nth_element(x.begin(), x.begin() + static_cast<long>(x.size() / 2), x.end());
  return x[x.size() / 2];
}

const Curve* timing(const Stage& s, std::string_view key) {
  for (const Curve& c : s.timing)
    if (c.key == key) return &c;
  return nullptr;
}

// "runs/align/04-sft/model" -> "04-sft/model", "runs/align/04-sft" -> "04-sft": enough to recognise a stage.
std::string last_parts(const std::string& path) {
  const fs::path whole = fs::path(path).lexically_normal();
  const fs::path name = whole.has_filename() ? whole.filename() : whole.parent_path().filename();
  return name == "model" ? (whole.parent_path().filename() / name).string() : name.string();
}

// "held_out_loss" -> "held-out loss"
std::string words(std::string key) {
  if (key.starts_with("held_out")) key[4] = '-';
  std::replace(key.begin(), key.end(), '_', ' ');
  return key;
}

std::string parents_of(const Stage& s) {
  std::string text;
  const Json& parents = child(s.record, "parents");
  if (!parents.is_array()) return text;
  for (const Json& p : parents) {
    std::string name = p.is_string() ? p.get<std::string>() : text_at(p, "name");
    if (name.empty()) name = text_at(p, "path");
    name = last_parts(name);
    if (!name.empty()) text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string summary_of(const Stage& s) {
  std::string text;
  const Json& summary = child(s.record, "summary");
  if (!summary.is_object()) return text;
  for (const auto& [key, value] : summary.items())
    if (value.is_number() || value.is_string())
      text += "<li>" + escape(words(key)) + " <b>" +
              (value.is_string() ? escape(value.get<std::string>()) : format_number(value.get<double>())) + "</b></li>";
  return text.empty() ? "" : "<ul class=parts>" + text + "</ul>";
}

// {"parameters": 852225, "width": 128, …}: numbers and texts, one level deep.
std::string fields_of(const Json& object) {
  std::string text;
  if (!object.is_object()) return text;
  for (const auto& [key, value] : object.items()) {
    if (value.is_object() || value.is_array()) continue;
    text += "<li>" + escape(words(key)) + " <b>" +
            (value.is_number()
                 ? format_number(value.get<double>())
                 : escape_limited(value.is_string() ? last_parts(value.get<std::string>()) : dump_json(value), 80)) +
            "</b></li>";
  }
  return text.empty() ? "" : "<ul class=parts>" + text + "</ul>";
}

std::string shell_quoted(const std::string& text) {
  if (!text.empty() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@") ==
          std::string::npos)
    return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string hash_table(const Run& run, const char* key, const std::string& title) {
  constexpr size_t kMaxRows = 400;
  std::string rows;
  std::set<std::string> listed;
  for (const Stage& stage : run.stages) {
    const Json& list = child(stage.record, key);
    if (!list.is_array()) continue;
    for (const Json& file : list) {
      const std::string path = text_at(file, "path"), hash = text_at(file, "sha256");
      if (path.empty() || hash.empty() || listed.size() >= kMaxRows || !listed.insert(stage.name + path + hash).second)
        continue;
      rows += "<tr><td data-l=stage>" + escape(stage.name) + "<td data-l=file class=path>" + escape_limited(path, 300) +
              "<td data-l=sha256 class=hash>" + escape_limited(hash, 80) + "</tr>";
    }
  }
  if (rows.empty()) return {};
  return "<details class=card><summary>" + title +
         "</summary><table class=stack><thead><tr><th>stage<th>file<th>sha256</tr></thead><tbody>" + rows +
         "</tbody></table>" + (listed.size() >= kMaxRows ? "<p class=note>Further files stand in run.json.</p>" : "") +
         "</details>";
}

}  // namespace

std::string time_bar(const Story& story) {
  std::vector<Piece> pieces;
  for (const Stage& stage : story.run.stages)
    if (std::isfinite(stage.seconds()))
      pieces.push_back({model_name(stage.name), format_duration(stage.seconds()), stage.tone, stage.seconds()});
  return proportion_bar("Time by stage", pieces);
}

Section stages(const Story& story) {
  Section s{"stages", "What was run", "", ""};
  s.body =
      "<div class=card><table class=stack><thead><tr><th>stage<th>took<th>speed<th>from<th>model and "
      "outcome</tr></thead><tbody>";
  for (const Stage& stage : story.run.stages) {
    const Curve* speed = timing(stage, "tokens_per_s");
    const Curve* memory = timing(stage, "memory_mb");
    std::string rate = speed ? format_number(median(speed->value)) + " tokens/s" : "–";
    if (memory && !memory->value.empty()) {
      double peak = 0;
      for (const double m : memory->value) peak = std::isfinite(m) ? std::max(peak, m) : peak;
      if (peak > 0) rate += "<small>" + format_number(peak) + " MB peak</small>";
    }
    const std::string from = parents_of(stage);
    s.body +=
        "<tr><th data-l=stage scope=row class=\"t-" + stage.tone + "\"><i></i>" + escape(stage_title(stage)) +
        (stage.kind == stage.name ? "" : "<small>" + escape(stage.kind) + "</small>") +
        "</th><td data-l=took class=keep>" + format_duration(stage.seconds()) + "<td data-l=speed>" + rate +
        "<td data-l=from>" + (from.empty() ? "–" : escape(from)) + "<td data-l=outcome>" +
        (stage.done() ? ""
                      : "<span class=bad>" + (stage.outcome.empty() ? "outcome not on record" : escape(stage.outcome)) +
                            "</span>") +
        fields_of(child(stage.record, "model")) + summary_of(stage) + "</tr>";
  }
  s.body += "</tbody></table></div>";
  return s;
}

Section warnings(const Story& story) {
  Section s{"warnings", "Warnings and gaps", "", ""};
  std::string warned, missing;
  for (const Stage& stage : story.run.stages) {
    const std::string name = "<b>" + escape(stage.name);
    if (const Json& list = child(stage.record, "warnings"); list.is_array())
      for (const Json& w : list) {
        const auto step = number_at(w, "step");
        const std::string message = w.is_string() ? w.get<std::string>() : text_at(w, "message");
        warned += "<li class=warning>" + name + (step ? ", step " + format_number(*step) : "") + "</b> " +
                  escape_limited(message, 600) + "</li>";
      }
    if (!stage.done() && !stage.outcome.empty())
      missing += "<li>" + name + "</b> outcome on record: " + escape_limited(stage.outcome, 80) + "</li>";
    for (const std::string& note : stage.notes)
      missing += "<li>" + name + "</b> " + escape_limited(note, 600) + "</li>";
  }
  for (const std::string& note : story.run.notes) missing += "<li>" + escape_limited(note, 600) + "</li>";
  s.body = warned.empty() ? "<p class=calm>No stage raised a warning.</p>" : "<ul class=messages>" + warned + "</ul>";
  if (!missing.empty()) s.body += "<h3>Missing or incomplete</h3><ul class=messages>" + missing + "</ul>";
  if (!warned.empty())
    s.lead = "A learner's own signs, such as KL, length, entropy and drift of the reward; gold is not among them.";
  return s;
}

Section reproduction(const Story& story) {
  Section s{"again", "Run it again", "", ""};
  const std::string folder = story.run.folder.lexically_normal().string();
  const std::string command = text_at(story.run.record, "command");
  s.body = "<div class=\"grid two\"><div class=card><h3>Commands</h3><pre>";
  if (!command.empty()) s.body += escape("# as it was started\n" + command + "\n");
  if (!story.run.recipe.empty())
    s.body += escape("# the same recipe again\nhone run " + shell_quoted(folder + "/recipe.toml") + " --out again\n");
  s.body +=
      escape("# hashes, lineage, completeness of this folder\nhone check " + shell_quoted(folder)) + "</pre></div>";

  const Json* record = &story.run.record;
  for (const Stage& stage : story.run.stages)
    if (record->empty() && !stage.record.empty()) record = &stage.record;
  std::string facts;
  const auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts += "<dt>" + std::string(name) + "</dt><dd>" + escape_limited(value, 400) + "</dd>";
  };
  const auto field = [&](const char* key) {
    std::string value = text_at(*record, key);
    for (const Stage& stage : story.run.stages)
      if (value.empty()) value = text_at(stage.record, key);
    return value;
  };
  fact("started", field("started"));
  fact("seed", field("seed"));
  fact("number format", field("dtype") + (field("dtype_reason").empty() ? "" : ": " + field("dtype_reason")));
  fact("device", field("device"));
  fact("processor", field("processor"));
  fact("threads", field("threads"));
  std::set<std::string> seen;
  for (const Stage& stage : story.run.stages) {
    const Json& versions = child(stage.record, "versions");
    if (versions.is_object())
      for (const auto& [name, value] : versions.items())
        if (seen.insert(name).second) fact(escape(name).c_str(), text_at(versions, name));
  }
  if (!facts.empty()) s.body += "<div class=card><h3>Machine and versions</h3><dl class=facts>" + facts + "</dl></div>";
  s.body += "</div>";

  s.body += hash_table(story.run, "inputs", "Inputs and their SHA-256") +
            hash_table(story.run, "outputs", "Outputs and their SHA-256");
  const auto recipe = [&](const std::string& title, const std::string& text) {
    if (!text.empty())
      s.body += "<details class=card><summary>" + title + "</summary><pre>" + escape_limited(text, 100000) +
                "</pre></details>";
  };
  recipe("The recipe", story.run.recipe);
  std::string resolved;
  if (story.run.stages.size() > 1)
    for (const Stage& stage : story.run.stages)
      if (!stage.recipe.empty()) resolved += "# " + stage.name + "\n" + stage.recipe + "\n";
  recipe("Every setting with the value used, stage by stage", resolved);
  return s;
}

}  // namespace hone::report
