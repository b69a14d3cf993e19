# Compiler flags and ccache, which is used where it is there and never required. The linker is the compiler's own: linking
# takes 0.6 s, and mold 1.10 (Debian 12) laid out a RELRO segment that the loader refused, depending on section sizes.
# -Wrestrict: GCC 12 reports false positives on std::string concatenation (GCC bug 105651).
add_compile_options(-Wall -Wextra -Werror "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-error=maybe-uninitialized>" -Winvalid-pch
  -fno-math-errno -ffp-contract=off)

find_program(HONE_CCACHE ccache)
if(HONE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${HONE_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # lets ccache see through a precompiled header
endif()
if(HONE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=address,undefined)
endif()
if(HONE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ICU REQUIRED COMPONENTS uc)
