# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# llamac_pip_download(result PACKAGE VERSION SHA256 FILE): one file of one PyPI package, by name and hash.
#
# pip refuses a file with another hash before it uses anything of it. A file already in LLAMAC_DOWNLOADS with that
# hash is used as it is, so a build without the network needs only the file put there. <result> is its path, or empty
# with the reason in <result>_MESSAGE.
set(LLAMAC_DOWNLOADS ${PROJECT_BINARY_DIR}/downloads CACHE PATH "Where fetched files are kept")

function(llamac_pip_download result package version sha256 file)
  set(path ${LLAMAC_DOWNLOADS}/${file})
  set(${result} ${path} PARENT_SCOPE)
  if(EXISTS ${path})
    file(SHA256 ${path} found)
    if(found STREQUAL sha256)
      return()
    endif()
    file(REMOVE ${path})
  endif()
  message(STATUS "Fetching ${file} from PyPI with pip")
  if(file MATCHES "\\.tar\\.gz$")
    set(kind --no-binary)
  else()
    set(kind --only-binary)
  endif()
  set(requirement ${PROJECT_BINARY_DIR}/${package}.requirement.txt)
  file(WRITE ${requirement} "${package}==${version} --hash=sha256:${sha256}\n")
  find_program(LLAMAC_PYTHON NAMES python3 REQUIRED)
  execute_process(
    COMMAND ${LLAMAC_PYTHON} -m pip download --quiet --disable-pip-version-check --retries 5
      --no-deps ${kind} ${package} --require-hashes -r ${requirement} -d ${LLAMAC_DOWNLOADS}
    RESULT_VARIABLE status ERROR_VARIABLE message OUTPUT_VARIABLE message)
  if(NOT EXISTS ${path})
    set(${result} "" PARENT_SCOPE)
    set(${result}_MESSAGE "cannot fetch ${package} ${version} from PyPI (pip comes with Debian's python3-pip):\n"
      "${message}\nTo build without the network, put ${file} (sha256 ${sha256}) into ${LLAMAC_DOWNLOADS}." PARENT_SCOPE)
  endif()
endfunction()
