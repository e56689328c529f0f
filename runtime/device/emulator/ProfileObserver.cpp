// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts what kernels do: instructions by class, bytes by space, sectors, bank
// conflicts, tensor operations, waits.
#include "runtime/device/emulator/ProfileObserver.h"
#include "runtime/device/emulator/Scheduler.h"

#include <algorithm>

using namespace llrt;
using namespace llrt::emu;

const char *llrt::instructionClassName(InstructionClass each) {
  static const char *const names[instructionClasses] = {
      "integer", "float",        "conversion", "move",     "control",
      "memory",  "asynchronous", "tensor",     "exchange", "synchronisation"};
  return names[static_cast<size_t>(each)];
}

uint64_t TouchedBytes::touch(uint64_t address, uint64_t bytes) {
  uint64_t fresh = 0;
  while (bytes) {
    uint64_t number = address >> pageBits;
    if (number != lastNumber) {
      last = &pages[number];
      lastNumber = number;
    }
    uint64_t at = address & ((1u << pageBits) - 1), bit = at % 64;
    uint64_t count = std::min<uint64_t>(bytes, 64 - bit);
    uint64_t mask = (count == 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1)
                    << bit;
    uint64_t &word = last->words[at / 64];
    fresh += static_cast<uint64_t>(__builtin_popcountll(mask & ~word));
    word |= mask;
    address += count;
    bytes -= count;
  }
  return fresh;
}

void TouchedBytes::clear() {
  pages.clear();
  lastNumber = ~uint64_t(0);
}

