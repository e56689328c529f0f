// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lays out the plan section.
#include "compiler/emit/LaunchPlan.h"

#define XXH_INLINE_ALL
#include <cstring>
#include <xxhash.h>

namespace mlir::llama {

uint64_t hashBytes(const void *data, size_t size) {
  return XXH3_64bits(data, size);
}

uint32_t LaunchPlan::addString(const std::string &text) {
  auto offset = static_cast<uint32_t>(strings.size());
  strings.append(text.c_str(), text.size() + 1);
  return offset;
}

void LaunchPlan::addKernel(const std::string &name) {
  kernels.push_back({addString(name), 0});
}

std::vector<uint8_t> LaunchPlan::serialize() const {
  LlamacPlanHeader head = header;
  head.magic = LLAMAC_PLAN_MAGIC;
  head.version = LLAMAC_FORMAT_VERSION;
  head.header_bytes = sizeof head;
  head.plan_hash = 0;
  std::vector<uint8_t> bytes(sizeof head);
  auto append = [&](const void *data, size_t size) -> uint64_t {
    bytes.resize((bytes.size() + 7) / 8 * 8);
    uint64_t offset = bytes.size();
    const uint8_t *begin = static_cast<const uint8_t *>(data);
    bytes.insert(bytes.end(), begin, begin + size);
    return offset;
  };
  auto appendArray = [&](const auto &array, uint64_t &offset, uint32_t &count) {
    offset = append(array.data(), array.size() * sizeof(array[0]));
    count = static_cast<uint32_t>(array.size());
  };
  appendArray(kernels, head.kernels_offset, head.kernel_count);
  appendArray(launches, head.launches_offset, head.launch_count);
  appendArray(arguments, head.arguments_offset, head.argument_count);
  appendArray(eosIds, head.eos_offset, head.eos_count);
  appendArray(invFreq, head.inv_freq_offset, head.inv_freq_count);
  appendArray(strings, head.strings_offset, head.strings_bytes);
  head.plan_bytes = bytes.size();
  std::memcpy(bytes.data(), &head, sizeof head);
  head.plan_hash = hashBytes(bytes.data(), bytes.size());
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes;
}

} // namespace mlir::llama
