// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Room for resident blocks, and the values that a warp starts with.
#include "runtime/device/emulator/BlockStorage.h"
#include "runtime/device/emulator/AsyncOperations.h"
#include "runtime/device/emulator/BlockRunner.h"

using namespace llrt;
using namespace llrt::emu;

char *AlignedBytes::reserve(size_t size) {
  if (bytes.size() < size + 64) {
    bytes = std::vector<char>(size + 64);
    aligned = reinterpret_cast<char *>(
        (reinterpret_cast<uint64_t>(bytes.data()) + 63) & ~uint64_t(63));
  }
  return aligned;
}

void WorkerStorage::prepare(Launch &launch) {
  worker.launch = &launch;
  worker.program = launch.program;
  worker.observer = launch.observer;
  worker.schedule = launch.schedule;
  if (releases != launch.memory->releaseCount()) {
    releases = launch.memory->releaseCount();
    intervals.clear();
  }
  std::vector<Interval> &mine = intervals[launch.program];
  mine.resize(launch.program->intervals + 1);
  worker.intervals = mine.data();
}

Cluster *WorkerStorage::start(const Launch &launch, uint64_t number) {
  size_t at = 0;
  while (at < clusters.size() && !clusters[at].blocks.empty())
    ++at;
  if (at == clusters.size())
    clusters.emplace_back();
  Cluster &cluster = clusters[at];
  const Dim3 &grid = launch.shape.grid, &size = launch.shape.cluster;
  uint32_t across = grid.x / size.x, down = grid.y / size.y;
  cluster.index = {static_cast<uint32_t>(number % across),
                   static_cast<uint32_t>(number / across % down),
                   static_cast<uint32_t>(number / across / down)};
  cluster.arriving = false;
  for (uint32_t z = 0; z < size.z; ++z)
    for (uint32_t y = 0; y < size.y; ++y)
      for (uint32_t x = 0; x < size.x; ++x)
        cluster.blocks.push_back(startBlock(launch, cluster,
                                            {cluster.index.x * size.x + x,
                                             cluster.index.y * size.y + y,
                                             cluster.index.z * size.z + z}));
  if (launch.observer)
    for (Block *block : cluster.blocks)
      launch.observer->blockStarts(*block);
  return &cluster;
}

Block *WorkerStorage::startBlock(const Launch &launch, Cluster &cluster,
                                 Dim3 index) {
  const Program &program = *launch.program;
  size_t number = 0;
  while (number < rooms.size() && rooms[number].used)
    ++number;
  if (number == rooms.size())
    rooms.emplace_back();
  Room &room = rooms[number];
  room.used = true;
  Block &block = room.block;
  const Dim3 &grid = launch.shape.grid;
  block.index = index;
  block.linear = (uint64_t(index.z) * grid.y + index.y) * grid.x + index.x;
  block.cluster = &cluster;
  block.rank = static_cast<uint32_t>(cluster.blocks.size());
  block.storage = number;
  block.effects = 0;
  block.running = 0;
  for (Barrier &barrier : block.barriers)
    barrier = Barrier();
  uint32_t threads =
      launch.shape.block.x * launch.shape.block.y * launch.shape.block.z;
  uint32_t count = (threads + 31) / 32;
  block.liveWarps = count;
  size_t perWarp =
      (program.registerBytes + program.predicates * size_t(4) + 63) &
      ~size_t(63);
  char *registers = room.registers.reserve(perWarp * count);
  size_t localPerWarp = program.localBytes * size_t(32);
  char *local = room.local.reserve(localPerWarp * count);
  block.shared = room.shared.reserve(launch.sharedBytes + 1024);
  // Shared address sharedStart is aligned to 1024; its host address to 64.
  block.warps.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    Warp &warp = block.warps[i];
    warp.base[0] = registers + perWarp * i;
    warp.base[1] = reinterpret_cast<const char *>(program.constants.data()) - 1;
    warp.predicates = reinterpret_cast<uint32_t *>(registers + perWarp * i +
                                                   program.registerBytes);
    warp.shared = block.shared;
    warp.sharedBytes = launch.sharedBytes;
    warp.local = local + localPerWarp * i;
    warp.localBytes = program.localBytes;
    warp.block = &block;
    warp.worker = &worker;
    warp.index = i;
    warp.current = 0;
    warp.clockCurrent = false;
    warp.executed = 0;
    warp.clusterArrived = warp.clusterPending = 0;
    uint32_t lanes = std::min(32u, threads - i * 32);
    warp.initial = warp.live = lanes == 32 ? ~0u : (1u << lanes) - 1;
    warp.groups.clear();
    warp.splits.clear();
    Split split;
    split.pc = program.code.data();
    split.mask = warp.live;
    warp.splits.push_back(std::move(split));
    enter(warp, launch, block);
  }
  block.async.reset();
  block.order.clear();
  block.greedy = false;
  if (launch.schedule) {
    block.async = std::make_shared<AsyncOperations>(*launch.schedule);
    drawOrder(block, *launch.schedule);
  }
  return &block;
}

