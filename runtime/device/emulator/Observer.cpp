// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Notes from opcodes, and the handler that tells observers.
#include "runtime/device/emulator/Observer.h"
#include "runtime/device/emulator/Program.h"

#include <algorithm>

using namespace llrt::emu;

namespace {

class Opcode {
public:
  explicit Opcode(std::string_view text) {
    for (size_t at = 0; at != std::string_view::npos;) {
      size_t dot = text.find('.', at);
      parts.push_back(
          text.substr(at, dot == std::string_view::npos ? dot : dot - at));
      at = dot == std::string_view::npos ? dot : dot + 1;
    }
  }
  std::string_view root() const { return parts[0]; }
  bool has(std::string_view part) const {
    return std::find(parts.begin() + 1, parts.end(), part) != parts.end();
  }
  Type type() const {
    for (size_t i = 1; i < parts.size(); ++i)
      if (Type type = typeFromName(parts[i]); type != Type::None)
        return type;
    return Type::None;
  }
  Space space() const {
    return has("global") ? Space::Global
           : has("shared") || has("shared::cta") || has("shared::cluster")
               ? Space::Shared
           : has("local") ? Space::Local
           : has("const") ? Space::Const
           : has("param") || has("param::func") || has("param::entry")
               ? Space::Param
               : Space::Generic;
  }
  Scope scope(Scope otherwise) const {
    return has("cta")                ? Scope::Block
           : has("cluster")          ? Scope::Cluster
           : has("gpu") || has("gl") ? Scope::Gpu
           : has("sys")              ? Scope::System
                                     : otherwise;
  }
  Order order(Order otherwise) const {
    return has("acq_rel")   ? Order::AcquireRelease
           : has("sc")      ? Order::AcquireRelease
           : has("acquire") ? Order::Acquire
           : has("release") ? Order::Release
           : has("relaxed") || has("volatile") || has("mmio") ? Order::Relaxed
           : has("weak")                                      ? Order::Weak
                                                              : otherwise;
  }

private:
  std::vector<std::string_view> parts;
};

void describeAccess(Note &note, const Opcode &opcode) {
  note.space = opcode.space();
  note.elementBytes = static_cast<uint8_t>(bitsOf(opcode.type()) / 8);
  note.elements = opcode.has("v2")   ? 2
                  : opcode.has("v4") ? 4
                  : opcode.has("v8") ? 8
                                     : 1;
  note.order = opcode.order(Order::Weak);
  note.scope =
      opcode.has("volatile") ? Scope::System : opcode.scope(Scope::System);
  note.constant = opcode.has("nc") || note.space == Space::Const;
  if (note.space == Space::Const)
    note.space = Space::Global;
}

FenceKind fenceKindOf(const Opcode &opcode) {
  if (opcode.has("proxy"))
    return opcode.has("async") || opcode.has("async::generic")
               ? FenceKind::ProxyAsync
               : FenceKind::Other;
  return opcode.has("mbarrier_init") ? FenceKind::MbarrierInit
                                     : FenceKind::Memory;
}

void describeAsync(Note &note, const Opcode &opcode,
                   const Statement &statement) {
  note.group = opcode.root() == "wgmma" ? AsyncGroup::Wgmma
               : opcode.has("bulk")     ? AsyncGroup::Bulk
                                        : AsyncGroup::Copy;
  note.readOnly = opcode.has("read");
  if (opcode.has("commit_group")) {
    note.kind = Note::AsyncCommit;
  } else if (opcode.has("wait_group") || opcode.has("wait_all")) {
    note.kind = Note::AsyncWait;
    if (!statement.operands.empty())
      note.left = static_cast<uint32_t>(statement.operands[0].value);
  } else if (opcode.root() == "wgmma") {
    note.kind = opcode.has("fence") ? Note::WgmmaFence : Note::Wgmma;
  }
}

uint32_t memoryOperands(const Statement &statement) {
  uint32_t count = 0;
  for (const Operand &operand : statement.operands)
    count += operand.kind == Operand::Memory;
  return count;
}

} // namespace

