# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# sentencepiece-static: the processor part of sentencepiece (no trainer), static, for the runtime executable.
#
# Debian has no static one, so it is built from the source in the PyPI sdist, which carries the parts of
# protobuf-lite, abseil and darts that it needs.
set(version 0.2.1)
set(LLAMAC_SENTENCEPIECE_VERSION ${version})
llamac_pip_download(archive sentencepiece ${version}
  8138cec27c2f2282f4a34d9a016e3374cd40e5c6e9cb335063db66a0a3b71fad sentencepiece-${version}.tar.gz)
if(NOT archive)
  message(FATAL_ERROR ${archive_MESSAGE})
endif()
set(root ${PROJECT_BINARY_DIR}/sentencepiece-${version}/sentencepiece)
if(NOT EXISTS ${root}/LICENSE)
  file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${PROJECT_BINARY_DIR})
endif()

set(protobuf ${root}/third_party/protobuf-lite)
file(GLOB protobuf_sources ${protobuf}/*.cc)
list(FILTER protobuf_sources EXCLUDE REGEX "io_win32.cc$")
set(processor_sources error filesystem model_factory model_interface normalizer sentencepiece_processor util
  bpe_model char_model unigram_model word_model builtin_pb/sentencepiece.pb builtin_pb/sentencepiece_model.pb)
list(TRANSFORM processor_sources PREPEND ${root}/src/)
list(TRANSFORM processor_sources APPEND .cc)

add_library(sentencepiece-static STATIC EXCLUDE_FROM_ALL
  ${processor_sources} ${protobuf_sources} ${root}/third_party/absl/flags/flag.cc)
# config.h and the place of the headers, as its own build makes them.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/sentencepiece-config/config.h CONTENT
  "#define VERSION \"${version}\"\n#define PACKAGE \"sentencepiece\"\n#define PACKAGE_STRING \"sentencepiece\"\n#define INSTALL_DATADIR \"\"\n")
target_include_directories(sentencepiece-static SYSTEM
  PUBLIC ${root}/src
  PRIVATE ${PROJECT_BINARY_DIR}/sentencepiece-config ${root}/src/builtin_pb ${root}/third_party ${root} ${protobuf})
target_compile_definitions(sentencepiece-static PRIVATE _USE_INTERNAL_STRING_VIEW HAVE_PTHREAD=1)
target_compile_options(sentencepiece-static PRIVATE -w -ffunction-sections -fdata-sections)