uint64_t WorkerStorage::finish(Cluster *cluster) {
  uint64_t executed = 0;
  for (Block *block : cluster->blocks) {
    if (worker.observer)
      worker.observer->blockEnds(*block);
    rooms[block->storage].used = false;
    for (const Warp &warp : block->warps)
      executed += warp.executed;
  }
  cluster->blocks.clear();
  return executed;
}

/// The same for all lanes; false: it depends on the lane.
static bool uniformValue(SpecialRegister which, const Launch &launch,
                         const Block &block, const Warp &warp,
                         uint64_t &value) {
  using S = SpecialRegister;
  const LaunchShape &shape = launch.shape;
  Dim3 cluster = shape.cluster;
  uint64_t warps = block.warps.size();
  switch (which) {
  case S::Zero:
  case S::GridId:
    return value = 0, true;
  case S::ClusterCtarank:
    return value = block.rank, true;
  case S::ClusterCtaidX:
    return value = block.index.x % cluster.x, true;
  case S::ClusterCtaidY:
    return value = block.index.y % cluster.y, true;
  case S::ClusterCtaidZ:
    return value = block.index.z % cluster.z, true;
  case S::NtidX:
    return value = shape.block.x, true;
  case S::NtidY:
    return value = shape.block.y, true;
  case S::NtidZ:
    return value = shape.block.z, true;
  case S::CtaidX:
    return value = block.index.x, true;
  case S::ClusterIdX:
    return value = block.cluster->index.x, true;
  case S::CtaidY:
    return value = block.index.y, true;
  case S::ClusterIdY:
    return value = block.cluster->index.y, true;
  case S::CtaidZ:
    return value = block.index.z, true;
  case S::ClusterIdZ:
    return value = block.cluster->index.z, true;
  case S::NctaidX:
    return value = shape.grid.x, true;
  case S::NclusterIdX:
    return value = shape.grid.x / cluster.x, true;
  case S::NctaidY:
    return value = shape.grid.y, true;
  case S::NclusterIdY:
    return value = shape.grid.y / cluster.y, true;
  case S::NctaidZ:
    return value = shape.grid.z, true;
  case S::NclusterIdZ:
    return value = shape.grid.z / cluster.z, true;
  case S::WarpId:
    return value = warp.index, true;
  case S::NwarpId:
    return value = warps, true;
  case S::SmId:
    return value = block.linear % launch.multiprocessors, true;
  case S::NsmId:
    return value = launch.multiprocessors, true;
  case S::ClusterNctaidX:
    return value = cluster.x, true;
  case S::ClusterNctaidY:
    return value = cluster.y, true;
  case S::ClusterNctaidZ:
    return value = cluster.z, true;
  case S::ClusterNctarank:
    return value = uint64_t(cluster.x) * cluster.y * cluster.z, true;
  case S::Workspace:
    return value = static_cast<uint32_t>(launch.workspace), true;
  case S::WorkspaceHigh:
    return value = launch.workspace >> 32, true;
  case S::DynamicSmemSize:
    return value = shape.dynamicSharedBytes, true;
  case S::TotalSmemSize:
    return value = launch.sharedBytes, true;
  default:
    return false;
  }
}

static uint32_t laneValue(SpecialRegister which, const Launch &launch,
                          uint32_t thread) {
  using S = SpecialRegister;
  const Dim3 &size = launch.shape.block;
  uint32_t lane = thread % 32;
  switch (which) {
  case S::TidX:
    return thread % size.x;
  case S::TidY:
    return thread / size.x % size.y;
  case S::TidZ:
    return thread / size.x / size.y;
  case S::LaneId:
    return lane;
  case S::LaneMaskEq:
    return 1u << lane;
  case S::LaneMaskLt:
    return (1u << lane) - 1;
  case S::LaneMaskLe:
    return (1u << lane) - 1 + (1u << lane);
  case S::LaneMaskGe:
    return ~((1u << lane) - 1);
  case S::LaneMaskGt:
    return ~((1u << lane) - 1 + (1u << lane));
  default:
    return 0;
  }
}

void WorkerStorage::enter(Warp &warp, const Launch &launch,
                          const Block &block) {
  for (const EntryValue &entry : launch.program->entryValues) {
    if (entry.predicate) {
      warp.predicates[entry.offset] = 0;
      continue;
    }
    uint64_t value = 0;
    bool uniform = uniformValue(entry.which, launch, block, warp, value);
    if (entry.wide) {
      uint64_t *to = warp.out<uint64_t>(entry.offset);
      for (unsigned i = 0; i < 32; ++i)
        to[i] = value;
    } else {
      uint32_t *to = warp.out<uint32_t>(entry.offset);
      for (unsigned i = 0; i < 32; ++i)
        to[i] = uniform ? static_cast<uint32_t>(value)
                        : laneValue(entry.which, launch, warp.index * 32 + i);
    }
  }
}
