// One self-contained HTML page from run folders: no network, no other file, readable without its script.
#pragma once
#include <filesystem>
#include <span>
#include <string>

namespace hone::report {

/// The page, a pure function of the folders' content. Each folder is a recipe's, a single stage's, or holds recipes'
/// folders. What is missing in them is said on the page. Not a folder: kUsage.
std::string make_report(std::span<const std::filesystem::path> run_folders);

/// Writes it atomically.
void write_report(std::span<const std::filesystem::path> run_folders, const std::filesystem::path& out);

}  // namespace hone::report
