# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Finds LLVM and MLIR 22 and gives the compiler's targets their flags.
if(NOT MLIR_DIR)
  set(MLIR_DIR /usr/lib/llvm-22/lib/cmake/mlir)
endif()
# Debian's LLVM config names a lit that its packages do not carry.
set(LLVM_EXTERNAL_LIT /usr/lib/llvm-22/bin/lit CACHE STRING "lit")
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "llamac needs LLVM 22, found ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
set(LLVM_RUNTIME_OUTPUT_INTDIR ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set(LLVM_LIBRARY_OUTPUT_INTDIR ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(MLIR_BINARY_DIR ${CMAKE_BINARY_DIR})
# mlir_tablegen looks only at its directory's own include path.
include_directories(SYSTEM ${MLIR_INCLUDE_DIRS})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# The headers of MLIR, precompiled once for every target of the compiler.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/MLIRHeaders.cpp CONTENT "")
add_library(LlamacMLIRHeaders OBJECT ${PROJECT_BINARY_DIR}/MLIRHeaders.cpp)
target_include_directories(LlamacMLIRHeaders SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_compile_options(LlamacMLIRHeaders PRIVATE -fno-rtti -fno-exceptions)
target_precompile_headers(LlamacMLIRHeaders PRIVATE ${PROJECT_SOURCE_DIR}/cmake/MLIRHeaders.h)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # No time in the file, so that a compiler cache knows it again.
  target_compile_options(LlamacMLIRHeaders PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# llamac_compiler_library(Name SOURCES a.cpp ... DEPENDS tablegen-targets... LINK libs...)
# A static library of compiler code: LLVM's headers, no RTTI, no exceptions.
function(llamac_compiler_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  llamac_compiler_flags(${name})
  target_link_libraries(${name} PUBLIC ${arg_LINK} MLIR LLVM)
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
endfunction()

function(llamac_compiler_flags target)
  target_include_directories(${target} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_options(${target} PRIVATE -fno-rtti -fno-exceptions)
  target_precompile_headers(${target} REUSE_FROM LlamacMLIRHeaders)
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()

# llamac_tool(name SOURCES main.cpp... LINK libs...)
# A program of the compiler, in bin/; installed with the other tools.
function(llamac_tool name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  llamac_compiler_flags(${name})
  target_link_libraries(${name} PRIVATE ${arg_LINK} MLIR LLVM)
  if(arg_DEPENDS)
    add_dependencies(${name} ${arg_DEPENDS})
  endif()
  set_target_properties(${name} PROPERTIES
    BUILD_RPATH ${LLVM_LIBRARY_DIRS} INSTALL_RPATH ${LLVM_LIBRARY_DIRS})
  llamac_test_depends(${name})
  install(TARGETS ${name} DESTINATION bin)
endfunction()
