// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is said about warps that wait.
#include "runtime/device/emulator/Deadlock.h"
#include "runtime/device/emulator/SourceLine.h"
#include "runtime/device/emulator/check/CheckKind.h"

#include <cinttypes>

using namespace llrt;
using namespace llrt::emu;

static constexpr unsigned mostListed = 8;

static std::string hexadecimal(uint64_t value, int digits = 0) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%0*" PRIx64, digits, value);
  return text;
}

std::string llrt::emu::sourceLine(const Program &program, uint32_t line) {
  size_t at = 0;
  for (uint32_t i = 1; i < line && at != std::string::npos; ++i) {
    at = program.text->find('\n', at);
    at = at == std::string::npos ? at : at + 1;
  }
  if (at == std::string::npos)
    return "";
  std::string text =
      program.text->substr(at, program.text->find('\n', at) - at);
  for (char &c : text)
    c = c == '\t' ? ' ' : c;
  size_t begin = text.find_first_not_of(' ');
  std::string source = findSource(*program.text, line);
  return (begin == std::string::npos ? "" : ": " + text.substr(begin)) +
         (source.empty() ? "" : " (of " + source + ")");
}

std::string llrt::emu::blockName(const Block &block) {
  return "(" + std::to_string(block.index.x) + "," +
         std::to_string(block.index.y) + "," + std::to_string(block.index.z) +
         ")";
}

/// The barrier's count, as far as it is known.
static std::string arrivals(const Block &block, uint32_t number) {
  const Barrier &barrier = block.barriers[number];
  if (barrier.expected)
    return ", where " + std::to_string(barrier.arrivedWarps) + " of " +
           std::to_string(barrier.expected) + " threads have arrived";
  uint32_t threads = 0;
  for (const Warp &warp : block.warps)
    threads += static_cast<uint32_t>(__builtin_popcount(warp.live));
  return ", where " + std::to_string(barrier.arrived) + " of " +
         std::to_string(threads) + " threads have arrived";
}

static std::string polledPlace(const Block &block, const Launch &launch,
                               uint64_t address) {
  auto shared = reinterpret_cast<uint64_t>(block.shared);
  if (address - shared < launch.sharedBytes)
    return "shared address " + std::to_string(address - shared + sharedStart);
  if (address < windowBytes) // an mbarrier, by its shared address
    return "the mbarrier at shared address " + std::to_string(address);
  return "global address " + launch.memory->describe(address);
}

/// Where a split stands: at the barrier that it waits at, not behind it.
static const Inst *standsAt(const Split &split) {
  return split.state == SplitState::Barrier ? split.pc - 1 : split.pc;
}

/// What the split that runs on polls with, or "".
static std::string polls(const Block &block, const Split &split,
                         const Launch &launch) {
  std::string text;
  for (const Poll &poll : split.polls)
    text += (text.empty() ? " polls " : " and ") +
            polledPlace(block, launch, poll.address) + " (line " +
            std::to_string(poll.inst->line) + "), which stays " +
            hexadecimal(poll.value);
  return text.empty() ? " spins" : text;
}

void llrt::emu::listWaiting(const Block &block, const Launch &launch,
                            std::string &message, unsigned &listed) {
  for (const Warp &warp : block.warps)
    for (const Split &split : warp.splits) {
      if (++listed > mostListed)
        continue;
      message += std::string(message.empty() ? "" : "; ") +
                 (launch.blocks > 1 ? "block " + blockName(block) + " " : "") +
                 "warp " + std::to_string(warp.index) + " lanes " +
                 hexadecimal(split.mask, 8) + " at line " +
                 std::to_string(standsAt(split)->line);
      std::string source =
          findSource(*launch.program->text, standsAt(split)->line);
      message += source.empty() ? "" : " (of " + source + ")";
      switch (split.state) {
      case SplitState::Ready:
        message += polls(block, split, launch);
        break;
      case SplitState::Barrier:
        message += " wait at barrier " + std::to_string(split.waitsAt) +
                   arrivals(block, split.waitsAt);
        break;
      case SplitState::Mbarrier:
        message += " wait for the mbarrier at shared address " +
                   std::to_string(split.waitsAt) + " to end phase " +
                   std::to_string(split.waitsPhase);
        break;
      case SplitState::ClusterBarrier:
        message += " wait at the cluster's barrier";
        break;
      case SplitState::Converge:
        message += " wait for lanes " +
                   hexadecimal(split.needed & ~split.mask, 8) +
                   " at an aligned instruction";
        break;
      }
    }
}

std::string llrt::emu::moreWaiting(unsigned listed) {
  return listed > mostListed
             ? "; and " + std::to_string(listed - mostListed) + " more"
             : "";
}

void llrt::emu::reportDeadlock(const Block &block, const Launch &launch) {
  std::string message;
  unsigned listed = 0;
  listWaiting(block, launch, message, listed);
  const Inst *first = nullptr, *missing = nullptr;
  bool barriers = true; // nobody waits for anything else
  for (const Warp &warp : block.warps)
    for (const Split &split : warp.splits) {
      first = first ? first : standsAt(split);
      barriers &= split.state == SplitState::Barrier;
      // The lanes of one warp that miss each other at an aligned instruction.
      if (split.state == SplitState::Converge && !missing)
        missing = split.pc;
    }
  fault(missing ? missing : first, -1,
        missing    ? CheckKind::MissingLanes
        : barriers ? CheckKind::Barrier
                   : CheckKind::Deadlock,
        (missing ? "aligned instruction with missing lanes: "
                 : "deadlock: no thread of the block can go on: ") +
            message + moreWaiting(listed));
}
