// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every operation checks first and changes afterwards.
#include "runtime/KvCache.h"

#include "runtime/ExecutableFormat.h"

#include <string>

using namespace llrt;

static uint32_t pagesFor(uint64_t tokens) {
  return static_cast<uint32_t>((tokens + LLAMAC_PAGE_TOKENS - 1) /
                               LLAMAC_PAGE_TOKENS);
}

KvCache::KvCache(uint32_t pages, uint32_t slotCount, uint32_t maxTokens,
                 uint32_t tableWidth)
    : maxTokens(maxTokens), width(tableWidth), slots(slotCount),
      table(static_cast<size_t>(slotCount) * tableWidth, 0),
      references(pages, 0) {
  for (uint32_t page = pages; page-- > 0;)
    freeList.push_back(static_cast<int32_t>(page));
}

int32_t KvCache::take() {
  int32_t page = freeList.back();
  freeList.pop_back();
  references[page] = 1;
  return page;
}

void KvCache::drop(int32_t page) {
  if (--references[page] == 0)
    freeList.push_back(page);
}

Result<KvCache::Sequence> KvCache::add() {
  for (Sequence i = 0; i < slots.size(); ++i)
    if (!slots[i].live) {
      slots[i] = {true, 0, 0};
      return i;
    }
  return Error("no room for another sequence: all " +
               std::to_string(slots.size()) +
               " are in use; wait for one to end, or raise --max-batch");
}

/// The last page is written again if it has room left; shared, it needs a copy.
static bool writesLastPage(uint32_t length, uint32_t tokens) {
  return tokens != 0 && length % LLAMAC_PAGE_TOKENS != 0;
}

uint32_t KvCache::pagesNeeded(Sequence sequence, uint32_t tokens) const {
  const Slot &slot = slots[sequence];
  uint32_t needed =
      pagesFor(static_cast<uint64_t>(slot.length) + tokens) - slot.pages;
  if (writesLastPage(slot.length, tokens) &&
      references[pages(sequence)[slot.pages - 1]] > 1)
    ++needed;
  return needed;
}

Error KvCache::check(Sequence sequence, uint32_t tokens) const {
  const Slot &slot = slots[sequence];
  if (tokens > maxTokens - slot.length)
    return Error("the context is full: " + std::to_string(slot.length) + " + " +
                 std::to_string(tokens) + " tokens, but a sequence holds " +
                 std::to_string(maxTokens));
  uint32_t needed = pagesNeeded(sequence, tokens);
  if (needed > freeList.size())
    return Error("the KV cache is out of pages: " + std::to_string(needed) +
                 " needed, " + std::to_string(freeList.size()) + " of " +
                 std::to_string(references.size()) +
                 " free; wait for a sequence to end");
  return Error::success();
}

Error KvCache::grow(Sequence sequence, uint32_t tokens,
                    std::vector<PageCopy> &copies) {
  if (Error error = check(sequence, tokens))
    return error;
  Slot &slot = slots[sequence];
  int32_t *row = table.data() + static_cast<size_t>(sequence) * width;
  if (writesLastPage(slot.length, tokens)) {
    int32_t &last = row[slot.pages - 1];
    if (references[last] > 1) {
      int32_t copy = take();
      copies.push_back({last, copy});
      drop(last);
      last = copy;
    }
  }
  slot.length += tokens;
  for (uint32_t end = pagesFor(slot.length); slot.pages < end; ++slot.pages)
    row[slot.pages] = take();
  return Error::success();
}

Result<KvCache::Sequence> KvCache::fork(Sequence parent) {
  Result<Sequence> child = add();
  if (!child)
    return child;
  int32_t *to = table.data() + static_cast<size_t>(*child) * width;
  slots[*child] = slots[parent];
  for (int32_t page : pages(parent)) {
    ++references[page];
    *to++ = page;
  }
  return child;
}

void KvCache::shrink(Sequence sequence, uint32_t tokens) {
  Slot &slot = slots[sequence];
  int32_t *row = table.data() + static_cast<size_t>(sequence) * width;
  slot.length -= tokens;
  for (uint32_t end = pagesFor(slot.length); slot.pages > end;) {
    drop(row[--slot.pages]);
    row[slot.pages] = 0;
  }
}

void KvCache::free(Sequence sequence) {
  for (int32_t page : pages(sequence))
    drop(page);
  int32_t *row = table.data() + static_cast<size_t>(sequence) * width;
  for (uint32_t i = 0; i < slots[sequence].pages; ++i)
    row[i] = 0;
  slots[sequence] = {};
}

View<int32_t> KvCache::pages(Sequence sequence) const {
  return View<int32_t>(table.data() + static_cast<size_t>(sequence) * width,
                       slots[sequence].pages);
}
