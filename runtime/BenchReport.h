// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What --bench says: a line of a Markdown table as llama-bench prints it, or a
// JSON object per test with llama-bench's names where they mean the same.
#ifndef LLAMAC_RUNTIME_BENCHREPORT_H
#define LLAMAC_RUNTIME_BENCHREPORT_H

#include "runtime/Executable.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace llrt {

/// One test: a prompt, or a generation by `batch` sequences at once.
struct BenchTest {
  uint32_t prompt = 0, generated = 0, batch = 1;
  std::string name() const; ///< "pp512", "tg128", "tg128 x8"
  uint64_t tokens() const { return prompt + uint64_t(generated) * batch; }
};

/// Facts of the model that every line repeats or that bytes are counted from.
struct BenchModel {
  std::string name;          ///< "Llama-3.2-1B BF16"
  uint64_t bytes = 0;        ///< of the packed weights
  uint64_t parameters = 0;   ///< 0 where the passport does not say
  uint64_t embeddingRow = 0; ///< bytes of one token's row
  uint64_t embedding = 0;    ///< bytes of the packed table
  uint64_t kvToken = 0;      ///< bytes of one token in the KV cache
  uint32_t chunk = 0;        ///< tokens of one @prefill call
  bool tiedHead = false;     ///< the head reads the embedding table

  static BenchModel of(const Executable &executable);
  /// Bytes that a test has to read at least: each step reads the weights once,
  /// of the embedding only the rows it looks up (all of it where the head is
  /// tied; a prompt needs the head once), and the KV entries of every sequence
  /// up to its newest token. Rereading, activations and writes come on top.
  uint64_t leastBytes(const BenchTest &test) const;
};

/// What the emulator counted in one run. Bytes are those of global memory that
/// lanes and copies asked for, however often.
struct BenchCounts {
  uint64_t warpInstructions = 0, bytesRead = 0, bytesWritten = 0;
};

struct BenchReport {
  BenchModel model;
  BenchTest test;
  std::string backend; ///< "CUDA" or "emulator"
  std::string device;
  uint64_t leastBytes = 0;
  std::vector<double> seconds; ///< of the timed runs; none on the emulator
  std::optional<BenchCounts> counts;
  /// Bytes a second of the streaming kernel; absent where it does not count.
  std::optional<double> streamRate;

  double meanRate() const;      ///< tokens a second, mean of the runs
  double rateDeviation() const; ///< of the sample; 0 for one run
  double bytesPerToken() const;
  double readRate() const; ///< bytes a second, at the mean rate
  std::string tableRow() const;
  std::string json() const; ///< one line
};

/// The table's first two lines; the columns are those of a GPU or of the
/// emulator.
std::string benchTableHead(bool emulator, bool share);

} // namespace llrt

#endif
