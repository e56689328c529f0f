// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Uninitialised memory: between memory and registers (Taint.h).
#include "runtime/device/emulator/check/Checker.h"

#include <algorithm>
#include <cstring>

using namespace llrt::emu;

void Checker::checkAddress(const Inst *inst, const Note &note, Warp &warp,
                           uint32_t mask) {
  const WarpTaint &taint = stateOf(warp.block).taint[warp.index];
  const TaintPlan::Step &step =
      plan->steps[static_cast<size_t>(inst - program->code.data())];
  for (const Note::Register &each : step.uses) {
    bool isAddress = each.slot == 0;
    if (!isAddress && note.kind != Note::Atomic)
      continue;
    uint32_t tainted = taint.taintedLanes(each, mask);
    if (!tainted)
      continue;
    uint32_t line =
        taint.computedLanes(each) & tainted ? taint.origin(each) : inst->line;
    throw Fault{withKind(std::string(isAddress ? "the address" : "an operand") +
                             " of " + lineText(inst->line) +
                             " depends on memory that nobody has written",
                         CheckKind::Uninitialised),
                line, __builtin_ctz(tainted)};
  }
}

/// Bits of `count` bytes at a host address, from one of a line's masks.
static uint64_t bitsAt(uint64_t mask, uint64_t host, unsigned count) {
  return mask >> (host & (lineBytes - 1)) & byteMask(0, count);
}

void Checker::taintLoad(const Inst *inst, const Note &note, Warp &warp,
                        uint32_t mask, const AccessEvent &event,
                        const Target *targets) {
  WarpTaint &taint = stateOf(warp.block).taint[warp.index];
  const TaintPlan::Step &step =
      plan->steps[static_cast<size_t>(inst - program->code.data())];
  uint32_t size = note.bytes();
  bool clean = true;
  for (uint32_t left = event.mask; left; left &= left - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const Target &target = targets[lane];
    const Line &line = target.region->line(target.host);
    if (line.undefined && bitsAt(line.undefined, target.host, size))
      clean = false;
  }
  if (clean) {
    if (taint.any())
      for (const Note::Register &def : step.defs)
        taint.clear(def, mask);
    return;
  }
  if (note.kind == Note::Atomic) {
    for (uint32_t left = event.mask; left; left &= left - 1) {
      unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
      const Target &target = targets[lane];
      if (bitsAt(target.region->line(target.host).undefined, target.host, size))
        throw Fault{
            withKind("atomic operation on " +
                         placeText(*target.region, target.owner, target.host) +
                         ", which nobody has written",
                     CheckKind::Uninitialised),
            inst->line, static_cast<int>(lane)};
    }
    return;
  }
  uint8_t to[32] = {};
  for (const Note::Register &def : step.defs) {
    uint32_t computed = 0, line = inst->line;
    std::memset(to, 0, sizeof to);
    for (unsigned lane = 0; lane < 32; ++lane) {
      // The lane whose address holds this lane's bytes, and where.
      unsigned source = lane, offset = (def.slot - 1) * note.elementBytes,
               count = note.elementBytes;
      unsigned parts = 1, stride = 0, sourceStep = 0;
      if (note.kind == Note::LoadMatrix) {
        unsigned matrix = (def.slot - 1) * 8;
        if (note.opcode.find(".trans") != std::string::npos) {
          source = matrix + lane % 4 * 2;
          offset = lane / 4 * 2;
          count = 2;
          parts = 2;
          sourceStep = 1;
          stride = 2;
        } else {
          source = matrix + lane / 4;
          offset = lane % 4 * 4;
          count = 4;
        }
      }
      for (unsigned part = 0; part < parts; ++part) {
        unsigned from = source + part * sourceStep;
        if (!(event.mask >> from & 1))
          continue;
        const Target &target = targets[from];
        const Line &at = target.region->line(target.host);
        uint64_t undefined = bitsAt(at.undefined, target.host + offset, count);
        to[lane] |= static_cast<uint8_t>(undefined << part * stride);
        if (bitsAt(at.computed, target.host + offset, count)) {
          computed |= 1u << lane;
          line = at.computedLine;
        }
      }
      // Loads that extend with the sign spread the top byte's.
      if (note.kind == Note::Load && note.elementBytes < 4 &&
          to[lane] >> (note.elementBytes - 1) & 1 &&
          note.opcode.find(".s") != std::string::npos)
        to[lane] |= 0x0c | (note.elementBytes == 1 ? 2 : 0);
    }
    taint.set(def, to, note.kind == Note::LoadMatrix ? mask : event.mask,
              computed, line);
  }
}

