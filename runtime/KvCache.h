// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who owns which page of the KV pool. Host bookkeeping only: it never touches
// device memory, it says which pages have to be copied.
//
// The pool is fixed. A sequence is a slot (a row of the block table) that holds
// pages of LLAMAC_PAGE_TOKENS tokens. A fork shares every page of its parent; a
// shared page is copied by the first of them that writes to it. An operation
// that does not find room changes nothing and fails alone.
#ifndef LLAMAC_RUNTIME_KVCACHE_H
#define LLAMAC_RUNTIME_KVCACHE_H

#include "runtime/Result.h"
#include "runtime/View.h"

#include <cstdint>
#include <vector>

namespace llrt {

/// Copy page `from` to page `to` before the next write.
struct PageCopy {
  int32_t from, to;
};

class KvCache {
public:
  using Sequence = uint32_t; ///< a slot: row of the block table

  /// `pages` in the pool, `slots` sequences at once, each of at most
  /// `maxTokens` tokens. `tableWidth`: pages in a row of the block table.
  KvCache(uint32_t pages, uint32_t slots, uint32_t maxTokens,
          uint32_t tableWidth);

  /// A new, empty sequence in the lowest free slot.
  Result<Sequence> add();
  /// Makes room for `tokens` more and counts them as present. Appends to
  /// `copies` what copy on write asks for (at most one page).
  Error grow(Sequence sequence, uint32_t tokens, std::vector<PageCopy> &copies);
  /// Success if grow(sequence, tokens) would find room; else why not.
  Error check(Sequence sequence, uint32_t tokens) const;
  /// A new sequence with the same tokens and the same pages.
  Result<Sequence> fork(Sequence parent);
  /// Forgets the last `tokens` tokens, at most as many as it has.
  void shrink(Sequence sequence, uint32_t tokens);
  void free(Sequence sequence);

  uint32_t length(Sequence sequence) const { return slots[sequence].length; }
  bool live(Sequence sequence) const { return slots[sequence].live; }
  /// Pages that grow(sequence, tokens) would take from the pool.
  uint32_t pagesNeeded(Sequence sequence, uint32_t tokens) const;
  uint32_t freePages() const { return static_cast<uint32_t>(freeList.size()); }
  uint32_t totalPages() const {
    return static_cast<uint32_t>(references.size());
  }
  uint32_t referencesOf(int32_t page) const { return references[page]; }
  /// int32 [slots][tableWidth], ready to be copied to the device. Entries past
  /// a sequence's pages are 0, a page that exists.
  View<int32_t> blockTable() const { return table; }
  View<int32_t> pages(Sequence sequence) const;

private:
  struct Slot {
    bool live = false;
    uint32_t length = 0; ///< tokens
    uint32_t pages = 0;
  };
  int32_t take();
  void drop(int32_t page);

  uint32_t maxTokens, width;
  std::vector<Slot> slots;
  std::vector<int32_t> table;
  std::vector<uint32_t> references; ///< per page: sequences that hold it
  std::vector<int32_t>
      freeList; ///< a stack; the lowest page is taken first at start
};

} // namespace llrt

#endif