void llrt::emu::describe(Note &note, const Statement &statement) {
  Opcode opcode(statement.opcode);
  note.opcode = std::string(statement.opcode);
  std::string_view root = opcode.root();
  if (memoryOperands(statement) == 1 &&
      (root == "ld" || root == "ldu" || root == "st")) {
    // st.async and its like are asynchronous operations, told by themselves.
    if (!opcode.has("async"))
      note.kind = root == "st" ? Note::Store : Note::Load;
    describeAccess(note, opcode);
  } else if ((root == "atom" || root == "red") && !opcode.has("async")) {
    note.kind = Note::Atomic;
    describeAccess(note, opcode);
    note.order = opcode.order(Order::Relaxed);
    note.scope = opcode.scope(Scope::Gpu);
  } else if (root == "ldmatrix" || root == "stmatrix") {
    note.kind = root == "ldmatrix" ? Note::LoadMatrix : Note::StoreMatrix;
    note.meeting = Note::Whole;
    note.space = opcode.space();
    note.elementBytes = 16;
  } else if (root == "fence" || root == "membar") {
    note.kind = Note::Fence;
    note.fence = fenceKindOf(opcode);
    note.order = opcode.order(Order::AcquireRelease);
    note.scope = opcode.scope(Scope::System);
  } else if (root == "griddepcontrol") {
    note.kind = Note::Fence;
    note.fence = opcode.has("wait") ? FenceKind::GridDependency
                                    : FenceKind::GridDependents;
  } else if ((root == "bar" || root == "barrier") && opcode.has("warp")) {
    note.kind = Note::WarpSync;
    note.meeting = Note::Members;
    note.membersSlot = 0;
  } else if (root == "cp" || root == "wgmma") {
    describeAsync(note, opcode, statement);
    note.meeting = root == "wgmma" ? Note::Whole : Note::None;
  } else if (root == "mma") {
    note.meeting = Note::Whole;
  } else if (root == "shfl" || root == "vote" || root == "match" ||
             root == "redux" || root == "elect") {
    note.meeting = Note::Members;
    note.membersSlot = root == "shfl" ? 4 : 2;
  }
}

bool llrt::emu::meets(const Inst *inst, const Note &note, const Warp &warp,
                      uint32_t mask) {
  if (note.meeting == Note::None)
    return true;
  uint32_t needed = warp.live;
  if (note.meeting == Note::Members)
    needed &=
        warp.in<uint32_t>(inst->op[note.membersSlot])[__builtin_ctz(mask)];
  return (mask & needed) == needed;
}

AccessEvent llrt::emu::accessOf(const Inst *inst, const Note &note,
                                const Warp &warp, uint32_t mask) {
  AccessEvent event;
  event.mask = mask;
  bool wide = true;
  for (const Note::Register &each : note.registers)
    if (each.slot == 0 && each.isUse)
      wide = each.bits == 64;
  const uint64_t *base = warp.in<uint64_t>(inst->op[0]);
  const uint32_t *narrow = warp.in<uint32_t>(inst->op[0]);
  for (unsigned i = 0; i < 32; ++i)
    event.address[i] =
        wide ? base[i] + static_cast<uint64_t>(inst->imm)
             : narrow[i] + static_cast<uint32_t>(inst->imm); // these wrap
  if (note.kind == Note::LoadMatrix || note.kind == Note::StoreMatrix) {
    // Lanes 8m to 8m+7 name the rows of matrix m.
    uint32_t matrices = 0;
    bool loads = note.kind == Note::LoadMatrix;
    for (const Note::Register &each : note.registers)
      matrices += each.slot >= 1 && (loads ? each.isDef : each.isUse);
    event.mask = matrices >= 4 ? ~0u : (1u << matrices * 8) - 1;
  }
  return event;
}

Place llrt::emu::placeOf(Space space, uint64_t address) {
  if (space == Space::Generic) {
    if (address < sharedWindow)
      return {Space::Global, address};
    uint64_t window = address >> 56 << 56;
    return {window == sharedWindow  ? Space::Shared
            : window == localWindow ? Space::Local
                                    : Space::Param,
            address - window};
  }
  return {space, address};
}

const Inst *llrt::emu::runObserved(const Inst *inst, Warp &warp,
                                   uint32_t mask) {
  const Program &program = *warp.worker->program;
  const Note &note =
      program.notes[static_cast<size_t>(inst - program.code.data())];
  if (!meets(inst, note, warp, mask))
    return note.run(inst, warp, mask);
  Observer &observer = *warp.worker->observer;
  observer.before(inst, note, warp, mask);
  const Inst *next = note.run(inst, warp, mask);
  if (next)
    observer.after(inst, note, warp, mask);
  return next;
}

void llrt::emu::instrument(Program &program, Observer &observer) {
  for (size_t i = 0; i < program.code.size(); ++i)
    program.notes[i].run = program.code[i].run;
  observer.decoded(program);
  for (size_t i = 0; i < program.code.size(); ++i) {
    Note &note = program.notes[i];
    note.watched = observer.wants(note);
    if (note.watched)
      program.code[i].run = runObserved;
  }
}
