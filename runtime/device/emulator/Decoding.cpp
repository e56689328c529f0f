// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Modifiers and operand binding.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Builder.h"

using namespace llrt::emu;

Decoding::Decoding(Builder &builder, const Statement &statement)
    : statement(statement), builder(builder) {
  std::string_view rest = statement.opcode;
  size_t dot = rest.find('.');
  while (dot != std::string_view::npos) {
    rest = rest.substr(dot + 1);
    dot = rest.find('.');
    modifiers.push_back(rest.substr(0, dot));
  }
  taken.assign(modifiers.size(), false);
}

void Decoding::fail(const std::string &message) const {
  throw PtxError{statement.line,
                 "'" + std::string(statement.opcode) + "': " + message};
}

void Decoding::unsupported() const {
  throw PtxError{statement.line,
                 "unknown instruction '" + std::string(statement.opcode) + "'"};
}

bool Decoding::take(std::string_view modifier) {
  for (size_t i = 0; i < modifiers.size(); ++i)
    if (!taken[i] && modifiers[i] == modifier) {
      taken[i] = true;
      return true;
    }
  return false;
}

std::string_view
Decoding::takeOneOf(std::initializer_list<std::string_view> list) {
  for (size_t i = 0; i < modifiers.size(); ++i)
    for (std::string_view each : list)
      if (!taken[i] && modifiers[i] == each) {
        taken[i] = true;
        return each;
      }
  return {};
}

bool Decoding::hasType() const {
  for (size_t i = 0; i < modifiers.size(); ++i)
    if (!taken[i] && typeFromName(modifiers[i]) != Type::None)
      return true;
  return false;
}

Type Decoding::takeType() {
  for (size_t i = 0; i < modifiers.size(); ++i) {
    Type type = taken[i] ? Type::None : typeFromName(modifiers[i]);
    if (type != Type::None) {
      taken[i] = true;
      return type;
    }
  }
  fail("the type is missing");
}

Space Decoding::takeSpace() {
  if (take("global"))
    return Space::Global;
  if (!takeOneOf({"shared", "shared::cta", "shared::cluster"}).empty())
    return Space::Shared;
  if (take("local"))
    return Space::Local;
  if (take("const"))
    return Space::Const;
  if (!takeOneOf({"param", "param::entry", "param::func"}).empty())
    return Space::Param;
  return Space::Generic;
}

std::string_view Decoding::left() const {
  for (size_t i = 0; i < modifiers.size(); ++i)
    if (!taken[i])
      return modifiers[i];
  return {};
}

void Decoding::noneLeft() const {
  if (!left().empty())
    throw PtxError{statement.line,
                   "unknown instruction '" + std::string(statement.opcode) +
                       "' (modifier '." + std::string(left()) + "')"};
}

void Decoding::expectOperands(size_t least, size_t most) const {
  if (operands() < least || operands() > most)
    fail(std::to_string(operands()) + " operands, expected " +
         std::to_string(least) +
         (least == most ? "" : " to " + std::to_string(most)));
}

const Operand &Decoding::operand(size_t i) const {
  if (i >= statement.operands.size())
    fail("operand " + std::to_string(i + 1) + " is missing");
  return statement.operands[i];
}

unsigned Decoding::registerBits(const Operand &operand) const {
  if (operand.kind == Operand::Register)
    return bitsOf(
        builder.frame->function->registers[static_cast<size_t>(operand.reg)]
            .type);
  return 0;
}

uint64_t Decoding::constant(const Operand &operand) const {
  if (operand.kind != Operand::Integer)
    fail("a constant is expected");
  return operand.value;
}

void Decoding::emit(Handler handler) {
  if (!handler)
    unsupported();
  builder.emit(handler, statement.line);
}

void Decoding::extra(unsigned count) {
  builder.program->extras.emplace_back(count);
  inst().extra = builder.program->extras.back().data();
}

void Decoding::setExtra(unsigned index, uint32_t value) {
  builder.program->extras.back()[index] = value;
}

Inst &Decoding::inst() { return builder.program->code.back(); }

void Decoding::stack(unsigned slot, bool isDef, bool isUse) {
  if (builder.stackRegister < 0)
    builder.stackRegister = builder.newRegister(32);
  builder.refer(slot, builder.stackRegister, isDef, isUse);
}

void Decoding::mayStop() { builder.currentMayStop = true; }

void Decoding::cachedInterval() { inst().aux = builder.program->intervals++; }

static unsigned laneBits(unsigned bits) { return bits == 64 ? 64 : 32; }

void Decoding::def(unsigned slot, const Operand &operand, unsigned bits,
                   bool widerAllowed) {
  if (operand.kind == Operand::Sink) {
    builder.refer(slot, builder.newRegister(laneBits(bits)), true, false);
    return;
  }
  if (operand.kind != Operand::Register)
    fail("a result has to be a register");
  unsigned have = registerBits(operand);
  if (have == 1 || (widerAllowed ? have < bits : have != bits))
    fail("the result '" + std::string(operand.name) + "' has " +
         std::to_string(have) + " bits, expected " + std::to_string(bits));
  builder.refer(slot, builder.virtualRegister(operand), true, false);
}

void Decoding::defUse(unsigned slot, const Operand &operand, unsigned bits) {
  if (operand.kind != Operand::Register || registerBits(operand) != bits)
    fail("a register of " + std::to_string(bits) + " bits is expected");
  builder.refer(slot, builder.virtualRegister(operand), true, true);
}

static uint32_t *slotOf(Inst &inst, std::deque<std::vector<uint32_t>> &extras,
                        unsigned slot) {
  return slot < 8 ? &inst.op[slot] : &extras.back()[slot - 8];
}

