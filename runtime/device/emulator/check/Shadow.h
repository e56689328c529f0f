// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is remembered of memory, for 64 bytes at a time.
//
// Of every byte: whether anything has been written to it, and whether what was
// written came of a computation on bytes that nobody wrote. Of every line: the
// accesses that a later one may race with, each with the exact bytes it touched
// and the lane that touched each byte. A warp that reads 64 bytes in a row is
// one Access; only scattered accesses take one a lane.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_SHADOW_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_SHADOW_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace llrt::emu {

constexpr unsigned lineShift = 6;
constexpr uint64_t lineBytes = 1u << lineShift;

/// One warp's access to a line, or part of an asynchronous operation.
struct Access {
  enum Flag : uint8_t {
    Write = 1,
    Atomic = 2,
    Async = 4,     ///< `clock` is the operation's number (AsyncWork.h)
    Whole = 8,     ///< ldmatrix: the lanes did it together
    Unwritten = 16 ///< a load of bytes that nobody had written
  };
  static constexpr uint8_t anyLane = 255; ///< `shift`: each byte by all lanes

  uint64_t bytes = 0; ///< which of the line
  uint32_t block = 0;
  uint32_t clock = 0;
  uint32_t lanes = 0; ///< that took part
  uint32_t line = 0;  ///< of the PTX
  uint8_t warp = 0;
  uint8_t flags = 0;
  uint8_t strength = 0; ///< 0: weak, else 1 + Scope
  uint8_t shift = anyLane;
  int8_t first = 0; ///< byte b is of lane first + (b >> shift)

  bool writes() const { return flags & Write; }
  bool isAsync() const { return flags & Async; }
  uint32_t lanesAt(unsigned byte) const {
    return shift == anyLane
               ? lanes
               : uint32_t(1)
                     << ((first + static_cast<int>(byte >> shift)) & 31);
  }
  bool sameLanes(const Access &other) const {
    return shift == other.shift &&
           (shift == anyLane ? lanes == other.lanes : first == other.first);
  }
};
static_assert(sizeof(Access) <= 40, "many of them");

struct Line {
  uint64_t undefined = 0;    ///< bytes that hold nothing that anybody wrote
  uint64_t computed = 0;     ///< of these: results computed from such bytes
  uint32_t computedLine = 0; ///< of the PTX, for `computed`
  uint32_t generation = 0;   ///< `list` is of this generation
  uint32_t grid = 0;         ///< .. and of this grid
  uint16_t count = 0, capacity = 0;
  Access *list = nullptr;
};

/// Room for lists, given back all at once.
class AccessRoom {
public:
  Access *take(size_t count);
  void clear();

private:
  static constexpr size_t chunk = 4096;
  std::vector<std::unique_ptr<Access[]>> chunks;
  size_t inChunk = chunk, current = 0;
};

/// The lines of one piece of memory; made when they are first asked for.
class Region {
public:
  uint64_t begin = 0, end = 0; ///< host addresses
  bool initialised = false;    ///< what a line begins with
  bool tracked = true;         ///< false: constant, nothing to remember
  uint32_t generation = 1;     ///< lists of older ones count as empty
  uint32_t grid = 1;
  std::string name;

  void reset(uint64_t from, uint64_t to, bool defined);
  /// Forgets everything at once.
  void forget() { ++epoch; }
  Line &line(uint64_t address) {
    uint64_t at = address - base();
    Page *&page = pages[at >> pageShift];
    if (!page || page->epoch != epoch)
      open(page);
    return page->lines[at >> lineShift & (pageLines - 1)];
  }
  /// The first byte of the line that holds an address.
  static uint64_t lineStart(uint64_t address) {
    return address & ~(lineBytes - 1);
  }
  uint64_t base() const { return lineStart(begin); }

  void define(uint64_t address, uint64_t bytes);
  void copyDefinedness(uint64_t to, Region &source, uint64_t from,
                       uint64_t bytes);
  ~Region();
  Region() = default;
  Region(const Region &) = delete;
  Region &operator=(const Region &) = delete;

private:
  static constexpr unsigned pageShift = 12;
  static constexpr unsigned pageLines = 1u << (pageShift - lineShift);
  struct Page {
    uint32_t epoch;
    Line lines[pageLines];
  };
  std::vector<Page *> pages;
  uint32_t epoch = 1;
  void open(Page *&page);
};

/// Bits of the bytes [from, from + count) of a line.
inline uint64_t byteMask(unsigned from, unsigned count) {
  uint64_t ones = count >= 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1;
  return ones << from;
}

/// All of global memory: a Region for every allocation.
class GlobalShadow {
public:
  void add(uint64_t begin, uint64_t end, bool initialised, bool tracked,
           const std::string &name);
  void remove(uint64_t begin);
  Region *find(uint64_t address) {
    if (last && address >= last->begin && address < last->end)
      return last;
    return search(address);
  }
  /// All accesses so far are over.
  void nextGeneration();
  /// All accesses so far are the previous grid's.
  uint32_t nextGrid();
  AccessRoom room;

private:
  std::map<uint64_t, Region> regions; ///< by begin
  Region *last = nullptr;
  uint32_t generation = 1, grid = 1;
  Region *search(uint64_t address);
};

} // namespace llrt::emu

#endif
