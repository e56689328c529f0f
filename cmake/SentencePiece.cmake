# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# sentencepiece-static: the processor part of sentencepiece (no trainer), static, for the runtime executable.
#
# Debian has no static one, so it is built from the source in the PyPI sdist, which carries the parts of
# protobuf-lite, abseil and darts that it needs. pip checks the sdist against the hash below before anything
# of it is used; a copy already in the build folder is used as it is.
set(LLAMAC_SENTENCEPIECE_VERSION 0.2.1)
set(LLAMAC_SENTENCEPIECE_SHA256 8138cec27c2f2282f4a34d9a016e3374cd40e5c6e9cb335063db66a0a3b71fad)
set(LLAMAC_DOWNLOADS ${PROJECT_BINARY_DIR}/downloads CACHE PATH "Where fetched sources are kept")

function(llamac_fetch_sentencepiece result)
  set(name sentencepiece-${LLAMAC_SENTENCEPIECE_VERSION})
  set(source ${PROJECT_BINARY_DIR}/${name})
  set(archive ${LLAMAC_DOWNLOADS}/${name}.tar.gz)
  if(EXISTS ${archive})
    file(SHA256 ${archive} found)
    if(NOT found STREQUAL LLAMAC_SENTENCEPIECE_SHA256)
      file(REMOVE ${archive})
    endif()
  endif()
  if(NOT EXISTS ${archive})
    message(STATUS "Fetching the source of ${name} with pip")
    file(WRITE ${PROJECT_BINARY_DIR}/${name}.txt
      "sentencepiece==${LLAMAC_SENTENCEPIECE_VERSION} --hash=sha256:${LLAMAC_SENTENCEPIECE_SHA256}\n")
    find_program(LLAMAC_PYTHON NAMES python3 REQUIRED)
    execute_process(
      COMMAND ${LLAMAC_PYTHON} -m pip download --quiet --disable-pip-version-check --retries 5
        --no-deps --no-binary sentencepiece --require-hashes
        -r ${PROJECT_BINARY_DIR}/${name}.txt -d ${LLAMAC_DOWNLOADS}
      RESULT_VARIABLE status ERROR_VARIABLE message OUTPUT_VARIABLE message)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "cannot fetch ${name} from PyPI (pip comes with Debian's python3-pip):\n${message}\n"
        "Put ${name}.tar.gz (sha256 ${LLAMAC_SENTENCEPIECE_SHA256}) into ${LLAMAC_DOWNLOADS} to build without the network.")
    endif()
  endif()
  if(NOT EXISTS ${source}/sentencepiece/LICENSE)
    file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${PROJECT_BINARY_DIR})
  endif()
  set(${result} ${source}/sentencepiece PARENT_SCOPE)
endfunction()

llamac_fetch_sentencepiece(root)
set(protobuf ${root}/third_party/protobuf-lite)
file(GLOB protobuf_sources ${protobuf}/*.cc)
list(TRANSFORM protobuf_sources REPLACE "^.*io_win32.cc$" "")
set(processor_sources error filesystem model_factory model_interface normalizer sentencepiece_processor util
  bpe_model char_model unigram_model word_model builtin_pb/sentencepiece.pb builtin_pb/sentencepiece_model.pb)
list(TRANSFORM processor_sources PREPEND ${root}/src/)
list(TRANSFORM processor_sources APPEND .cc)

add_library(sentencepiece-static STATIC EXCLUDE_FROM_ALL
  ${processor_sources} ${protobuf_sources} ${root}/third_party/absl/flags/flag.cc)
# config.h and the place of the headers, as its own build makes them.
file(WRITE ${PROJECT_BINARY_DIR}/sentencepiece-config/config.h
  "#define VERSION \"${LLAMAC_SENTENCEPIECE_VERSION}\"\n#define PACKAGE \"sentencepiece\"\n#define PACKAGE_STRING \"sentencepiece\"\n#define INSTALL_DATADIR \"\"\n")
target_include_directories(sentencepiece-static SYSTEM
  PUBLIC ${root}/src
  PRIVATE ${PROJECT_BINARY_DIR}/sentencepiece-config ${root}/src/builtin_pb ${root}/third_party ${root} ${protobuf})
target_compile_definitions(sentencepiece-static PRIVATE _USE_INTERNAL_STRING_VIEW HAVE_PTHREAD=1)
target_compile_options(sentencepiece-static PRIVATE -w -ffunction-sections -fdata-sections)
