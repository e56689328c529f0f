// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A decoded kernel: what a launch needs, and nothing of the text.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_PROGRAM_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_PROGRAM_H

#include "runtime/device/emulator/Observer.h"

#include <deque>
#include <memory>

namespace llrt::emu {

/// Values that a warp finds in registers when it starts.
enum class SpecialRegister : uint8_t {
  Zero, ///< a register that is read before it is written
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NclusterIdX,
  NclusterIdY,
  NclusterIdZ,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterCtarank,
  ClusterNctarank,
  Workspace,     ///< %envreg2: of a cooperative grid's sync(), low half
  WorkspaceHigh, ///< %envreg1
  DynamicSmemSize,
  TotalSmemSize
};

struct EntryValue {
  SpecialRegister which;
  uint32_t offset;        ///< of the register, in bytes
  bool wide;              ///< 8-byte lanes
  bool predicate = false; ///< Zero only: offset is the predicate's index
};

struct Parameter {
  uint32_t offset, bytes;
};

/// Constant lanes lie in whole cache lines.
struct alignas(64) ConstantLine {
  uint64_t words[8] = {};
};

struct Program {
  std::string name;
  std::string moduleName;
  std::shared_ptr<const std::string> text; ///< the module's PTX, for messages
  std::vector<Inst> code;
  std::vector<Note> notes; ///< as long as code; empty without an Observer
  std::deque<std::vector<uint32_t>> extras;         ///< Inst::extra points here
  std::deque<std::vector<const Inst *>> jumpTables; ///< of brx.idx
  std::vector<ConstantLine> constants;              ///< lanes; see Inst::op
  std::vector<EntryValue> entryValues;
  std::vector<Parameter> parameters;
  uint32_t parameterBytes = 0;
  uint32_t registerBytes = 0; ///< per warp
  uint32_t predicates = 0;    ///< per warp
  uint32_t intervals = 0;     ///< cached intervals per worker
  uint32_t staticSharedBytes = 0;
  uint32_t dynamicSharedAlign = 16;
  uint32_t localBytes = 0; ///< per thread
  uint32_t stackStart = 0; ///< in it: what alloca gives
  uint32_t maxThreads[3] = {0, 0, 0};
  uint32_t requiredThreads[3] = {0, 0, 0};
  uint32_t requiredCluster[3] = {0, 0, 0};
  uint32_t maxClusterRank = 0; ///< 0: any
};

} // namespace llrt::emu

#endif