namespace {

std::string_view rootOf(std::string_view opcode) {
  return opcode.substr(0, opcode.find('.'));
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool among(std::string_view root, std::initializer_list<const char *> roots) {
  return std::find(roots.begin(), roots.end(), root) != roots.end();
}

InstructionClass classOf(const std::string &opcode) {
  using C = InstructionClass;
  std::string_view root = rootOf(opcode);
  if (contains(opcode, ".async") && among(root, {"cp", "st", "red"}))
    return C::Asynchronous;
  if (root == "ld" && contains(opcode, ".param"))
    return C::Move;
  if (among(root, {"ld", "ldu", "st", "atom", "red", "ldmatrix", "stmatrix",
                   "prefetch", "prefetchu", "applypriority", "cp"}))
    return C::Memory;
  if (root == "mma" || (root == "wgmma" && contains(opcode, "mma_async")))
    return C::Tensor;
  if (among(root, {"shfl", "vote", "match", "redux", "elect", "activemask"}))
    return C::Exchange;
  if (among(root, {"bar", "barrier", "fence", "membar", "mbarrier", "wgmma",
                   "griddepcontrol", "nanosleep", "setmaxnreg"}))
    return C::Synchronisation;
  if (among(root, {"bra", "brx", "call", "ret", "exit", "trap"}))
    return C::Control;
  if (root == "cvt")
    return C::Conversion;
  if (among(root, {"mov", "set", "setp", "selp", "slct", "cvta", "isspacep",
                   "mapa", "getctarank"}))
    return C::Move;
  for (const char *type : {".f16", ".bf16", ".f32", ".f64"})
    if (contains(opcode, type))
      return C::Float;
  return C::Integer;
}

/// Multiplications and additions of one warp, by the mMnNkK of the opcode; of
/// wgmma each warp does a quarter.
uint64_t tensorOperationsOf(const std::string &opcode) {
  size_t at = opcode.find(".m");
  while (at != std::string::npos) {
    unsigned m = 0, n = 0, k = 0;
    if (std::sscanf(opcode.c_str() + at, ".m%un%uk%u", &m, &n, &k) == 3)
      return uint64_t(2) * m * n * k / (rootOf(opcode) == "wgmma" ? 4 : 1);
    at = opcode.find(".m", at + 1);
  }
  return 0;
}

/// True when a host address lies in the shared memory of the warp's cluster.
bool isShared(const Warp &warp, uint64_t address) {
  for (const Block *block : warp.block->cluster->blocks)
    if (address - reinterpret_cast<uint64_t>(block->shared) < warp.sharedBytes)
      return true;
  return false;
}

} // namespace

void ProfileObserver::decoded(Program &decoded) {
  Kernel &kernel = programs[&decoded];
  kernel.profile.kernel = decoded.name;
  for (const Note &note : decoded.notes) {
    Shape shape;
    shape.of = classOf(note.opcode);
    if (shape.of == InstructionClass::Tensor)
      shape.tensorOperations = tensorOperationsOf(note.opcode);
    kernel.shapes.push_back(shape);
  }
}

void ProfileObserver::kernelStarts(const Launch &launch) {
  program = launch.program;
  running = &programs[program];
  if (!running->order)
    running->order = ++launched;
  KernelProfile &profile = running->profile;
  profile.module = program->moduleName;
  const Dim3 &block = launch.shape.block;
  profile.launches += 1;
  profile.blocks += launch.blocks;
  profile.threads += launch.blocks * (uint64_t(block.x) * block.y * block.z);
  touched.clear();
}

void ProfileObserver::before(const Inst *inst, const Note &note, Warp &warp,
                             uint32_t mask) {
  const Shape &shape =
      running->shapes[static_cast<size_t>(inst - program->code.data())];
  KernelProfile &profile = running->profile;
  profile.instructions[static_cast<size_t>(shape.of)] += 1;
  profile.laneInstructions += static_cast<uint64_t>(__builtin_popcount(mask));
  profile.tensorOperations += shape.tensorOperations;
  if (note.isAccess())
    access(inst, note, warp, mask);
}

void ProfileObserver::access(const Inst *inst, const Note &note, Warp &warp,
                             uint32_t mask) {
  AccessEvent event = accessOf(inst, note, warp, mask);
  uint32_t bytes = note.bytes();
  KernelProfile &profile = running->profile;
  uint32_t inGlobal = 0, inShared = 0, inLocal = 0;
  uint64_t at[32];
  for (uint32_t left = event.mask; left; left &= left - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    Place place = placeOf(note.space, event.address[lane]);
    at[lane] = place.at;
    uint32_t &in = place.space == Space::Global   ? inGlobal
                   : place.space == Space::Shared ? inShared
                                                  : inLocal;
    in |= 1u << lane;
  }
  bool reads = note.kind != Note::Store && note.kind != Note::StoreMatrix;
  bool writes = note.kind != Note::Load && note.kind != Note::LoadMatrix;
  auto count = [&](MemoryTraffic &traffic, uint32_t lanes) {
    uint64_t sum =
        uint64_t(bytes) * static_cast<uint64_t>(__builtin_popcount(lanes));
    traffic.read += reads ? sum : 0;
    traffic.written += writes ? sum : 0;
  };
  count(profile.global, inGlobal);
  count(profile.shared, inShared);
  count(profile.local, inLocal);
  if (inGlobal)
    global(at, inGlobal, bytes);
  if (!inShared)
    return;
  if (note.kind == Note::LoadMatrix || note.kind == Note::StoreMatrix) {
    // A matrix is a pass of its own.
    for (uint32_t matrix = 0; matrix < 4; ++matrix)
      shared(at, inShared & 0xffu << matrix * 8, bytes);
    return;
  }
  // 32 lanes of 4 bytes a pass, 16 of 8, 8 of 16.
  uint32_t together = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  for (uint32_t first = 0; first < 32; first += together)
    shared(at,
           inShared & (together == 32 ? ~0u : ((1u << together) - 1) << first),
           bytes);
}

void ProfileObserver::global(const uint64_t *address, uint32_t mask,
                             uint32_t bytes) {
  // Runs of bytes, sorted, so that lanes that share some count them once.
  uint64_t sorted[32];
  unsigned lanes = 0;
  for (uint32_t left = mask; left; left &= left - 1)
    sorted[lanes++] = address[__builtin_ctz(left)];
  std::sort(sorted, sorted + lanes);
  uint64_t sectors = 0, distinct = 0, nextSector = 0, end = 0;
  KernelProfile &profile = running->profile;
  for (unsigned i = 0; i < lanes; ++i) {
    uint64_t first = std::max(sorted[i], end), last = sorted[i] + bytes;
    if (last <= first)
      continue;
    distinct += last - first;
    uint64_t from = std::max(first / 32, nextSector), to = (last - 1) / 32 + 1;
    sectors += to > from ? to - from : 0;
    nextSector = std::max(nextSector, to);
    end = last;
    profile.distinctGlobalBytes += touched.touch(first, last - first);
  }
  profile.sectors += sectors;
  profile.leastSectors += (distinct + 31) / 32;
}

void ProfileObserver::shared(const uint64_t *address, uint32_t mask,
                             uint32_t bytes) {
  // Words of each bank; the same word for two lanes is one.
  uint64_t words[32][32];
  uint8_t used[32] = {};
  unsigned most = 0;
  for (uint32_t left = mask; left; left &= left - 1) {
    uint64_t at = address[__builtin_ctz(left)];
    for (uint64_t word = at / 4; word <= (at + bytes - 1) / 4; ++word) {
      uint64_t *of = words[word % 32];
      uint8_t &count = used[word % 32];
      if (std::find(of, of + count, word) == of + count && count < 32)
        of[count++] = word;
      most = std::max<unsigned>(most, count);
    }
  }
  running->profile.bankConflicts += most > 1 ? most - 1 : 0;
}

void ProfileObserver::barrierArrives(const Inst *, Warp &, uint32_t, uint32_t,
                                     bool waits) {
  running->profile.barrierWaits += waits;
}

void ProfileObserver::clusterPasses(const Inst *, Warp &, uint32_t) {
  running->profile.barrierWaits += 1;
}

void ProfileObserver::mbarrier(const MbarrierEvent &event) {
  running->profile.mbarrierWaits += event.action == MbarrierAction::Passes;
}

void ProfileObserver::asyncIssued(const AsyncEvent &event) {
  KernelProfile &profile = running->profile;
  auto count = [&](uint64_t at, uint64_t bytes, bool reads, bool writes) {
    if (!bytes)
      return;
    bool inShared = isShared(*event.warp, at);
    MemoryTraffic &traffic = inShared ? profile.shared : profile.global;
    traffic.read += reads ? bytes : 0;
    traffic.written += writes ? bytes : 0;
    if (!inShared)
      profile.distinctGlobalBytes += touched.touch(at, bytes);
  };
  count(reinterpret_cast<uint64_t>(event.read), event.readBytes, true, false);
  count(reinterpret_cast<uint64_t>(event.write), event.writeBytes,
        event.reduces, true);
}

std::vector<KernelProfile> ProfileObserver::kernels() const {
  std::vector<const Kernel *> launchedOnes;
  for (const auto &entry : programs)
    if (entry.second.order)
      launchedOnes.push_back(&entry.second);
  std::sort(
      launchedOnes.begin(), launchedOnes.end(),
      [](const Kernel *a, const Kernel *b) { return a->order < b->order; });
  std::vector<KernelProfile> result;
  for (const Kernel *kernel : launchedOnes)
    result.push_back(kernel->profile);
  return result;
}
