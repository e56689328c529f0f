// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A linked list of pieces and a heap of the pairs in it. A pair that changed
// since it went in is known by what it would become.
#include "runtime/tokenizer/BpeMerger.h"

#include <algorithm>

using namespace llrt;

static size_t hashPair(uint32_t left, uint32_t right) {
  uint64_t pair = uint64_t(left) << 32 | right;
  pair *= 0x9E3779B97F4A7C15ull; // 2^64 / golden ratio
  return pair ^ pair >> 32;
}

BpeMerger::BpeMerger(View<LlamacMerge> all) : merges(all) {
  size_t size = 2;
  while (size < 2 * merges.size())
    size *= 2;
  slots.assign(size, 0);
  for (size_t i = 0; i < merges.size(); ++i) {
    size_t at = hashPair(merges[i].left, merges[i].right) & (size - 1);
    for (; slots[at] != 0; at = (at + 1) & (size - 1)) {
      const LlamacMerge &other = merges[slots[at] - 1];
      if (other.left == merges[i].left && other.right == merges[i].right)
        break; // given twice: the later one counts
    }
    slots[at] = uint32_t(i + 1);
  }
}

const LlamacMerge *BpeMerger::find(uint32_t left, uint32_t right) const {
  size_t mask = slots.size() - 1;
  for (size_t at = hashPair(left, right) & mask; slots[at] != 0;
       at = (at + 1) & mask) {
    const LlamacMerge &merge = merges[slots[at] - 1];
    if (merge.left == left && merge.right == right)
      return &merge;
  }
  return nullptr;
}

void BpeMerger::merge(std::vector<int32_t> &ids) const {
  if (merges.empty() || ids.size() < 2)
    return;
  struct Link {
    uint32_t previous, next; ///< ids.size(): none
  };
  struct Pair {
    uint32_t rank, at, result;
    bool operator<(const Pair &other) const { // the heap's top is the largest
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  const auto end = uint32_t(ids.size());
  constexpr int32_t gone = -1;
  std::vector<Link> links(end);
  std::vector<Pair> heap;
  auto pairAt = [&](uint32_t at) -> const LlamacMerge * {
    return find(uint32_t(ids[at]), uint32_t(ids[links[at].next]));
  };
  for (uint32_t at = 0; at < end; ++at)
    links[at] = {at == 0 ? end : at - 1, at + 1};
  for (uint32_t at = 0; at + 1 < end; ++at)
    if (const LlamacMerge *merge = pairAt(at))
      heap.push_back({merge->rank, at, merge->result});
  std::make_heap(heap.begin(), heap.end());
  auto push = [&](uint32_t at) {
    if (const LlamacMerge *merge = pairAt(at)) {
      heap.push_back({merge->rank, at, merge->result});
      std::push_heap(heap.begin(), heap.end());
    }
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    Pair pair = heap.back();
    heap.pop_back();
    uint32_t left = pair.at;
    if (ids[left] == gone || links[left].next == end)
      continue;
    const LlamacMerge *merge = pairAt(left);
    if (!merge || merge->result != pair.result)
      continue;
    uint32_t right = links[left].next;
    ids[left] = int32_t(pair.result);
    ids[right] = gone;
    links[left].next = links[right].next;
    if (links[left].next != end)
      links[links[left].next].previous = left;
    if (links[left].previous != end)
      push(links[left].previous);
    if (links[left].next != end)
      push(left);
  }
  ids.erase(std::remove(ids.begin(), ids.end(), gone), ids.end());
}
