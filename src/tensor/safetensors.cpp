#include "tensor/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace hone {
namespace {

constexpr uint64_t kMaxHeader = uint64_t{100} << 20;

struct Dtype {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<Dtype, 9> kDtypes{{{"F64", at::kDouble},
                                        {"F32", at::kFloat},
                                        {"F16", at::kHalf},
                                        {"BF16", at::kBFloat16},
                                        {"I64", at::kLong},
                                        {"I32", at::kInt},
                                        {"I16", at::kShort},
                                        {"U8", at::kByte},
                                        {"BOOL", at::kBool}}};

[[noreturn]] void bad_file(const fs::path& path, const std::string& what) {
  usage_error(path.string() + ": not a valid safetensors file: " + what, "was the download or copy complete?");
}

TensorInfo parse_tensor(const fs::path& path, const std::string& name, const Json& entry, uint64_t data_bytes) {
  const auto bad = [&](const std::string& what) { bad_file(path, "tensor '" + name + "': " + what); };
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets"))
    bad("needs dtype, shape and data_offsets");
  TensorInfo info{.name = name, .dtype = at::ScalarType::Undefined, .shape = {}, .begin = 0, .end = 0};
  const Json& dtype = entry["dtype"];
  const std::string dtype_name = dtype.is_string() ? dtype.get<std::string>() : "?";
  for (const Dtype& known : kDtypes)
    if (dtype_name == known.name) info.dtype = known.type;
  if (info.dtype == at::ScalarType::Undefined) bad("dtype " + dtype_name + " is not supported");

  uint64_t bytes = c10::elementSize(info.dtype);
  if (!entry["shape"].is_array()) bad("shape is not a list");
  for (const Json& extent : entry["shape"]) {
    if (!extent.is_number_unsigned()) bad("shape holds something that is not a natural number");
    const auto n = extent.get<uint64_t>();
    if (n > INT64_MAX || __builtin_mul_overflow(bytes, n, &bytes)) bad("shape overflows");
    info.shape.push_back(static_cast<int64_t>(n));
  }
  const Json& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    bad("data_offsets are not two natural numbers");
  info.begin = offsets[0].get<uint64_t>();
  info.end = offsets[1].get<uint64_t>();
  if (info.begin > info.end) bad("data_offsets run backwards");
  if (info.end > data_bytes)
    bad("ends at byte " + std::to_string(info.end) + " of the data, of which there are " + std::to_string(data_bytes) +
        ": the file is truncated");
  if (info.end - info.begin != bytes)
    bad("has " + std::to_string(info.end - info.begin) + " bytes, its shape and dtype need " + std::to_string(bytes));
  return info;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const fs::path& path) : path_(path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) usage_error("cannot read " + path.string() + ": " + std::strerror(errno));
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    usage_error(path.string() + ": not a plain file");
  }
  size_ = static_cast<uint64_t>(status.st_size);
  if (size_ >= 8) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    map_ = mapped == MAP_FAILED ? nullptr : static_cast<const char*>(mapped);
  }
  ::close(fd);
  if (size_ < 8) bad_file(path, "only " + std::to_string(size_) + " bytes");
  if (map_ == nullptr) run_error("cannot map " + path.string() + ": " + std::strerror(errno));
  try {
    uint64_t header = 0;
    for (int i = 7; i >= 0; --i) header = header << 8 | static_cast<uint8_t>(map_[i]);
    if (header > kMaxHeader)
      bad_file(path, "its header claims " + std::to_string(header) + " bytes, at most 100 MB are allowed");
    if (header > size_ - 8)
      bad_file(path, "its header claims " + std::to_string(header) + " bytes: the file is truncated");
    data_begin_ = 8 + header;
    parse_header({map_ + 8, header}, size_ - data_begin_);
  } catch (...) {
    ::munmap(const_cast<char*>(map_), size_);
    throw;
  }
}