void Checker::taintStore(const Inst *inst, const Note &note, Warp &warp,
                         uint32_t mask, const AccessEvent &event,
                         const Target *targets) {
  WarpTaint &taint = stateOf(warp.block).taint[warp.index];
  const TaintPlan::Step &step =
      plan->steps[static_cast<size_t>(inst - program->code.data())];
  uint32_t size = note.bytes();
  bool tainted = false;
  if (taint.any())
    for (const Note::Register &use : step.uses)
      tainted |= use.slot && taint.taintedLanes(use, mask);
  for (uint32_t left = event.mask; left; left &= left - 1) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(left));
    const Target &target = targets[lane];
    Line &line = target.region->line(target.host);
    uint64_t bytes =
        byteMask(static_cast<unsigned>(target.host & (lineBytes - 1)), size);
    line.undefined &= ~bytes;
    line.computed &= ~bytes;
  }
  if (!tainted)
    return;
  for (const Note::Register &use : step.uses) {
    if (!use.slot)
      continue;
    uint32_t lanes = taint.taintedLanes(use, mask);
    uint32_t computed = taint.computedLanes(use);
    if (note.kind == Note::StoreMatrix) {
      // Every row of the matrix takes the taint of the lanes that hold it.
      for (; lanes; lanes &= lanes - 1) {
        unsigned lane = static_cast<unsigned>(__builtin_ctz(lanes));
        bool transposed = note.opcode.find(".trans") != std::string::npos;
        for (unsigned part = 0; part < 2; ++part) {
          unsigned row = (use.slot - 1) * 8 +
                         (transposed ? lane % 4 * 2 + part : lane / 4);
          unsigned offset = transposed ? lane / 4 * 2 : lane % 4 * 4 + part * 2;
          if (!(event.mask >> row & 1))
            continue;
          const Target &target = targets[row];
          Line &line = target.region->line(target.host);
          uint64_t bytes = byteMask(
              static_cast<unsigned>((target.host + offset) & (lineBytes - 1)),
              2);
          line.undefined |= bytes;
          line.computed |= bytes;
          line.computedLine = taint.origin(use);
        }
      }
      continue;
    }
    for (; lanes; lanes &= lanes - 1) {
      unsigned lane = static_cast<unsigned>(__builtin_ctz(lanes));
      if (!(event.mask >> lane & 1))
        continue;
      const Target &target = targets[lane];
      uint64_t bits = taint.bytes(use)[lane] & byteMask(0, note.elementBytes);
      if (!bits)
        continue;
      bool isComputed = computed >> lane & 1;
      if (isComputed && !target.owner)
        throw Fault{
            withKind("computes with memory that nobody has written, and " +
                         lineText(inst->line) + " stores the result to " +
                         placeText(*target.region, nullptr, target.host),
                     CheckKind::Uninitialised),
            taint.origin(use), static_cast<int>(lane)};
      unsigned from = static_cast<unsigned>(
          (target.host + (use.slot - 1) * note.elementBytes) & (lineBytes - 1));
      Line &line = target.region->line(target.host);
      line.undefined |= bits << from;
      if (isComputed) {
        line.computed |= bits << from;
        line.computedLine = taint.origin(use);
      }
    }
  }
}
