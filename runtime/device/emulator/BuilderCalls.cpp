// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls, expanded in place: of a function, of one among those whose address is
// taken, and of the system's own (printf, assert).
#include "runtime/device/emulator/Builder.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/SystemCalls.h"

using namespace llrt::emu;

bool Builder::isActive(const FunctionDeclaration &function) const {
  for (const Frame *at = frame; at; at = at->caller)
    if (at->function == &function)
      return true;
  return false;
}

uint64_t Builder::functionAddress(std::string_view name) const {
  for (size_t i = 0; i < module.functions.size(); ++i)
    if (module.functions[i].name == name)
      return functionWindow + 16 * i;
  return 0;
}

const std::vector<bool> &Builder::addressTaken() {
  if (!taken.empty())
    return taken;
  taken.assign(module.functions.size() + 1, false);
  auto take = [&](std::string_view name) {
    for (size_t i = 0; i < module.functions.size(); ++i)
      if (module.functions[i].name == name)
        taken[i] = true;
  };
  for (const VariableDeclaration &variable : module.variables)
    for (const Initialiser &initial : variable.initial)
      take(initial.symbol);
  for (const FunctionDeclaration &function : module.functions)
    for (const Statement &statement : function.statements)
      if (statement.opcode.substr(0, 4) != "call")
        for (const Operand &operand : statement.operands)
          if (operand.kind == Operand::Function)
            take(operand.name);
  return taken;
}

/// Its parameters are as many as the call's, and as large as the prototype's.
bool Builder::fits(const FunctionDeclaration &callee, const Call &call,
                   const Statement *prototype) const {
  auto agree = [&](const std::vector<int> &formals, size_t count,
                   const Operand *sizes) {
    if (formals.size() != count || (sizes && sizes->elements.size() != count))
      return false;
    for (size_t i = 0; sizes && i < count; ++i)
      if (formals[i] >= 0 &&
          callee.variables[static_cast<size_t>(formals[i])].bytes !=
              sizes->elements[i].value)
        return false;
    return true;
  };
  bool known = prototype && prototype->operands.size() == 3;
  return agree(callee.parameters, call.argumentCount(),
               known ? &prototype->operands[2] : nullptr) &&
         agree(callee.results, call.resultCount(),
               known ? &prototype->operands[1] : nullptr);
}

void Builder::call(const Statement &statement) {
  Call call;
  size_t at = 0;
  const std::vector<Operand> &operands = statement.operands;
  if (at < operands.size() && operands[at].kind == Operand::List)
    call.results = &operands[at++];
  if (at < operands.size())
    call.target = &operands[at++];
  if (at < operands.size() && operands[at].kind == Operand::List)
    call.arguments = &operands[at++];
  if (at < operands.size())
    call.prototype = &operands[at++];
  if (!call.target || (call.target->kind != Operand::Function &&
                       call.target->kind != Operand::Register))
    throw PtxError{statement.line,
                   "call names neither a function nor a register"};
  int past = -1;
  if (statement.guard >= 0) {
    Operand guard;
    guard.kind = Operand::Register;
    guard.reg = statement.guard;
    past = newLabel();
    conditional(runConditionalBranch, virtualRegister(guard),
                !statement.guardNegated, past, statement.line);
  }
  if (call.target->kind == Operand::Register) {
    callThroughPointer(statement, call);
  } else if (!callBuiltin(statement, call)) {
    const FunctionDeclaration *callee = nullptr;
    for (const FunctionDeclaration &each : module.functions)
      if (each.name == call.target->name && each.hasBody && !each.isEntry)
        callee = &each;
    std::string name(call.target->name);
    if (!callee)
      throw PtxError{statement.line,
                     "the function '" + name + "' has no body in this module"};
    if (isActive(*callee))
      throw PtxError{statement.line,
                     "'" + name + "' is recursive, which is not emulated"};
    if (!fits(*callee, call, nullptr))
      throw PtxError{statement.line, "the call does not fit '" + name + "'"};
    expandCall(statement, call, *callee);
  }
  if (past >= 0)
    labelAt[static_cast<size_t>(past)] =
        static_cast<int64_t>(program->code.size());
}

