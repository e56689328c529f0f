// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an instruction family turns a Statement into Insts.
//
// A family registers a function per opcode root ("ld"). The function takes the
// modifiers it knows; whatever is left over is an error that names the
// modifier, so no instruction is ever half understood. It then emits one Inst
// (seldom more) and binds operands to it.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_DECODING_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_DECODING_H

#include "runtime/device/emulator/Program.h"
#include "runtime/device/emulator/Ptx.h"

#include <initializer_list>

namespace llrt::emu {

class Builder;

class Decoding {
public:
  Decoding(Builder &builder, const Statement &statement);

  const Statement &statement;
  [[noreturn]] void fail(const std::string &message) const;
  [[noreturn]] void unsupported() const; ///< this combination of modifiers

  // Modifiers, in any order; each is taken at most once.
  bool take(std::string_view modifier);
  /// The first of the list that is there, or "".
  std::string_view takeOneOf(std::initializer_list<std::string_view> modifiers);
  /// The first modifier that names a type; fails without one.
  Type takeType();
  bool hasType() const;
  /// .global, .shared{::cta,::cluster}, .local, .const, .param{::entry,::func};
  /// else Generic.
  Space takeSpace();
  /// The first modifier that is left, or "".
  std::string_view left() const;
  void noneLeft() const;

  // Operands
  size_t operands() const { return statement.operands.size(); }
  void expectOperands(size_t least, size_t most) const;
  const Operand &operand(size_t i) const;
  bool isRegister(const Operand &operand) const {
    return operand.kind == Operand::Register;
  }
  /// Bits of a register operand: 1 for a predicate; 0 for anything else.
  unsigned registerBits(const Operand &operand) const;
  /// The value of an integer operand, which has to be a constant.
  uint64_t constant(const Operand &operand) const;
  bool isConstant(const Operand &operand) const {
    return operand.kind == Operand::Integer ||
           operand.kind == Operand::Float32 || operand.kind == Operand::Float64;
  }

  // Emission. The binding functions work on the last Inst emitted; slot 8 and
  // up are Inst::extra.
  void emit(Handler handler);
  void extra(unsigned count);
  /// Sets a word of Inst::extra that is no operand.
  void setExtra(unsigned index, uint32_t value);
  Inst &inst();
  /// A register that the instruction writes, of the type's width (or wider).
  void def(unsigned slot, const Operand &operand, unsigned bits,
           bool widerAllowed = false);
  /// A register that it reads and writes.
  void defUse(unsigned slot, const Operand &operand, unsigned bits);
  void use(unsigned slot, const Operand &operand, Type type,
           bool widerAllowed = false);
  void defPredicate(unsigned slot, const Operand &operand);
  void usePredicate(unsigned slot, const Operand &operand);
  /// `[base+offset]`: the base in `slot`, the offset in Inst::imm. True when
  /// the base has 8-byte lanes.
  bool address(unsigned slot, const Operand &operand, Space space);
  /// The same with lanes of a given width, for values that memory widens or
  /// cuts.
  void defAtWidth(unsigned slot, const Operand &operand, unsigned bits,
                  unsigned lane);
  void useAtWidth(unsigned slot, const Operand &operand, Type type,
                  unsigned lane);
  /// .param of a called function is local memory; .const is global.
  Space resolveSpace(Space space, const Operand &memory);
  int64_t variableOffset(const Operand &variable);
  uint32_t parameterBytes() const;
  /// Constant lanes.
  void constantLanes(unsigned slot, uint64_t value, unsigned bits);
  /// The register that counts the bytes of the thread's stack (alloca).
  void stack(unsigned slot, bool isDef, bool isUse);
  /// Inst::aux becomes a cached interval of its own.
  void cachedInterval();
  /// The instruction may stop the split: a guard has to become a branch.
  void mayStop();

private:
  friend class Builder;
  Builder &builder;
  std::vector<std::string_view> modifiers;
  std::vector<bool> taken;
};

using DecodeFunction = void (*)(Decoding &);
using InstructionTable = std::unordered_map<std::string_view, DecodeFunction>;

// One per file of handlers.
void addIntegerInstructions(InstructionTable &table);
void addBitInstructions(InstructionTable &table);
void addFloatInstructions(InstructionTable &table);
void addFunctionInstructions(InstructionTable &table);
void addCompareInstructions(InstructionTable &table);
void addConvertInstructions(InstructionTable &table);
void addMoveInstructions(InstructionTable &table);
void addMemoryInstructions(InstructionTable &table);
void addAtomicInstructions(InstructionTable &table);
void addWarpInstructions(InstructionTable &table);
void addBarrierInstructions(InstructionTable &table);
void addAsyncInstructions(InstructionTable &table);
void addTensorInstructions(InstructionTable &table);
void addClusterInstructions(InstructionTable &table);
void addVideoInstructions(InstructionTable &table);
void addWmmaInstructions(InstructionTable &table);
void addWgmmaInstructions(InstructionTable &table);

/// Arithmetic roots that integers and floats share ("add"): the float half.
bool decodeFloatArithmetic(Decoding &d, std::string_view root, Type type);

} // namespace llrt::emu

#endif
