// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Executables of a toy model, written without the compiler: the runtime's own
// tests open, alter and run them. Inputs/toy.c is the model's two kernels.
#ifndef LLAMAC_TEST_RUNTIME_TOYEXECUTABLE_H
#define LLAMAC_TEST_RUNTIME_TOYEXECUTABLE_H

#include "runtime/ExecutableFormat.h"

#include <cstdint>
#include <string>
#include <vector>

namespace toy {

using Bytes = std::vector<uint8_t>;

struct Options {
  uint32_t vocabulary = 500, pieces = 420;
  uint32_t maxSeqLen = 256, maxBatch = 4, maxChunk = 64, headRows = 16;
  bool addBos = true, tokenizer = true, weights = true, eos = true;
  bool cubin = false;    ///< of which only the first bytes are a cubin's
  bool sampling = false; ///< the plan says 0.6 and 0.9; else it says greedy
  LlamacChatTemplate chatTemplate = LLAMAC_CHAT_NONE;
  uint32_t salt = 17;
};

/// The sections' bytes; `plan` already carries the hashes of the others.
struct Sections {
  Bytes plan, ptx, kernelsPtx, tokenizer, passport, weights;
  Bytes cubin, kernelsCubin;
  Bytes selftest; ///< none unless a test puts one here, and calls seal()
  LlamacPlanHeader &header() {
    return *reinterpret_cast<LlamacPlanHeader *>(plan.data());
  }
  template <typename T> T *array(uint64_t offset) {
    return reinterpret_cast<T *>(plan.data() + offset);
  }
  /// After a change of the plan: its hash anew.
  void seal();
};
Sections makeSections(const Options &options = {});

/// An ELF file that has nothing but a table of section names.
Bytes emptyElf();
/// `elf` with the sections appended at page boundaries and a new section table.
Bytes append(const Bytes &elf, const Sections &sections);

Bytes readFile(const std::string &path);
void writeFile(const std::string &path, const Bytes &bytes,
               bool executable = false);
/// test/runtime/Inputs/NAME
std::string input(const std::string &name);

/// What the kernels compute, said again: the choice after `ids`.
int32_t choice(const std::vector<int32_t> &ids, const Options &options = {});
/// The logits row after `ids`.
std::vector<float> logits(const std::vector<int32_t> &ids,
                          const Options &options = {});

} // namespace toy

#endif