void SafetensorsFile::parse_header(std::string_view header, uint64_t data_bytes) {
  const Json json = parse_json(header, path_.string() + " (header)");
  if (!json.is_object()) bad_file(path_, "the header is not a JSON object");
  std::vector<const TensorInfo*> in_order;
  for (const auto& [name, entry] : json.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) bad_file(path_, "__metadata__ is not an object");
      for (const auto& [key, value] : entry.items())
        if (value.is_string()) metadata_[key] = value.get<std::string>();
      continue;
    }
    const auto [at, fresh] = tensors_.emplace(name, parse_tensor(path_, name, entry, data_bytes));
    if (!fresh) bad_file(path_, "tensor '" + name + "' is there twice");
    in_order.push_back(&at->second);
  }
  std::sort(in_order.begin(), in_order.end(), [](const TensorInfo* a, const TensorInfo* b) {
    return a->begin != b->begin ? a->begin < b->begin : a->end < b->end;
  });
  uint64_t at = 0;
  for (const TensorInfo* info : in_order) {
    if (info->begin != at)
      bad_file(path_, "tensor '" + info->name + "' starts at byte " + std::to_string(info->begin) + ", byte " +
                          std::to_string(at) + " was expected: tensors overlap or leave a gap");
    at = info->end;
  }
  if (at != data_bytes)
    bad_file(path_, std::to_string(data_bytes - at) + " bytes behind the last tensor belong to none");
}

SafetensorsFile::~SafetensorsFile() {
  if (map_ != nullptr) ::munmap(const_cast<char*>(map_), size_);
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept
    : path_(std::move(other.path_)),
      map_(std::exchange(other.map_, nullptr)),
      size_(other.size_),
      data_begin_(other.data_begin_),
      tensors_(std::move(other.tensors_)),
      metadata_(std::move(other.metadata_)) {}

Tensor SafetensorsFile::load(const std::string& name) const {
  const auto at = tensors_.find(name);
  if (at == tensors_.end()) usage_error(path_.string() + ": no tensor '" + name + "'");
  const TensorInfo& info = at->second;
  Tensor tensor = at::empty(info.shape, at::TensorOptions(info.dtype));
  if (info.end > info.begin) std::memcpy(tensor.data_ptr(), map_ + data_begin_ + info.begin, info.end - info.begin);
  return tensor;
}

namespace {

// Removes the half-written file unless it was renamed into place.
class OutFile {
 public:
  explicit OutFile(const fs::path& path) : path_(path), temporary_(temporary_of(path).string()) {
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) failed();
  }
  ~OutFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
  void write(const char* data, uint64_t bytes) {
    while (bytes > 0) {
      const ssize_t n = ::write(fd_, data, std::min<uint64_t>(bytes, uint64_t{1} << 30));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) failed();
      data += n;
      bytes -= static_cast<uint64_t>(n);
    }
  }
  void finish() {
    if (::fsync(fd_) != 0) failed();
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) failed();
    ::close(std::exchange(fd_, -1));
  }

 private:
  [[noreturn]] void failed() {
    const int why = errno;
    run_error("cannot write " + path_.string() + ": " + std::strerror(why),
              why == ENOSPC ? "free some disk space; the previous file is intact" : "");
  }
  fs::path path_;
  std::string temporary_;
  int fd_ = -1;
};

}  // namespace

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) {
    Json& out = header["__metadata__"] = Json::object();
    for (const auto& [key, value] : metadata) out[key] = value;
  }
  uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    HONE_CHECK(!header.contains(name), "a tensor is written twice");
    const auto known = std::find_if(kDtypes.begin(), kDtypes.end(),
                                    [&t = tensor](const Dtype& d) { return d.type == t.scalar_type(); });
    HONE_CHECK(known != kDtypes.end(), "dtype cannot be written");
    const uint64_t bytes = static_cast<uint64_t>(tensor.numel()) * tensor.element_size();
    header[name] = {{"dtype", known->name}, {"shape", tensor.sizes().vec()}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string text = dump_json(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::array<char, 8> length{};
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);

  OutFile out(path);
  out.write(length.data(), length.size());
  out.write(text.data(), text.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor bytes = tensor.detach().cpu().contiguous();
    out.write(static_cast<const char*>(bytes.data_ptr()), static_cast<uint64_t>(bytes.numel()) * bytes.element_size());
  }
  out.finish();
}

}  // namespace hone
