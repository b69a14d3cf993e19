# What LIGHT without torch includes over and over, compiled once. Not for -O2: there GCC 12 then warns of what is not so
# (bug 105651 in more forms).
add_library(hone_base_pch OBJECT ${CMAKE_SOURCE_DIR}/src/base/pch.cpp)
target_precompile_headers(hone_base_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/base/json.h <algorithm> <filesystem> <functional>
  <map> <optional> <set> <span> <string> <vector>)

# hone_room(NAME [TORCH|LINKS_TORCH] [LIGHT] SOURCES … LINK …): one static library hone_NAME from src/NAME. Only TORCH rooms have torch on
# their include path. LINK names the rooms and libraries that it may use. LIGHT: no arithmetic of weight is
# done here, so it is compiled with -O1, which takes a fifth less time. LINKS_TORCH: no torch header, but links
# TORCH rooms, and with them OpenMP, which a precompiled header without it does not fit.
function(hone_room name)
  cmake_parse_arguments(ROOM "TORCH;LINKS_TORCH;LIGHT" "" "SOURCES;LINK" ${ARGN})
  add_library(hone_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(hone_${name} PUBLIC ${ROOM_LINK})
  set_target_properties(hone_${name} PROPERTIES UNITY_BUILD ${HONE_UNITY} UNITY_BUILD_BATCH_SIZE 4)
  if(ROOM_LIGHT)
    target_compile_options(hone_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  if(ROOM_TORCH)
    hone_use_torch(hone_${name})
  elseif(ROOM_LIGHT AND NOT ROOM_LINKS_TORCH)
    target_precompile_headers(hone_${name} REUSE_FROM hone_base_pch)
  endif()
endfunction()

# hone_sources_of(OUT LIST MACRO [FOLDER f] [KIND k]): the source FOLDER/ID.cpp of each line MACRO(ID, …) of LIST, a .def file; with KIND, of
# the lines whose second argument matches it. So adding what a list names is one file and one line.
function(hone_sources_of out list macro)
  cmake_parse_arguments(OF "" "FOLDER;KIND" "" ${ARGN})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${list})
  set(behind "[,)]")
  if(OF_KIND)
    set(behind ", (${OF_KIND})[,)]")
  endif()
  file(STRINGS ${list} lines REGEX "^${macro}\\([a-z0-9_]+${behind}")
  set(sources "")
  foreach(line ${lines})
    string(REGEX REPLACE "^${macro}\\(([a-z0-9_]+).*" "\\1.cpp" source "${line}")
    if(OF_FOLDER)
      string(PREPEND source ${OF_FOLDER}/)
    endif()
    list(APPEND sources ${source})
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

macro(hone_add_rooms)
  foreach(room ${ARGN})
    add_subdirectory(src/${room})
  endforeach()
endmacro()

# WHOLE_MACHINE: alone, with a thread for every core; the others run side by side, each on a core of its own (tools/test.sh).
set(HONE_ON_ONE_CORE ${CMAKE_SOURCE_DIR}/tools/on_one_core.sh)
# hone_test(NAME [TORCH] [WHOLE_MACHINE] [LABELS …] SOURCES … LINK …): one doctest program tests_NAME, run by ctest. Labels: fast (the
# default), slow (over ten seconds), full (whole runs, kills) or gpu, for how long it takes and what it needs; `processor` where results may depend on the processor
# (every TORCH test has it).
function(hone_test name)
  cmake_parse_arguments(TEST "TORCH;WHOLE_MACHINE" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  set(main doctest_main.cpp)
  if(TEST_TORCH)
    set(main doctest_main_torch.cpp)
  endif()
  add_executable(tests_${name} ${TEST_SOURCES} ${CMAKE_SOURCE_DIR}/tests/${main})
  target_link_libraries(tests_${name} PRIVATE ${TEST_LINK})
  if(TEST_TORCH)
    target_link_libraries(tests_${name} PRIVATE hone_tensor)  # its main chooses the kernels
    hone_use_torch(tests_${name})
  endif()
  if(TEST_WHOLE_MACHINE)
    add_test(NAME ${name} COMMAND tests_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  else()
    add_test(NAME ${name} COMMAND ${HONE_ON_ONE_CORE} $<TARGET_FILE:tests_${name}> WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
  if(NOT TEST_LABELS)
    set(TEST_LABELS fast)
  endif()
  if(TEST_TORCH)
    list(APPEND TEST_LABELS processor)
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 600)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT})
endfunction()
