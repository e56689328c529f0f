// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hashes by which --info names the files that an executable was made from.
#include "compiler/import/Checkpoint.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <memory>
#include <xxhash.h>

namespace mlir::llama {

/// Read at a time; then its pages are let go of.
static constexpr size_t partBytes = 8 << 20;

static uint64_t hashFile(const llrt::MappedFile &file,
                         const std::atomic<bool> &stopped) {
  auto state = std::make_unique<XXH3_state_t>(); // 64-byte aligned
  XXH3_64bits_reset(state.get());
  for (size_t at = 0; at < file.size() && !stopped; at += partBytes) {
    size_t size = std::min(partBytes, file.size() - at);
    if (at + size < file.size())
      llrt::wantPages(file.data() + at + size,
                      std::min(partBytes, file.size() - at - size));
    XXH3_64bits_update(state.get(), file.data() + at, size);
    // Small files are used again.
    if (file.size() > partBytes)
      llrt::forgetPages(file.data() + at, size);
  }
  return XXH3_64bits_digest(state.get());
}

SourceHashing::SourceHashing(Checkpoint &checkpoint)
    : checkpoint(checkpoint), thread([this] {
        const Checkpoint &from = this->checkpoint;
        for (size_t i = 0; i < from.sources.size() && !stopped; ++i)
          this->checkpoint.sources[i].xxh3 = hashFile(*from.files[i], stopped);
      }) {}

SourceHashing::~SourceHashing() {
  stopped = true;
  wait();
}

void SourceHashing::wait() {
  if (thread.joinable())
    thread.join();
}

} // namespace mlir::llama
