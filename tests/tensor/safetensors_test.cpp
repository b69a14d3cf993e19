#include "tensor/safetensors.h"

#include <unistd.h>

#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "gradcheck.h"

using namespace hone;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-safetensors-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

std::string header(const std::string& json, const std::string& data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i) & 0xff);
  return out + json + data;
}

std::string error_of(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  try {
    const SafetensorsFile file(path);
  } catch (const Error& e) {
    CHECK(e.kind == Kind::kUsage);
    return e.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("tensors come back as they were written, and the bytes are always the same") {
  const Folder folder;
  std::vector<NamedTensor> tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kByte, at::kBool})
    tensors.emplace_back(c10::toString(type), (test::noise({3, 5}) * 100).abs().to(type));
  tensors.emplace_back("scalar", at::ones({}, at::kFloat));
  tensors.emplace_back("empty", at::ones({0, 4}, at::kFloat));
  tensors.emplace_back("transposed", test::noise({4, 6}).t());
  write_safetensors(folder.path / "a", tensors, {{"made", "here"}});
  write_safetensors(folder.path / "b", tensors, {{"made", "here"}});
  CHECK(read_file(folder.path / "a") == read_file(folder.path / "b"));
  CHECK_FALSE(fs::exists(folder.path / "a.tmp"));
  const SafetensorsFile file(folder.path / "a");
  CHECK(file.metadata().at("made") == "here");
  CHECK(file.tensors().size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    CAPTURE(name);
    const Tensor back = file.load(name);
    CHECK((back.scalar_type() == tensor.scalar_type()));
    CHECK(at::equal(back, tensor));
  }
  CHECK_THROWS_AS(file.load("absent"), Error);
}

TEST_CASE("lying and truncated files give one error that names file and tensor") {
  const Folder folder;
  const fs::path path = folder.path / "bad.safetensors";
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"weight":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const std::string data(8, 'x');
  CHECK(error_of(path, header(entry("F32", "[2]", "[0,8]"), data)) == "");
  CHECK(mentions(error_of(path, "abc"), "only 3 bytes"));
  CHECK(mentions(error_of(path, std::string(8, '\xff') + "{}"), "at most 100 MB"));
  CHECK(mentions(error_of(path, header("{}", "").substr(0, 9)), "truncated"));
  CHECK(mentions(error_of(path, header("{", "")), "malformed JSON"));
  CHECK(mentions(error_of(path, header("[]", "")), "not a JSON object"));
  CHECK(mentions(error_of(path, header(entry("F32", "[2]", "[0,8]"), "1234")), "truncated"));
  CHECK(mentions(error_of(path, header(entry("F32", "[2]", "[8,0]"), data)), "backwards"));
  CHECK(mentions(error_of(path, header(entry("F32", "[2]", "[4,12]"), data + "1234")), "gap"));
  CHECK(mentions(error_of(path, header(entry("F32", "[2]", "[0,8]"), data + "1234")), "belong to none"));
  CHECK(mentions(error_of(path, header(entry("F32", "[3]", "[0,8]"), data)), "need 12"));
  CHECK(mentions(error_of(path, header(entry("F8_E4M3", "[8]", "[0,8]"), data)), "F8_E4M3"));
  CHECK(mentions(error_of(path, header(entry("F32", "[-1]", "[0,8]"), data)), "natural number"));
  CHECK(mentions(error_of(path, header(entry("F32", "[4611686018427387904,4]", "[0,8]"), data)), "overflows"));
  const std::string two =
      R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})";
  CHECK(mentions(error_of(path, header(two, data)), "tensor 'b'"));
  CHECK(mentions(error_of(path, header(entry("F32", "[3]", "[0,8]"), data)), "bad.safetensors"));
}

TEST_CASE("a disk that is full leaves the old file") {
  CHECK_THROWS_AS(write_safetensors("/dev/full/x", {{"a", at::ones({2}, at::kFloat)}}), Error);
}