void Decoding::constantLanes(unsigned slot, uint64_t value, unsigned bits) {
  *slotOf(inst(), builder.program->extras, slot) =
      builder.constant(value, bits);
}

void Decoding::use(unsigned slot, const Operand &operand, Type type,
                   bool widerAllowed) {
  unsigned bits = bitsOf(type);
  switch (operand.kind) {
  case Operand::Register: {
    if (operand.negated)
      fail("'!' belongs before a predicate");
    unsigned have = registerBits(operand);
    if (have == 1 || (widerAllowed ? have < bits : have != bits))
      fail("the operand '" + std::string(operand.name) + "' has " +
           std::to_string(have) + " bits, expected " + std::to_string(bits));
    builder.refer(slot, builder.virtualRegister(operand), false, true);
    return;
  }
  case Operand::Special: {
    int reg = builder.specialRegister(operand, statement.line);
    if (builder.registers[static_cast<size_t>(reg)].bits != laneBits(bits))
      fail("'" + std::string(operand.name) + "' does not have " +
           std::to_string(bits) + " bits");
    builder.refer(slot, reg, false, true);
    return;
  }
  case Operand::Integer:
    if (type == Type::F32 || type == Type::F64)
      fail("an integer constant where a float is expected");
    constantLanes(slot, operand.value, bits);
    return;
  case Operand::Float32:
    if (bits != 32)
      fail("a 32-bit float constant where " + std::to_string(bits) +
           " bits are expected");
    constantLanes(slot, operand.value, 32);
    return;
  case Operand::Float64: {
    if (bits == 64) {
      constantLanes(slot, operand.value, 64);
      return;
    }
    if (bits != 32)
      fail("a 64-bit float constant where " + std::to_string(bits) +
           " bits are expected");
    double wide;
    std::memcpy(&wide, &operand.value, 8);
    float narrow = static_cast<float>(wide);
    uint32_t value;
    std::memcpy(&value, &narrow, 4);
    constantLanes(slot, value, 32);
    return;
  }
  case Operand::Variable: {
    Space space;
    bool dynamic;
    int64_t address =
        builder.variableAddress(operand, space, dynamic, statement.line) +
        operand.offset;
    if (bits != 64 && (bits != 32 || space == Space::Global))
      fail("the address of '" + std::string(operand.name) + "' does not fit " +
           std::to_string(bits) + " bits");
    *slotOf(inst(), builder.program->extras, slot) =
        builder.constant(static_cast<uint64_t>(address), bits, dynamic);
    return;
  }
  case Operand::Function: {
    uint64_t address = builder.functionAddress(operand.name);
    if (!address)
      fail("'" + std::string(operand.name) + "' is not declared");
    if (bits != 64)
      fail("the address of a function has 64 bits");
    constantLanes(slot, address, 64);
    return;
  }
  default:
    fail("a register or a constant is expected");
  }
}

void Decoding::defAtWidth(unsigned slot, const Operand &operand, unsigned bits,
                          unsigned lane) {
  if (operand.kind == Operand::Sink)
    builder.refer(slot, builder.newRegister(lane), true, false);
  else
    def(slot, operand, bits, true);
}

void Decoding::useAtWidth(unsigned slot, const Operand &operand, Type type,
                          unsigned lane) {
  if (isConstant(operand) && bitsOf(type) < lane && lane == 64)
    constantLanes(slot, operand.value, 64);
  else
    use(slot, operand, type, true);
}

int64_t Decoding::variableOffset(const Operand &variable) {
  Space space;
  bool dynamic;
  return builder.variableAddress(variable, space, dynamic, statement.line);
}

uint32_t Decoding::parameterBytes() const {
  return builder.program->parameterBytes;
}

Space Decoding::resolveSpace(Space space, const Operand &memory) {
  if (space == Space::Const)
    return Space::Global;
  if (space != Space::Param)
    return space;
  const Operand &base = memory.elements[0];
  if (base.kind != Operand::Variable)
    return Space::Param;
  bool dynamic;
  builder.variableAddress(base, space, dynamic, statement.line);
  return space;
}

void Decoding::defPredicate(unsigned slot, const Operand &operand) {
  if (operand.kind == Operand::Sink) {
    builder.refer(slot, builder.newRegister(1), true, false);
    return;
  }
  if (operand.kind != Operand::Register || registerBits(operand) != 1)
    fail("a predicate is expected");
  builder.refer(slot, builder.virtualRegister(operand), true, false);
}

void Decoding::usePredicate(unsigned slot, const Operand &operand) {
  if (operand.kind != Operand::Register || registerBits(operand) != 1)
    fail("a predicate is expected");
  builder.refer(slot, builder.virtualRegister(operand), false, true);
}

bool Decoding::address(unsigned slot, const Operand &memory, Space space) {
  if (memory.kind != Operand::Memory || memory.elements.size() != 1)
    fail("an address in brackets is expected");
  const Operand &base = memory.elements[0];
  inst().imm = memory.offset;
  if (base.kind == Operand::Register) {
    unsigned bits = registerBits(base);
    if (bits != 64 && bits != 32)
      fail("an address register has 32 or 64 bits");
    if (bits == 32 && space != Space::Shared && space != Space::Local &&
        space != Space::Param)
      fail("a global address has 64 bits");
    use(slot, base, bits == 64 ? Type::B64 : Type::B32);
    return bits == 64;
  }
  if (base.kind == Operand::Integer) {
    constantLanes(slot, base.value, 64);
    return true;
  }
  use(slot, base, Type::B64);
  return true;
}
