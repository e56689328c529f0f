# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The kinds of target that this project has. The compiler's own kinds are in MLIRSetup.cmake.
include(CheckLinkerFlag)

# One linker and one compiler cache, used where they are present.
find_program(LLAMAC_CCACHE ccache)
if(LLAMAC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache asks for where headers are precompiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${LLAMAC_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
check_linker_flag(CXX "-fuse-ld=lld" LLAMAC_HAS_LLD)
if(LLAMAC_HAS_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# llamac_add_subdirectories(folders...): each one that has a CMakeLists.txt.
function(llamac_add_subdirectories)
  foreach(folder IN LISTS ARGN)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# llamac_runtime_library(Name SOURCES a.cpp... LINK libs... OPTIONS flags...)
# A static library of runtime code: C++17 with exceptions, no LLVM.
# One section a function, so that an executable carries only what it calls.
function(llamac_runtime_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;OPTIONS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections ${arg_OPTIONS})
  target_link_libraries(${name} PUBLIC ${arg_LINK})
endfunction()

# llamac_runtime_executable(Name SOURCES main.cpp... LINK libs...)
# An executable that depends on nothing but the parts of the C library.
function(llamac_runtime_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/runtime/OlderGlibc.c)
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
  target_link_libraries(${name} PRIVATE ${arg_LINK} ${CMAKE_DL_LIBS})
  target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc -Wl,--gc-sections)
endfunction()

# llamac_unit_test(NameTest SOURCES a.cpp... LINK libs... [COMPILER] [RUNS targets...] [LONG] [TIMEOUT seconds]
#                  [SHARDS number])
# A GoogleTest program and its ctest entry; gtest_main is linked. COMPILER gives it the compiler's flags; RUNS names
# the programs that it starts. A test of runtime/ with neither needs no LLVM and is run from the build of runtime/ alone.
# LONG keeps it out of `check.sh --quick`; SHARDS runs its cases as so many processes. LLAMAC_SOURCE_DIR and LLAMAC_BINARY_DIR are macros with the two roots.
function(llamac_unit_test name)
  cmake_parse_arguments(arg "COMPILER;LONG" "TIMEOUT;SHARDS" "SOURCES;LINK;RUNS" ${ARGN})
  set(labels runtime)
  if(arg_COMPILER OR arg_RUNS OR LLAMAC_TESTS_OF_COMPILER)
    set(labels compiler)
    if(NOT LLAMAC_BUILD_COMPILER)
      return()
    endif()
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${arg_SOURCES})
  if(LLAMAC_BUILD_COMPILER AND labels STREQUAL runtime)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unit-tests)
  target_compile_definitions(${name} PRIVATE
    LLAMAC_SOURCE_DIR="${PROJECT_SOURCE_DIR}" LLAMAC_BINARY_DIR="${PROJECT_BINARY_DIR}")
  if(arg_COMPILER)
    llamac_compiler_flags(${name})
    set_target_properties(${name} PROPERTIES BUILD_RPATH ${LLVM_LIBRARY_DIRS})
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest_main ${CMAKE_DL_LIBS})
  foreach(program IN LISTS arg_RUNS)
    if(TARGET ${program})
      add_dependencies(${name} ${program})
    endif()
  endforeach()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(arg_LONG)
    list(APPEND labels long)
  endif()
  set(runs ${name})
  if(arg_SHARDS)
    list(TRANSFORM runs APPEND -0)
    math(EXPR last "${arg_SHARDS} - 1")
    foreach(shard RANGE 1 ${last})
      list(APPEND runs ${name}-${shard})
    endforeach()
  endif()
  set(shard 0)
  foreach(run IN LISTS runs)
    add_test(NAME ${run}
      COMMAND ${name} --gtest_output=xml:${PROJECT_BINARY_DIR}/test-results/${run}.xml)
    set_tests_properties(${run} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${labels}")
    if(arg_SHARDS)
      set_tests_properties(${run} PROPERTIES
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${arg_SHARDS};GTEST_SHARD_INDEX=${shard}")
    endif()
    math(EXPR shard "${shard} + 1")
  endforeach()
endfunction()

# llamac_test_depends(targets...): what the lit tests run, built before them.
function(llamac_test_depends)
  set_property(GLOBAL APPEND PROPERTY LLAMAC_TEST_DEPENDS ${ARGN})
endfunction()
