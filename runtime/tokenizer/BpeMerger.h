// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Byte-pair merging: which two neighbours become one, and in what order.
#ifndef LLAMAC_RUNTIME_TOKENIZER_BPEMERGER_H
#define LLAMAC_RUNTIME_TOKENIZER_BPEMERGER_H

#include "runtime/tokenizer/TokenizerSection.h"

#include <cstdint>
#include <vector>

namespace llrt {

/// A table of merges by their pair, open addressing, half full at most.
class BpeMerger {
public:
  BpeMerger() = default;
  explicit BpeMerger(View<LlamacMerge> merges);

  /// Merges `ids` in place until no pair of neighbours has a merge: always the
  /// pair with the lowest rank, of equal ones the leftmost. O(n log n).
  void merge(std::vector<int32_t> &ids) const;

private:
  const LlamacMerge *find(uint32_t left, uint32_t right) const;
  View<LlamacMerge> merges;
  std::vector<uint32_t> slots; ///< index into merges, plus one; 0: empty
};

} // namespace llrt

#endif
