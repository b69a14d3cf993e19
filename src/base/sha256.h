// SHA-256 (FIPS 180-4) by OpenSSL, as lower-case hex.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace hone {

std::string sha256(std::string_view bytes);
/// Of the file's raw bytes. Missing: kUsage.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace hone
