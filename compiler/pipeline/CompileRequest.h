// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a command line asks of the compiler. Plain C++: the parser of options
// needs exceptions, the compiler has none.
#ifndef LLAMAC_COMPILER_PIPELINE_COMPILEREQUEST_H
#define LLAMAC_COMPILER_PIPELINE_COMPILEREQUEST_H

#include "compiler/import/Checkpoint.h"
#include "runtime/ExecutableFormat.h"

namespace mlir::llama {

/// The phases by their nouns, in order: `--emit=` and the dumps use these.
enum class Stage { Llama, Fused, Tiled, Nvvm, Ptx, Cubin, Exe };
constexpr const char *stageNames[] = {"llama", "fused", "tiled", "nvvm",
                                      "ptx",   "cubin", "exe"};

struct CompileRequest {
  std::string model;
  std::string output; // "": ./NAME for an executable, stdout for text
  Stage stage = Stage::Exe;
  std::string dumpDir;              // "": none
  std::string gpu = "h200";         // isKnownGpu, or native
  std::optional<DType> dtype;       // absent: auto
  std::optional<int64_t> maxSeqLen; // absent: what fits
  std::optional<int64_t> maxBatch;  // absent: 8
  std::optional<int64_t> blocks;    // absent: what the GPU holds at once
  /// Absent: the one that the checkpoint has.
  std::optional<LlamacChatTemplate> chatTemplate;
  std::optional<int64_t> poolKvHeads; // absent: as the config says
  bool allowLong = false;
  std::optional<double> ropeFactor; // of Meta's params.json
  bool noWeights = false;    // shapes only
  bool noSelftest = false;   // leave out what --selftest compares with
  bool splitWeights = false; // in a file of their own; not with noWeights
  bool verbose = false;
  bool quiet = false;
  bool timePhases = false;
  std::string runtime; // the prebuilt executable
  std::string pieces;  // the folder of llamac's own pieces: libexec/llamac
};

constexpr int64_t maxSeqLenLimit = 1 << 24;
constexpr int64_t maxBatchLimit = 1024;
constexpr int64_t blocksLimit = 65535; // of a grid's second dimension

/// One line a row, for --gpu help.
std::string describeGpus();
bool isKnownGpu(const std::string &name);

/// Does it. Warnings and progress go to stderr; the error is for the caller.
llrt::Error compile(const CompileRequest &request);

} // namespace mlir::llama

#endif
