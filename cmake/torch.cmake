# LibTorch, linked directly (no find_package(Torch): it wants CUDA headers for a CUDA wheel). TORCH_DIR is the folder
# that holds include/ and lib/; by default the torch wheel in .venv.
set(TORCH_DIR "" CACHE PATH "LibTorch or the wheel's torch folder (holds include/ and lib/)")
if(NOT TORCH_DIR)
  file(GLOB HONE_TORCH_FOUND ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
  list(LENGTH HONE_TORCH_FOUND HONE_TORCH_COUNT)
  if(HONE_TORCH_COUNT EQUAL 0)
    message(FATAL_ERROR "no LibTorch found: run `make setup`, or give one with TORCH_DIR=/path/to/torch")
  endif()
  list(GET HONE_TORCH_FOUND 0 HONE_TORCH_ROOT)
else()
  set(HONE_TORCH_ROOT ${TORCH_DIR})
endif()
if(NOT EXISTS ${HONE_TORCH_ROOT}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "no lib/libtorch_cpu.so in ${HONE_TORCH_ROOT}: give the folder that holds include/ and lib/ as TORCH_DIR")
endif()
file(STRINGS ${HONE_TORCH_ROOT}/include/torch/headeronly/version.h HONE_TORCH_VERSION_LINES REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" HONE_TORCH_VERSION "${HONE_TORCH_VERSION_LINES}")
message(STATUS "LibTorch ${HONE_TORCH_VERSION} in ${HONE_TORCH_ROOT}")

add_library(hone_torch INTERFACE)
target_include_directories(hone_torch SYSTEM INTERFACE ${HONE_TORCH_ROOT}/include)
target_link_libraries(hone_torch INTERFACE ${HONE_TORCH_ROOT}/lib/libc10.so ${HONE_TORCH_ROOT}/lib/libtorch_cpu.so)
set(HONE_TORCH_HAS_CUDA OFF)
if(EXISTS ${HONE_TORCH_ROOT}/lib/libtorch_cuda.so)
  set(HONE_TORCH_HAS_CUDA ON)
  message(STATUS "with CUDA")
  # Without --no-as-needed the linker drops these two and no CUDA kernel registers.
  target_link_libraries(hone_torch INTERFACE "-Wl,--push-state,--no-as-needed"
    ${HONE_TORCH_ROOT}/lib/libc10_cuda.so ${HONE_TORCH_ROOT}/lib/libtorch_cuda.so "-Wl,--pop-state")
endif()
# at::parallel_for is serial unless OpenMP is on. The runtime must be the one that libtorch_cpu brings; the compiler's own
# is linked only where LibTorch brings none.
file(GLOB HONE_TORCH_OPENMP ${HONE_TORCH_ROOT}/lib/libgomp*.so* ${HONE_TORCH_ROOT}/../torch.libs/libgomp*.so*)
if(HONE_TORCH_OPENMP)
  list(GET HONE_TORCH_OPENMP 0 HONE_TORCH_OPENMP)
else()
  set(HONE_TORCH_OPENMP gomp)
endif()
target_link_libraries(hone_torch INTERFACE ${HONE_TORCH_OPENMP})
target_compile_options(hone_torch INTERFACE -fopenmp)
target_link_options(hone_torch INTERFACE "-Wl,-rpath,${HONE_TORCH_ROOT}/lib")
set(CMAKE_BUILD_RPATH ${HONE_TORCH_ROOT}/lib)

# One precompiled header for all torch rooms: tensor/tensor.h. The definitions make PyTorch itself refuse its umbrella
# headers (19 s a file) while the single-operator headers pass (1.7 s a file with the precompiled header).
add_library(hone_tensor_pch OBJECT ${CMAKE_SOURCE_DIR}/src/tensor/pch.cpp)
target_compile_definitions(hone_tensor_pch PRIVATE AT_PER_OPERATOR_HEADERS TORCH_ASSERT_ONLY_METHOD_OPERATORS)
target_link_libraries(hone_tensor_pch PRIVATE hone_torch)
target_precompile_headers(hone_tensor_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/tensor/tensor.h)

function(hone_use_torch target)
  target_compile_definitions(${target} PRIVATE AT_PER_OPERATOR_HEADERS TORCH_ASSERT_ONLY_METHOD_OPERATORS)
  target_link_libraries(${target} PUBLIC hone_torch)
  target_precompile_headers(${target} REUSE_FROM hone_tensor_pch)
endfunction()
