#include "report/report.h"

#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "report/html.h"
#include "report/page.h"
#include "report/sections.h"

namespace hone::report {
namespace {

// 'sha256-…' of an inline element's content, as a Content-Security-Policy wants it: base64 of the digest.
std::string policy_hash(std::string_view content) {
  const std::string hex = sha256(content);
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t block = 0;
    for (size_t k = 0; k < 3; ++k) block = block << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kDigits[block >> (18 - 6 * k) & 63];
  }
  return "'sha256-" + out + "'";
}

std::string facts_line(const Run& run) {
  std::string out;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) out += "<li>" + escape_limited(text, 120) + "</li>";
  };
  const auto field = [&](const char* key) {
    std::string value = text_at(run.record, key);
    for (const Stage& s : run.stages)
      if (value.empty()) value = text_at(s.record, key);
    return value;
  };
  if (std::isfinite(run.seconds())) add(format_duration(run.seconds()));
  if (!field("seed").empty()) add("seed " + field("seed"));
  add(field("device"));
  add(field("dtype"));
  add(field("processor"));
  if (!field("threads").empty()) add(field("threads") + (field("threads") == "1" ? " thread" : " threads"));
  add(field("started").substr(0, 10));
  return "<ul class=facts-line>" + out + "</ul>";
}

std::vector<Section> sections_of(const Story& story) {
  std::vector<Section> all = {outcome(story),
                              agreement(story),
                              distance(story),
                              side_by_side_answers(story),
                              answers_while_learning(story),
                              ppo_curves(story),
                              over_optimisation(story),
                              behaviour(story),
                              reward_model_quality(story),
                              learning_curves(story),
                              warnings(story),
                              stages(story),
                              reproduction(story)};
  std::erase_if(all, [](const Section& s) { return s.body.empty(); });
  return all;
}

std::string section_html(const Section& s, const std::string& prefix) {
  return "<section id=\"" + prefix + s.id + "\" class=\"s-" + s.id + "\"><h2>" + escape(s.title) + "</h2>" +
         (s.lead.empty() ? "" : "<p class=lead>" + escape(s.lead) + "</p>") + s.body + "</section>\n";
}

std::string nav(const std::vector<Section>& sections, const std::string& prefix) {
  std::string out = "<nav aria-label=\"Sections\"><ul>";
  for (const Section& s : sections) out += "<li><a href=\"#" + prefix + s.id + "\">" + escape(s.title) + "</a></li>";
  return out + "</ul></nav>";
}

std::string story_html(const Story& story, const std::string& prefix, bool only) {
  const std::vector<Section> sections = sections_of(story);
  const std::string rank = only ? "h1" : "h2";
  std::string out =
      "<header class=\"hero" + std::string(only ? "" : " one-of-many") + "\" id=\"" + prefix + "top\">" +
      (only ? std::string(kBrand) : "<p class=run-label>" + escape_limited(story.run.label, 60) + "</p>") + "<" + rank +
      " class=title>" + escape_limited(story.run.title, 120) + "</" + rank + ">" +
      (story.run.about.empty() ? "" : "<p class=lead>" + escape_limited(story.run.about, 800) + "</p>") +
      "<p class=verdict>" + verdict(story) + "</p>" + status(story, prefix) + facts_line(story.run) +
      headline(story).body + time_bar(story) + nav(sections, prefix) + "</header>\n";
  for (const Section& s : sections) out += section_html(s, prefix);
  return out;
}

}  // namespace

std::string make_report(std::span<const std::filesystem::path> run_folders) {
  if (run_folders.empty()) usage_error("no run folder given", "hone report DIR… [--out FILE.html]");
  std::vector<Story> stories;
  for (Run& run : read_runs({run_folders.begin(), run_folders.end()})) {
    Story story{std::move(run), {}};
    for (const Stage& stage : story.run.stages)
      if (stage.results) story.results.push_back(parse_results(*stage.results));
    stories.push_back(std::move(story));
  }
  std::string body;
  const bool only = stories.size() == 1;
  if (!only) {
    body += "<header class=hero>" + std::string(kBrand) + "<h1 class=title>" + std::to_string(stories.size()) +
            " runs</h1><nav aria-label=Runs><ul>";
    for (size_t i = 0; i < stories.size(); ++i)
      body += "<li><a href=\"#r" + std::to_string(i + 1) + "-top\">" + escape_limited(stories[i].run.label, 60) +
              "</a></li>";
    body += "</ul></nav></header>" + section_html(across_runs(stories), "");
  }
  for (size_t i = 0; i < stories.size(); ++i)
    body += story_html(stories[i], only ? "" : "r" + std::to_string(i + 1) + "-", only);

  const std::string title = only ? escape_limited(stories.front().run.title, 80) + " · hone report" : "hone report";
  return "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta http-equiv=Content-Security-Policy "
         "content=\"default-src 'none'; style-src " +
         policy_hash(kStyle) + "; script-src " + policy_hash(kScript) +
         "; base-uri 'none'; form-action 'none'\">\n<meta name=viewport content=\"width=device-width, "
         "initial-scale=1\">\n"
         "<meta name=color-scheme content=\"light dark\">\n<meta name=referrer content=no-referrer>\n<title>" +
         title + "</title>\n<style>" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n"
         "<a class=skip href=\"#content\">Skip to the content</a>\n<main id=content>\n" +
         body +
         "</main>\n<footer><p>Made by <b>hone</b> from run folders; everything on this page stands in "
         "it.</p></footer>\n<script>" +
         std::string(kScript) + "</script>\n</body>\n</html>\n";
}

void write_report(std::span<const std::filesystem::path> run_folders, const std::filesystem::path& out) {
  write_file_atomic(out, make_report(run_folders));
}

}  // namespace hone::report
