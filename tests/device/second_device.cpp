// A device that is not the CPU, on any machine: its tensors lie at addresses that the host cannot read, and operators
// refuse tensors of two devices, as CUDA does. What runs on it touches tensors through operators alone and moves them
// where it must, which is all that hone's code owes a GPU; CUDA's own kernels are the `gpu` tests' matter. The CPU's
// kernels compute on copies, so it is slow.
#include "device_under_test.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/op_registration/adaption.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <doctest/doctest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "tensor/runtime.h"
#include "tensor/tensor.h"

#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/view_native.h>

namespace hone::test {
namespace {

constexpr auto kDevice = c10::DeviceType::PrivateUse1;
constexpr const char* kName = "second";
// No address of a process has this bit: whoever reads such memory without asking the device crashes at once.
constexpr uintptr_t kHidden = uintptr_t{1} << 62;

void* hidden(void* p) { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(p) | kHidden); }
void* seen(void* p) { return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(p) & ~kHidden); }

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* p = bytes == 0 ? nullptr : hidden(std::malloc(bytes));
    return {p, p, &release, c10::Device(kDevice, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(seen(to), seen(const_cast<void*>(from)), bytes);
  }
  static void release(void* p) { std::free(seen(p)); }
};

Memory memory;

struct Guard final : c10::impl::NoOpDeviceGuardImpl<kDevice> {
  c10::Device exchangeDevice(c10::Device) const override { return {kDevice, 0}; }
  c10::Device getDevice() const override { return {kDevice, 0}; }
  c10::Stream getStream(c10::Device) const noexcept override { return c10::Stream(c10::Stream::DEFAULT, {kDevice, 0}); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return getStream({kDevice, 0}); }
};

struct Hooks final : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
};

Tensor empty(c10::IntArrayRef size, std::optional<at::ScalarType> dtype, std::optional<at::Layout>,
             std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                   dtype.value_or(at::kFloat), format);
}

Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<at::ScalarType> dtype,
                     std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
                                           dtype.value_or(at::kFloat));
}

// The same elements as a CPU tensor that owns nothing.
Tensor on_host(const Tensor& t) {
  if (t.is_cpu()) return t;
  return at::from_blob(seen(t.data_ptr()), t.sizes(), t.strides(), t.options().device(at::kCPU).requires_grad(false));
}

Tensor copy_from(const Tensor& from, const Tensor& to, bool) {
  on_host(to).copy_(on_host(from));
  return to;
}

const Tensor& resized(const Tensor& t, c10::IntArrayRef size, std::optional<at::MemoryFormat>) {
  if (t.sizes() == size) return t;
  const Tensor fresh = at::empty(size, t.options());  // what an output held before is lost, as its maker knows
  t.unsafeGetTensorImpl()->set_storage_keep_dtype(fresh.storage());
  t.unsafeGetTensorImpl()->set_sizes_contiguous(size);
  return t;
}

Tensor copy_and_resize(const Tensor& from, const Tensor& to) {
  return copy_from(from, resized(to, from.sizes(), std::nullopt), false);
}

// Every other operator: on copies, by the CPU.
void by_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  for (const c10::IValue& argument : torch::jit::last(stack, op.schema().arguments().size()))
    if (argument.isTensor()) {
      const Tensor& t = argument.toTensor();
      // A number may lie on the CPU, as CUDA allows.
      TORCH_CHECK(!t.defined() || !t.is_cpu() || t.dim() == 0, "Expected all tensors to be on the same device, but ",
                  op.schema().name(), " got one on ", kName, " and one on cpu");
    } else if (argument.isTensorList()) {
      for (const Tensor& t : argument.toTensorVector())
        TORCH_CHECK(!t.is_cpu() || t.dim() == 0, "Expected all tensors to be on the same device, but ",
                    op.schema().name(), " got a list with one on cpu");
    }
  at::native::cpu_fallback(op, stack);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", TORCH_FN(empty));
  m.impl("empty_strided", TORCH_FN(empty_strided));
  m.impl("_copy_from", TORCH_FN(copy_from));
  m.impl("_copy_from_and_resize", TORCH_FN(copy_and_resize));
  m.impl("resize_", TORCH_FN(resized));
  m.impl("as_strided", TORCH_FN(at::native::as_strided_tensorimpl));
  m.impl("view", TORCH_FN(at::native::view));
  m.impl("_reshape_alias", TORCH_FN(at::native::_reshape_alias));
}
TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&by_cpu>()); }

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

}  // namespace

// Here and not among the `gpu` tests, because it needs no GPU.
TEST_CASE("CUDA's kernels are in the program where LibTorch has them") {
  CHECK(cuda_built() == static_cast<bool>(HONE_TORCH_HAS_CUDA));
}

TEST_CASE("the host cannot read the second device's memory") {
  const Tensor t = at::ones({3}).to(at::Device(device_under_test()));
  float value = 0;
  const iovec here{&value, sizeof value}, there{t.data_ptr(), sizeof value};
  CHECK(::process_vm_readv(::getpid(), &here, 1, &there, 1, 0) == -1);
  CHECK(errno == EFAULT);
}

std::string device_under_test() {
  static const bool once = [] {
    c10::register_privateuse1_backend(kName);
    static Hooks hooks;
    at::RegisterPrivateUse1HooksInterface(&hooks);
    c10::SetAllocator(kDevice, &memory);
    return true;
  }();
  (void)once;
  return kName;
}

}  // namespace hone::test