void Builder::expandCall(const Statement &statement, const Call &call,
                         const FunctionDeclaration &callee) {
  Frame inner;
  inner.function = &callee;
  inner.depth = frame->depth + 1;
  inner.returnLabel = newLabel();
  inner.caller = frame;
  Frame *caller = frame;

  // The callee's .param variables are the caller's: the same local memory.
  inner.registers.assign(callee.registers.size(), -1);
  inner.variables.assign(callee.variables.size(), -1);
  auto bind = [&](const std::vector<int> &formals,
                  const std::vector<int> &formalRegisters,
                  const Operand *actuals, bool into) {
    for (size_t i = 0; i < formals.size(); ++i) {
      const Operand &actual = actuals->elements[i];
      if (formals[i] >= 0) {
        Space space;
        bool dynamic;
        if (actual.kind != Operand::Variable)
          throw PtxError{
              statement.line,
              "an argument in .param space has to be a .param variable"};
        int64_t address =
            variableAddress(actual, space, dynamic, statement.line);
        if (space != Space::Local)
          throw PtxError{statement.line,
                         "a kernel parameter cannot be passed on as it is"};
        inner.variables[static_cast<size_t>(formals[i])] = address;
        continue;
      }
      Operand formal;
      formal.kind = Operand::Register;
      formal.reg = formalRegisters[i] - 1;
      frame = &inner;
      int formalRegister = virtualRegister(formal);
      frame = caller;
      Type type = callee.registers[static_cast<size_t>(formal.reg)].type;
      if (type == Type::Pred)
        throw PtxError{statement.line,
                       "predicates are not passed as arguments"};
      Decoding decoding(*this, statement);
      decoding.emit(bitsOf(type) == 64 ? runMove64 : runMove32);
      if (into) {
        refer(0, formalRegister, true, false);
        decoding.use(1, actual, type);
      } else {
        decoding.def(0, actual, bitsOf(type));
        refer(1, formalRegister, false, true);
      }
    }
  };
  bind(callee.parameters, callee.parameterRegisters, call.arguments, true);
  // Results in .param space are bound before, register results copied after.
  bool inRegisters = !callee.results.empty() && callee.results[0] < 0;
  if (call.results && !inRegisters)
    bind(callee.results, callee.resultRegisters, call.results, false);
  // What the callee takes by alloca it gives back when it returns.
  bool allocates = false;
  for (const Statement &each : callee.statements)
    allocates |= each.opcode.substr(0, 6) == "alloca";
  int kept = -1;
  auto copyStack = [&](int to, int from) {
    emit(runMove32, statement.line);
    refer(0, to, true, false);
    refer(1, from, false, true);
  };
  if (allocates) {
    if (stackRegister < 0)
      stackRegister = newRegister(32);
    kept = newRegister(32);
    copyStack(kept, stackRegister);
  }
  frame = &inner;
  for (unsigned i = 0; i < callee.labels; ++i)
    inner.labels.push_back(newLabel());
  for (const Statement &each : callee.statements)
    this->statement(each);
  frame = caller;
  currentLine = statement.line;
  labelAt[static_cast<size_t>(inner.returnLabel)] =
      static_cast<int64_t>(program->code.size());
  if (allocates)
    copyStack(stackRegister, kept);
  if (call.results && inRegisters)
    bind(callee.results, callee.resultRegisters, call.results, false);
}

void Builder::callThroughPointer(const Statement &statement, const Call &call) {
  const Statement *prototype = nullptr;
  if (call.prototype && call.prototype->kind == Operand::Label)
    for (const Statement &other : frame->function->statements)
      if (!other.operands.empty() && other.opcode[0] == '.' &&
          other.operands[0].label == call.prototype->label)
        prototype = &other;
  if (!prototype)
    throw PtxError{statement.line,
                   "a call through a pointer needs a .callprototype"};
  // A table over all functions; those that it cannot call are a fault.
  int bad = newLabel(), end = newLabel();
  const std::vector<bool> &candidates = addressTaken();
  std::vector<int> labels;
  for (size_t i = 0; i < module.functions.size(); ++i) {
    const FunctionDeclaration &each = module.functions[i];
    bool may = candidates[i] && each.hasBody && !each.isEntry &&
               !isActive(each) && fits(each, call, prototype);
    labels.push_back(may ? newLabel() : bad);
  }
  Decoding decoding(*this, statement);
  int index = newRegister(32);
  decoding.emit(runFunctionIndex);
  refer(0, index, true, false);
  decoding.use(1, *call.target, Type::B64);
  decoding.emit(runJumpTable);
  refer(0, index, false, true);
  metas.back().flow = Flow::Table;
  metas.back().table = labels;
  auto place = [&](int label) {
    labelAt[static_cast<size_t>(label)] =
        static_cast<int64_t>(program->code.size());
  };
  auto leave = [&] {
    emit(runBranch, statement.line);
    metas.back().flow = Flow::Jump;
    metas.back().label = end;
  };
  for (size_t i = 0; i < labels.size(); ++i)
    if (labels[i] != bad) {
      place(labels[i]);
      expandCall(statement, call, module.functions[i]);
      leave();
    }
  place(bad);
  emit(runBadCall, statement.line);
  place(end);
  emit(runNothing, statement.line);
}

/// Functions that the driver provides.
bool Builder::callBuiltin(const Statement &statement, const Call &call) {
  std::string_view name = call.target->name;
  bool prints = name == "vprintf", fails = name == "__assertfail";
  if (!prints && !fails)
    return false;
  for (const FunctionDeclaration &each : module.functions)
    if (each.name == name && each.hasBody)
      return false;
  if (call.argumentCount() != (prints ? 2u : 5u) ||
      call.resultCount() > (prints ? 1u : 0u))
    throw PtxError{statement.line,
                   "the call does not fit '" + std::string(name) + "'"};
  auto place = [&](const Operand &operand, uint64_t bytes) {
    Space space;
    bool dynamic;
    int64_t address =
        operand.kind == Operand::Variable
            ? variableAddress(operand, space, dynamic, statement.line)
            : -1;
    if (address < 0 || space != Space::Local || operand.variable < 0 ||
        frame->function->variables[static_cast<size_t>(operand.variable)]
                .bytes != bytes)
      throw PtxError{statement.line, "the arguments of '" + std::string(name) +
                                         "' are .param variables"};
    return static_cast<uint32_t>(address);
  };
  std::vector<uint32_t> places;
  for (size_t i = 0; i < call.argumentCount(); ++i)
    places.push_back(
        place(call.arguments->elements[i], fails && i == 2 ? 4 : 8));
  if (call.resultCount())
    places.push_back(place(call.results->elements[0], 4));
  Decoding decoding(*this, statement);
  decoding.emit(prints ? runPrint : runAssertionFailure);
  for (size_t i = 0; i < places.size(); ++i)
    decoding.inst().op[i] = places[i];
  decoding.inst().imm = static_cast<int64_t>(call.resultCount());
  decoding.cachedInterval();
  return true;
}
