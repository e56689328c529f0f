// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which registers an uninitialised byte can reach, and by which rule.
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Program.h"
#include "runtime/device/emulator/check/Taint.h"

#include <string_view>

using namespace llrt::emu;

namespace {

bool has(std::string_view opcode, std::string_view part) {
  return opcode.find(part) != std::string_view::npos;
}

/// "cvt.u32.u16": both integers, no rounding, no saturation.
bool isWidthConversion(std::string_view opcode) {
  unsigned types = 0;
  for (size_t dot = opcode.find('.'); dot != std::string_view::npos;) {
    size_t next = opcode.find('.', dot + 1);
    std::string_view part = opcode.substr(
        dot + 1, next == std::string_view::npos ? next : next - dot - 1);
    Type type = typeFromName(part);
    if (type == Type::None || isFloat(type))
      return false;
    ++types;
    dot = next;
  }
  return types == 2;
}

TaintRule moveRule(const Note &note) {
  if (has(note.opcode, ".pred"))
    return TaintRule::PredicateCopy;
  for (const Note::Register &each : note.registers)
    if (each.slot == 0 && each.isUse)
      return TaintRule::Unpack;
  return TaintRule::Pack;
}

TaintRule ruleOf(const Note &note) {
  if (note.run == runGuard || note.run == runConditionalBranch ||
      note.run == runConditionalExit || note.run == runJumpTable)
    return TaintRule::Branch;
  if (note.isAccess())
    return TaintRule::Access;
  std::string_view opcode = note.opcode;
  std::string_view root = opcode.substr(0, opcode.find('.'));
  bool onPredicates = has(opcode, ".pred");
  if (note.run == runMove32 || note.run == runMove64 || root == "cvta")
    return TaintRule::Copy;
  if (root == "mov")
    return moveRule(note);
  if (root == "selp")
    return TaintRule::Select;
  if (root == "shfl")
    return TaintRule::Shuffle;
  if (root == "prmt")
    return opcode == "prmt.b32" ? TaintRule::Permute : TaintRule::Merge;
  if (root == "and")
    return onPredicates ? TaintRule::PredicateAnd : TaintRule::And;
  if (root == "or")
    return onPredicates ? TaintRule::PredicateOr : TaintRule::Or;
  if (root == "not" && onPredicates)
    return TaintRule::PredicateCopy;
  if (root == "xor" && !onPredicates)
    return TaintRule::Merge;
  if (root == "not" || root == "lop3" || root == "bfi")
    return TaintRule::Merge;
  if (root == "shl")
    return TaintRule::ShiftLeft;
  if (root == "shr")
    return TaintRule::ShiftRight;
  if (root == "bfe")
    return TaintRule::Extract;
  if (root == "cvt" && isWidthConversion(opcode))
    return TaintRule::Widen;
  if (root == "vote" || root == "match" || root == "redux")
    return TaintRule::Together;
  if (root == "mma")
    return has(opcode, ".bf16.bf16") || has(opcode, ".f16.f16.f") ||
                   has(opcode, ".tf32.tf32")
               ? TaintRule::Product
               : TaintRule::Clear;
  if (root == "wgmma")
    return TaintRule::Clear;
  return TaintRule::Compute;
}

bool bringsTaint(const Note &note) {
  return (note.kind == Note::Load && !note.constant) ||
         note.kind == Note::LoadMatrix || note.kind == Note::Atomic;
}

} // namespace

TaintPlan::TaintPlan(const Program &program)
    : registerBytes(program.registerBytes), predicates(program.predicates) {
  const std::vector<Note> &notes = program.notes;
  uint32_t count = 0;
  for (const Note &note : notes)
    for (const Note::Register &each : note.registers)
      count = std::max(count, each.reg + 1);
  std::vector<char> reachable(count, 0), ofWgmma(count, 0);
  for (const Note &note : notes)
    for (const Note::Register &each : note.registers) {
      if (bringsTaint(note) && each.isDef)
        reachable[each.reg] = 1;
      if (note.kind == Note::Wgmma && (each.isDef || each.bits == 32))
        ofWgmma[each.reg] = 1;
    }
  for (bool changed = true; changed;) {
    changed = false;
    for (const Note &note : notes) {
      if (note.isAccess())
        continue;
      bool uses = false;
      for (const Note::Register &each : note.registers)
        uses |= each.isUse && reachable[each.reg];
      if (!uses)
        continue;
      for (const Note::Register &each : note.registers)
        if (each.isDef && !reachable[each.reg])
          changed = reachable[each.reg] = 1;
    }
  }
  steps.resize(notes.size());
  touchesWgmma.assign(notes.size(), 0);
  for (size_t i = 0; i < notes.size(); ++i) {
    const Note &note = notes[i];
    Step &step = steps[i];
    for (const Note::Register &each : note.registers) {
      if (ofWgmma[each.reg] && note.kind != Note::Wgmma)
        touchesWgmma[i] = 1;
      if (!reachable[each.reg])
        continue;
      if (each.isUse)
        step.uses.push_back(each);
      if (each.isDef)
        step.defs.push_back(each);
    }
    TaintRule rule = ruleOf(note);
    bool branches = rule == TaintRule::Branch && !step.uses.empty();
    bool moves = !step.uses.empty() || !step.defs.empty();
    step.rule = rule == TaintRule::Access ? TaintRule::Access
                : rule == TaintRule::Branch
                    ? (branches ? rule : TaintRule::None)
                    : (moves ? rule : TaintRule::None);
  }
}
