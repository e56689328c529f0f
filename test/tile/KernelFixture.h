// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the value tests of kernels share: a gpu.module that is built, lowered,
// emitted and loaded on the emulator; its memory; the storage types.
#ifndef LLAMAC_TEST_TILE_KERNELFIXTURE_H
#define LLAMAC_TEST_TILE_KERNELFIXTURE_H

#include "runtime/device/Device.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/APFloat.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace llamactest {

/// bf16, f16 or f32: values as bits, and buffers of them.
struct Storage {
  explicit Storage(llvm::StringRef name);

  mlir::Type type(mlir::OpBuilder &builder) const;
  uint32_t bits(float value) const; ///< rounded to nearest even
  float value(uint32_t bits) const;
  float round(float value) const { return this->value(bits(value)); }
  void put(std::vector<uint8_t> &to, int64_t index, uint32_t word) const {
    std::memcpy(&to[index * bytes], &word, bytes);
  }
  float get(const std::vector<uint8_t> &from, int64_t index) const {
    uint32_t word = 0;
    std::memcpy(&word, &from[index * bytes], bytes);
    return value(word);
  }
  std::vector<uint8_t> pack(const std::vector<float> &values) const;

  llvm::StringRef name;
  const llvm::fltSemantics &semantics;
  int64_t bytes;
};

class KernelFixture {
public:
  /// The row of the GPU table that kernels are built for and run on.
  llvm::StringRef row = "h200";
  /// Builds kernels with `fill` inside a gpu.module and loads them.
  void build(llvm::function_ref<void(mlir::OpBuilder &)> fill);
  llrt::Kernel *find(llvm::StringRef name);

  llrt::DeviceAddress upload(const void *data, size_t bytes);
  template <typename T> llrt::DeviceAddress upload(const std::vector<T> &data) {
    return upload(data.data(), data.size() * sizeof(T));
  }
  template <typename T>
  void download(std::vector<T> &data, llrt::DeviceAddress from) {
    download(data.data(), from, data.size() * sizeof(T));
  }
  void download(void *data, llrt::DeviceAddress from, size_t bytes);
  void launch(llrt::Kernel *kernel, llrt::Dim3 grid, uint32_t threads,
              uint32_t sharedBytes, std::vector<const void *> arguments);

  float gauss(float deviation) {
    return std::normal_distribution<float>(0, deviation)(random);
  }
  std::mt19937 random{7};

private:
  std::unique_ptr<llrt::Device> device;
  llrt::Module *loaded = nullptr;
};

} // namespace llamactest

#endif
