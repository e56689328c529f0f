# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What `cmake --install BUILD --prefix P` makes. P can be moved: llamac finds the rest relative to itself.
#
#   bin/llamac, bin/llama-opt ...   the programs of the compiler (llamac_tool)
#   bin/ptx-run                     any PTX kernel on the emulator
#   lib/libllamac_emulator.so, include/llamac/emulator.h   the emulator for other programs (runtime/library)
#   libexec/llamac/llama-runtime    the prebuilt executable that llamac copies and gives its sections
#   libexec/llamac/ptxas, libnvrtc* where they were fetched; else the CUDA toolkit has them
#   share/doc/llamac/               the licences, the pages of docs/, those that are made from the .td files
#   share/bash-completion/ zsh/ man/  completion and manual pages (driver/CMakeLists.txt)
set(licences ${PROJECT_BINARY_DIR}/sentencepiece-${LLAMAC_SENTENCEPIECE_VERSION}/sentencepiece)
install(TARGETS ptx-run DESTINATION bin)
if(TARGET llama-runtime)
  install(TARGETS llama-runtime DESTINATION libexec/llamac)
endif()
install(FILES LICENSE DESTINATION share/doc/llamac)
install(DIRECTORY docs/ DESTINATION share/doc/llamac FILES_MATCHING PATTERN *.md)
if(LLAMAC_BUILD_COMPILER)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/docs/ DESTINATION share/doc/llamac FILES_MATCHING PATTERN *.md)
endif()
install(FILES ${licences}/LICENSE DESTINATION share/doc/llamac RENAME LICENSE.sentencepiece)
foreach(part absl darts_clone protobuf-lite)
  install(FILES ${licences}/third_party/${part}/LICENSE DESTINATION share/doc/llamac RENAME LICENSE.${part})
endforeach()
if(LLAMAC_FETCHED_PTXAS)
  install(PROGRAMS ${LLAMAC_FETCHED_PTXAS} DESTINATION libexec/llamac)
  file(GLOB licence ${LLAMAC_DOWNLOADS}/cuda/nvidia_cuda_nvcc-*.dist-info/licenses/License.txt)
  install(FILES ${licence} DESTINATION share/doc/llamac RENAME LICENSE.ptxas)
endif()
if(LLAMAC_FETCHED_NVRTC)
  install(FILES ${LLAMAC_FETCHED_NVRTC} DESTINATION libexec/llamac)
  file(GLOB licence ${LLAMAC_DOWNLOADS}/cuda/nvidia_cuda_nvrtc-*.dist-info/licenses/License.txt)
  install(FILES ${licence} DESTINATION share/doc/llamac RENAME LICENSE.nvrtc)
endif()
