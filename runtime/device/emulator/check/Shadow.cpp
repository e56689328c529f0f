// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is remembered of memory: pages of lines, made on demand.
#include "runtime/device/emulator/check/Shadow.h"

#include <algorithm>

using namespace llrt::emu;

Access *AccessRoom::take(size_t count) {
  if (inChunk + count > chunk) {
    if (current == chunks.size())
      chunks.push_back(std::make_unique<Access[]>(chunk));
    ++current;
    inChunk = 0;
  }
  Access *room = chunks[current - 1].get() + inChunk;
  inChunk += count;
  return room;
}

void AccessRoom::clear() {
  current = 0;
  inChunk = chunk;
}

Region::~Region() {
  for (Page *page : pages)
    delete page;
}

void Region::reset(uint64_t from, uint64_t to, bool defined) {
  begin = from;
  end = to;
  initialised = defined;
  size_t count = ((to - base()) >> pageShift) + 1;
  for (size_t i = count; i < pages.size(); ++i)
    delete pages[i];
  pages.resize(count, nullptr);
  forget();
}

void Region::open(Page *&page) {
  if (!page)
    page = new Page;
  page->epoch = epoch;
  Line fresh;
  fresh.undefined = initialised ? 0 : ~uint64_t(0);
  std::fill(page->lines, page->lines + pageLines, fresh);
}

template <class F> static void eachLine(uint64_t address, uint64_t bytes, F f) {
  for (uint64_t end = address + bytes; address < end;) {
    unsigned from = static_cast<unsigned>(address & (lineBytes - 1));
    unsigned count =
        static_cast<unsigned>(std::min(end - address, lineBytes - from));
    f(address, byteMask(from, count));
    address += count;
  }
}

void Region::define(uint64_t address, uint64_t bytes) {
  eachLine(address, bytes, [&](uint64_t at, uint64_t mask) {
    Line &each = line(at);
    each.undefined &= ~mask;
    each.computed &= ~mask;
  });
}

void Region::copyDefinedness(uint64_t to, Region &source, uint64_t from,
                             uint64_t bytes) {
  // A line's worth at a time, so that overlapping ranges of one region work
  // as the copy itself does for what is defined throughout.
  eachLine(to, bytes, [&](uint64_t at, uint64_t mask) {
    unsigned first = static_cast<unsigned>(__builtin_ctzll(mask));
    unsigned count = static_cast<unsigned>(__builtin_popcountll(mask));
    uint64_t start = from + (at - to);
    uint64_t undefined = 0, computed = 0;
    uint32_t computedLine = 0;
    eachLine(start, count, [&](uint64_t there, uint64_t part) {
      const Line &origin = source.line(there);
      unsigned shift = static_cast<unsigned>(__builtin_ctzll(part));
      unsigned offset = static_cast<unsigned>(there - start) + first;
      undefined |= (origin.undefined & part) >> shift << offset;
      computed |= (origin.computed & part) >> shift << offset;
      if (origin.computed & part)
        computedLine = origin.computedLine;
    });
    Line &each = line(at);
    each.undefined = (each.undefined & ~mask) | undefined;
    each.computed = (each.computed & ~mask) | computed;
    if (computed)
      each.computedLine = computedLine;
  });
}

void GlobalShadow::add(uint64_t begin, uint64_t end, bool initialised,
                       bool tracked, const std::string &name) {
  Region &region = regions[begin];
  region.reset(begin, end, initialised);
  region.tracked = tracked;
  region.name = name;
  region.generation = generation;
  region.grid = grid;
}

void GlobalShadow::remove(uint64_t begin) {
  last = nullptr;
  regions.erase(begin);
}

void GlobalShadow::nextGeneration() {
  ++generation;
  for (auto &[begin, region] : regions)
    region.generation = generation;
  room.clear();
}

uint32_t GlobalShadow::nextGrid() {
  ++grid;
  for (auto &[begin, region] : regions)
    region.grid = grid;
  return grid;
}

Region *GlobalShadow::search(uint64_t address) {
  auto after = regions.upper_bound(address);
  if (after == regions.begin())
    return nullptr;
  Region &region = std::prev(after)->second;
  if (address >= region.end)
    return nullptr;
  last = &region;
  return last;
}
