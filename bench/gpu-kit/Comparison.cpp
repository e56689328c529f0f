// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens, runs, counts bits.
#include "bench/gpu-kit/Comparison.h"

#include <algorithm>
#include <cstring>

using namespace llrt;
using namespace llrt::kit;
using namespace llrt::test;

void Difference::add(const FloatLogits &found, const FloatLogits &wanted) {
  for (size_t row = 0; row < wanted.size(); ++row) {
    for (size_t i = 0; i < wanted[row].size(); ++i, ++values)
      different +=
          std::memcmp(&found[row][i], &wanted[row][i], sizeof(float)) != 0;
    worstRow = std::max(
        worstRow, relativeError({found[row].begin(), found[row].end()},
                                {wanted[row].begin(), wanted[row].end()}));
  }
}

void Difference::tell(Json &row) const {
  row["values"] = values;
  row["differ_from_emulator"] = different;
  row["worst_row_to_emulator"] = worstRow;
}

static Error openOn(const std::string &path, int gpu,
                    std::optional<uint64_t> seed, bool check,
                    std::unique_ptr<CompiledModel> &model) {
  Result<std::unique_ptr<Executable>> executable = Executable::open(path);
  if (!executable)
    return executable.error();
  EngineOptions options;
  if (seed) {
    Result<std::shared_ptr<const WeightSource>> source =
        WeightSource::open(**executable, {"", seed});
    if (!source)
      return source.error();
    options.weights = *source;
    // A large shape is compiled for more than this needs.
    options.contextSize =
        std::min<uint32_t>(256, (*executable)->plan().max_seq_len);
    options.maxBatch = 1;
  }
  Result<std::unique_ptr<CompiledModel>> opened =
      CompiledModel::open(std::move(*executable), options, gpu, check);
  if (!opened)
    return opened.error();
  model = std::move(*opened);
  return Error::success();
}

Error llrt::kit::openBoth(const Options &options, const std::string &path,
                          std::optional<uint64_t> seed,
                          std::unique_ptr<CompiledModel> &model,
                          std::unique_ptr<CompiledModel> &emulated) {
  // The checks take long: of a large shape hours, and beside a GPU the emulator
  // is there for its bits.
  if (Error error = openOn(path, options.emulator ? -1 : options.ordinal, seed,
                           !seed, model))
    return error;
  return options.emulator ? Error::success()
                          : openOn(path, -1, seed, false, emulated);
}
