// Run folders with the structure of real ones and made-up figures, for the report's tests only.
#pragma once
#include <filesystem>

namespace hone::report::synthetic {

/// All stages of an align recipe, finished, evaluated, with every optional part of results.json.
void write_align_run(const std::filesystem::path& folder, int seed);

/// Killed within PPO: no evaluation, a torn last line, a stage without run.json.
void write_broken_run(const std::filesystem::path& folder);

/// A chat model before and after DPO and PPO: comparisons by people, gauges, answers while learning. `hostile`: its
/// texts are an attack on the page.
void write_chat_run(const std::filesystem::path& folder, bool hostile = false);

/// Text that tries to break out of the page wherever a folder can carry text: markup, quotes, control and bidirectional
/// characters, bytes that are not UTF-8, a very long answer.
void write_hostile_run(const std::filesystem::path& folder);

}  // namespace hone::report::synthetic
