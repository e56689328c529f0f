// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads an executable made by llamac: its sections, mapped read-only, and its
// launch plan, checked. Works on any path, so that tests and tools can open an
// executable without running it; the executable itself opens openSelf().
//
// Everything in the file is suspect until checked: bounds of the section table,
// magic, version and sizes of the plan, every index and offset in it, and the
// XXH3 hash of each section. A fault is a message, never a crash.
#ifndef LLAMAC_RUNTIME_EXECUTABLE_H
#define LLAMAC_RUNTIME_EXECUTABLE_H

#include "runtime/ExecutableFormat.h"
#include "runtime/GpuTable.h"
#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace llrt {

class MappedFile;

class Executable {
public:
  /// Which sections are hashed at open. The weights of a large model take a
  /// moment to read: `--info` leaves them alone, and loadWeights() checks them
  /// while it brings them to the device.
  enum class Check { All, AllButWeights };

  static Result<std::unique_ptr<Executable>> open(const std::string &path,
                                                  Check check = Check::All);
  /// The file of the running process: /proc/self/exe or, without /proc,
  /// AT_EXECFN.
  static Result<std::unique_ptr<Executable>> openSelf(Check check = Check::All);
  ~Executable();

  const std::string &path() const { return filePath; }
  const LlamacPlanHeader &plan() const { return *header; }
  /// The row of the GPU table that it was compiled for.
  const GpuRow &gpu() const { return *row; }

  View<LlamacLaunch> launches(LlamacFunction function) const;
  View<LlamacLaunch> launches() const { return allLaunches; }
  View<LlamacArgument> arguments() const { return allArguments; }
  View<LlamacKernel> kernels() const { return allKernels; }
  /// PTX entry name of kernel `index`, NUL-terminated in the file.
  const char *kernelName(uint32_t index) const;
  View<int32_t> eosIds() const { return eos; }
  View<double> invFreq() const { return frequencies; } ///< [head_dim/2]

  std::string_view ptx() const { return ptxText; } ///< without its NUL
  /// The kernels of runtime/kernels, without its NUL.
  std::string_view kernelsPtx() const { return kernelsPtxText; }
  /// What a device loads: cubins on CUDA where they are there, else PTX. The
  /// emulator runs the PTX.
  std::string_view image(bool emulator) const {
    return emulator || cubinBytes.empty() ? ptxText : cubinBytes;
  }
  std::string_view kernelsImage(bool emulator) const {
    return emulator || kernelsCubinBytes.empty() ? kernelsPtxText
                                                 : kernelsCubinBytes;
  }
  std::string_view cubin() const { return cubinBytes; } ///< may be empty
  bool hasTokenizer() const { return !tokenizerBytes.empty(); }
  std::string_view tokenizer() const { return tokenizerBytes; }
  std::string_view passport() const { return passportText; } ///< JSON
  /// The section .llamac.tensors; TensorTable::read checks it.
  View<uint8_t> tensors() const { return tensorBytes; }
  /// The section .llamac.selftest; Selftest::read checks it. May be empty.
  View<uint8_t> selftest() const { return selftestBytes; }
  /// Mapped, 4096-aligned; lives as long as this object. Empty where they are
  /// not inside: WeightSource finds them.
  View<uint8_t> weights() const { return weightBytes; }
  /// Whether open() hashed them.
  bool weightsChecked() const { return weightsHashed; }

private:
  Executable();
  friend class ExecutableReader;
  /// Opens `file`; messages call it `name`.
  static Result<std::unique_ptr<Executable>>
  openAs(const std::string &file, const std::string &name, Check check);

  std::string filePath;
  std::unique_ptr<const MappedFile> file;
  const LlamacPlanHeader *header = nullptr;
  const GpuRow *row = nullptr;
  View<LlamacKernel> allKernels;
  View<LlamacLaunch> allLaunches;
  View<LlamacArgument> allArguments;
  View<int32_t> eos;
  View<double> frequencies;
  const char *strings = nullptr;
  std::string_view ptxText, kernelsPtxText, tokenizerBytes, passportText;
  std::string_view cubinBytes, kernelsCubinBytes;
  View<uint8_t> weightBytes, tensorBytes, selftestBytes;
  bool weightsHashed = false;
};

/// The checks of the plan section alone (magic, version, sizes, every index).
/// `where` starts the message, e.g. "a.out: section .llamac.plan".
Error checkPlan(View<uint8_t> bytes, const std::string &where);

} // namespace llrt

#endif
