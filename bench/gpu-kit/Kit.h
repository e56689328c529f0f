// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the parts of the program gpu-kit share. Each part prints what it does to
// stderr and its results as JSON objects, one a line, to stdout: rows are
// complete as soon as they are there, so a part that is stopped loses nothing.
#ifndef LLAMAC_BENCH_GPUKIT_KIT_H
#define LLAMAC_BENCH_GPUKIT_KIT_H

#include "runtime/device/Device.h"

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace llrt::kit {

using Json = nlohmann::ordered_json;

struct Options {
  bool emulator = false;
  int ordinal = 0;
  bool quick = false;  ///< less of everything, for a test of the kit itself
  std::string kernels; ///< FOLDER that has probes.ptx, probes.cubin, ...
  std::vector<std::string> arguments; ///< of the part
};

/// Prints a row, at once.
void emitRow(const Json &row);
/// A line for the reader, on stderr.
void note(const std::string &text);

/// A device of the row `gpu` of the table, or the GPU.
Result<std::unique_ptr<Device>> openDevice(const Options &options,
                                           const std::string &gpu);

/// A file of the kit's kernels.
Result<std::string> readKernels(const Options &options,
                                const std::string &file);
/// `name`.ptx of the kit's kernels; on a GPU its cubin where that loads.
Result<Module *> loadKernels(const Options &options, Device &device,
                             const std::string &name);

/// Launches, with the arguments' own sizes.
template <typename... Values>
Error launch(Device &device, Module *module, const char *name,
             const LaunchShape &shape, Stream *stream, Values... values) {
  Result<Kernel *> kernel = device.findKernel(module, name);
  if (!kernel)
    return kernel.error();
  const void *arguments[] = {&values...};
  return device.launch(*kernel, shape, arguments, sizeof...(values), stream);
}

/// Blocks of `threads`; cluster and more are set by the caller.
LaunchShape makeShape(uint32_t blocks, uint32_t threads,
                      uint32_t sharedBytes = 0);

// The parts. Each returns the number of failures, or an Error if it could not
// be done at all.
Result<int> runConformance(const Options &options);
Result<int> runPrograms(const Options &options);
Result<int> runProducts(const Options &options);
Result<int> runProbes(const Options &options);
Result<int> runModels(const Options &options);
Result<int> runShape(const Options &options);
Result<int> runMachine(const Options &options);
Result<int> runReport(const Options &options);

} // namespace llrt::kit

#endif
