// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expands a kernel and its calls into Insts on virtual registers.
#include "runtime/device/emulator/Builder.h"
#include "runtime/device/emulator/Control.h"

using namespace llrt::emu;

static constexpr size_t maxCode = 1u << 20;

static std::string_view rootOf(std::string_view opcode) {
  return opcode.substr(0, opcode.find('.'));
}

Builder::Builder(const PtxModule &module, const ModuleAddresses &addresses,
                 const InstructionTable &table, Observer *observer)
    : module(module), addresses(addresses), table(table), observer(observer) {}

std::unique_ptr<Program> Builder::build(const FunctionDeclaration &kernel) {
  program = std::make_unique<Program>();
  program->name = std::string(kernel.name);
  for (int i = 0; i < 3; ++i) {
    program->maxThreads[i] = kernel.maxThreads[i];
    program->requiredThreads[i] = kernel.requiredThreads[i];
    program->requiredCluster[i] = kernel.requiredCluster[i];
  }
  program->maxClusterRank = kernel.maxClusterRank;
  program->predicates = 1;
  moduleShared.assign(module.variables.size(), -1);
  layOutParameters(kernel);
  Frame top;
  top.function = &kernel;
  expand(kernel, top);
  emit(runExit, kernel.endLine);
  metas.back().flow = Flow::End;
  finish();
  return std::move(program);
}

void Builder::layOutParameters(const FunctionDeclaration &kernel) {
  uint32_t at = 0;
  for (int index : kernel.parameters) {
    if (index < 0)
      throw PtxError{kernel.line, "a kernel's parameters lie in .param space"};
    const VariableDeclaration &variable =
        kernel.variables[static_cast<size_t>(index)];
    if (variable.bytes == 0 || variable.bytes > 32764)
      throw PtxError{variable.line, "the parameter '" +
                                        std::string(variable.name) +
                                        "' has no legal size"};
    at = (at + variable.align - 1) & ~(variable.align - 1);
    program->parameters.push_back({at, static_cast<uint32_t>(variable.bytes)});
    at += static_cast<uint32_t>(variable.bytes);
    if (at > 32764)
      throw PtxError{variable.line,
                     "the kernel's parameters take more than 32764 bytes"};
  }
  program->parameterBytes = at;
}

void Builder::expand(const FunctionDeclaration &function, Frame &here) {
  Frame *caller = frame;
  frame = &here;
  here.registers.assign(function.registers.size(), -1);
  here.variables.assign(function.variables.size(), -1);
  here.labels.clear();
  for (unsigned i = 0; i < function.labels; ++i)
    here.labels.push_back(newLabel());
  for (size_t i = 0; caller == nullptr && i < function.parameters.size(); ++i)
    here.variables[static_cast<size_t>(function.parameters[i])] =
        program->parameters[i].offset;
  for (const Statement &each : function.statements)
    statement(each);
  frame = caller;
}

int Builder::newRegister(unsigned bits) {
  registers.push_back({bits, -1});
  return static_cast<int>(registers.size()) - 1;
}

int Builder::virtualRegister(const Operand &operand) {
  if (!operand.selector.empty())
    throw PtxError{currentLine, "'." + std::string(operand.selector) +
                                    "' selects no part of a register here"};
  int &known = frame->registers[static_cast<size_t>(operand.reg)];
  if (known < 0) {
    unsigned bits = bitsOf(
        frame->function->registers[static_cast<size_t>(operand.reg)].type);
    known = newRegister(bits == 1 ? 1 : bits == 64 ? 64 : 32);
  }
  return known;
}

int Builder::specialRegister(const Operand &operand, unsigned line) {
  using S = SpecialRegister;
  static const std::unordered_map<std::string_view, S> names = {
      {"%tid.x", S::TidX},
      {"%tid.y", S::TidY},
      {"%tid.z", S::TidZ},
      {"%ntid.x", S::NtidX},
      {"%ntid.y", S::NtidY},
      {"%ntid.z", S::NtidZ},
      {"%ctaid.x", S::CtaidX},
      {"%ctaid.y", S::CtaidY},
      {"%ctaid.z", S::CtaidZ},
      {"%nctaid.x", S::NctaidX},
      {"%nctaid.y", S::NctaidY},
      {"%nctaid.z", S::NctaidZ},
      {"%laneid", S::LaneId},
      {"%warpid", S::WarpId},
      {"%nwarpid", S::NwarpId},
      {"%smid", S::SmId},
      {"%nsmid", S::NsmId},
      {"%gridid", S::GridId},
      {"%lanemask_eq", S::LaneMaskEq},
      {"%lanemask_le", S::LaneMaskLe},
      {"%lanemask_lt", S::LaneMaskLt},
      {"%lanemask_ge", S::LaneMaskGe},
      {"%lanemask_gt", S::LaneMaskGt},
      {"%clusterid.x", S::ClusterIdX},
      {"%clusterid.y", S::ClusterIdY},
      {"%clusterid.z", S::ClusterIdZ},
      {"%nclusterid.x", S::NclusterIdX},
      {"%nclusterid.y", S::NclusterIdY},
      {"%nclusterid.z", S::NclusterIdZ},
      {"%cluster_ctaid.x", S::ClusterCtaidX},
      {"%cluster_ctaid.y", S::ClusterCtaidY},
      {"%cluster_ctaid.z", S::ClusterCtaidZ},
      {"%cluster_nctaid.x", S::ClusterNctaidX},
      {"%cluster_nctaid.y", S::ClusterNctaidY},
      {"%cluster_nctaid.z", S::ClusterNctaidZ},
      {"%cluster_ctarank", S::ClusterCtarank},
      {"%cluster_nctarank", S::ClusterNctarank},
      {"%envreg1", S::WorkspaceHigh},
      {"%envreg2", S::Workspace},
      {"%aggr_smem_size", S::TotalSmemSize},
      {"%dynamic_smem_size", S::DynamicSmemSize},
      {"%total_smem_size", S::TotalSmemSize}};
  auto found = names.find(operand.name);
  if (found == names.end())
    throw PtxError{
        line, "'" + std::string(operand.name) +
                  "' is not declared and no special register that is emulated"};
  auto [at, fresh] = specialAt.emplace(operand.name, -1);
  if (fresh) {
    at->second = newRegister(found->second == S::GridId ? 64 : 32);
    registers.back().special = static_cast<int>(found->second);
  }
  return at->second;
}

uint32_t Builder::emit(Handler handler, unsigned line) {
  if (program->code.size() >= maxCode)
    throw PtxError{
        line, "the kernel has more than 1048576 instructions, calls expanded"};
  Inst inst;
  inst.run = handler;
  inst.line = line;
  program->code.push_back(inst);
  metas.emplace_back();
  if (observer)
    program->notes.emplace_back();
  return static_cast<uint32_t>(program->code.size()) - 1;
}

void Builder::refer(unsigned slot, int reg, bool isDef, bool isUse) {
  references.push_back({static_cast<uint32_t>(program->code.size()) - 1, slot,
                        static_cast<uint32_t>(reg), isDef, isUse});
}

uint32_t Builder::constant(uint64_t value, unsigned bits, bool dynamicShared) {
  if (bits < 64)
    value &= (uint64_t(1) << bits) - 1;
  unsigned width = bits == 64 ? 64 : 32;
  std::pair<uint64_t, unsigned> key(value, width + dynamicShared);
  auto found = constantAt.find(key);
  if (found != constantAt.end())
    return found->second;
  std::vector<uint64_t> &pool = constantPool;
  uint32_t offset = static_cast<uint32_t>(pool.size() * 8);
  if (width == 64)
    pool.insert(pool.end(), 32, value);
  else
    pool.insert(pool.end(), 16, value << 32 | (value & 0xffffffffu));
  if (dynamicShared)
    dynamicConstants.push_back(offset | (width == 64));
  constantAt.emplace(key, offset + 1);
  return offset + 1;
}

int64_t Builder::variableAddress(const Operand &operand, Space &space,
                                 bool &dynamic, unsigned line) {
  bool isModules = operand.variable < 0;
  size_t index =
      static_cast<size_t>(isModules ? ~operand.variable : operand.variable);
  const VariableDeclaration &variable =
      isModules ? module.variables[index] : frame->function->variables[index];
  space = variable.space;
  dynamic = false;
  if (variable.space == Space::Global || variable.space == Space::Const) {
    space = Space::Global;
    if (!isModules)
      throw PtxError{
          line, "'" + std::string(variable.name) +
                    "': .global and .const variables belong to the module"};
    return static_cast<int64_t>(addresses.variables[index]);
  }
  if (variable.space == Space::Shared) {
    if (variable.bytes == 0) {
      dynamic = true;
      program->dynamicSharedAlign =
          std::max(program->dynamicSharedAlign, variable.align);
      return 0;
    }
    int64_t &at = isModules ? moduleShared[index] : frame->variables[index];
    if (at < 0) {
      sharedBytes = (sharedBytes + variable.align - 1) & ~(variable.align - 1);
      at = sharedStart + sharedBytes;
      if (variable.bytes > (1u << 24) - sharedBytes)
        throw PtxError{line, "shared variables take more than 16 MB"};
      sharedBytes += static_cast<uint32_t>(variable.bytes);
    }
    return at;
  }
  int64_t &at = frame->variables[index];
  if (variable.space == Space::Param && !frame->depth && at >= 0) {
    for (int parameter : frame->function->parameters)
      if (parameter == operand.variable)
        return at;
  }
  space = Space::Local;
  if (at < 0) {
    program->localBytes =
        (program->localBytes + variable.align - 1) & ~(variable.align - 1);
    at = program->localBytes;
    if (variable.bytes > (1u << 24) - program->localBytes)
      throw PtxError{line, "local variables take more than 16 MB a thread"};
    program->localBytes += static_cast<uint32_t>(variable.bytes);
  }
  return at;
}

int Builder::label(const Operand &operand, unsigned line) const {
  if (operand.kind == Operand::Label)
    return frame->labels[static_cast<size_t>(operand.label)];
  throw PtxError{line, operand.name.empty()
                           ? "expected a label"
                           : "the label '" + std::string(operand.name) +
                                 "' is not defined"};
}

void Builder::statement(const Statement &statement) {
  currentLine = statement.line;
  if (statement.label >= 0) {
    labelAt[static_cast<size_t>(
        frame->labels[static_cast<size_t>(statement.label)])] =
        static_cast<int64_t>(program->code.size());
    return;
  }
  if (statement.opcode[0] == '.') // .branchtargets, .callprototype
    return;
  std::string_view root = rootOf(statement.opcode);
  size_t before = program->notes.size();
  if (control(statement, root)) {
    // A call's body has opcodes of its own.
    for (size_t i = before; root != "call" && i < program->notes.size(); ++i)
      program->notes[i].opcode = std::string(statement.opcode);
    return;
  }
  auto found = table.find(root);
  if (found == table.end())
    throw PtxError{statement.line, "unknown instruction '" +
                                       std::string(statement.opcode) + "'"};

  size_t guard = program->code.size();
  int predicate = -1;
  if (statement.guard >= 0) {
    Operand operand;
    operand.kind = Operand::Register;
    operand.reg = statement.guard;
    predicate = virtualRegister(operand);
    emit(runGuard, statement.line);
    program->code.back().aux = statement.guardNegated;
    refer(0, predicate, false, true);
  }
  currentMayStop = false;
  Decoding decoding(*this, statement);
  found->second(decoding);
  decoding.noneLeft();
  if (observer)
    noteDown(statement, guard + (statement.guard >= 0));
  if (statement.guard < 0)
    return;
  for (size_t i = guard + 1; i < metas.size(); ++i)
    metas[i].guarded = true;
  if (!currentMayStop && program->code.size() == guard + 2)
    return;
  // "@p x" becomes "@!p bra past; x; past:".
  program->code[guard].run = runConditionalBranch;
  program->code[guard].aux ^= 1;
  metas[guard].flow = Flow::Branch;
  metas[guard].label = newLabel();
  labelAt.back() = static_cast<int64_t>(program->code.size());
}

void Builder::noteDown(const Statement &statement, size_t from) {
  for (size_t i = from; i < program->notes.size(); ++i)
    program->notes[i].opcode = std::string(statement.opcode);
  if (from >= program->notes.size())
    return;
  // Of several, the last does what the opcode says.
  Note &note = program->notes.back();
  describe(note, statement);
  if (note.isAccess() && note.bytes() == 32 && note.elements > 1) {
    // Two accesses of half the vector each.
    note.elements /= 2;
    if (program->notes.size() >= from + 2)
      program->notes[program->notes.size() - 2] = note;
  }
  if (!note.isAccess() || note.space != Space::Param)
    return;
  // A callee's parameters lie in local memory; the kernel's are no memory.
  note.kind = Note::Plain;
  for (const Operand &operand : statement.operands) {
    if (operand.kind != Operand::Memory ||
        operand.elements[0].kind != Operand::Variable)
      continue;
    bool dynamic;
    variableAddress(operand.elements[0], note.space, dynamic, statement.line);
    if (note.space == Space::Local)
      note.kind = rootOf(statement.opcode) == "st" ? Note::Store : Note::Load;
  }
}

void Builder::conditional(Handler handler, int predicate, bool negated,
                          int label, unsigned line) {
  emit(handler, line);
  program->code.back().aux = negated;
  refer(0, predicate, false, true);
  if (label >= 0) {
    metas.back().flow = Flow::Branch;
    metas.back().label = label;
  }
}

void Builder::branch(const Statement &statement) {
  if (statement.operands.size() != 1)
    throw PtxError{statement.line, "bra takes one label"};
  int to = label(statement.operands[0], statement.line);
  if (statement.guard < 0) {
    emit(runBranch, statement.line);
    metas.back().flow = Flow::Jump;
    metas.back().label = to;
    return;
  }
  Operand guard;
  guard.kind = Operand::Register;
  guard.reg = statement.guard;
  conditional(runConditionalBranch, virtualRegister(guard),
              statement.guardNegated, to, statement.line);
}

void Builder::jumpTable(const Statement &statement) {
  if (statement.guard >= 0 || statement.operands.size() != 2)
    throw PtxError{
        statement.line,
        "brx.idx takes an index and a list of targets, and no guard here"};
  int list = statement.operands[1].kind == Operand::Label
                 ? statement.operands[1].label
                 : -1;
  const Statement *targets = nullptr;
  for (const Statement &other : frame->function->statements)
    if (other.opcode == ".branchtargets" && other.operands[0].label == list)
      targets = &other;
  if (!targets)
    throw PtxError{statement.line,
                   "brx.idx: the list of targets is not defined"};
  Decoding decoding(*this, statement);
  decoding.take("idx");
  decoding.take("uni");
  decoding.noneLeft();
  decoding.emit(runJumpTable);
  decoding.use(0, statement.operands[0], Type::U32);
  metas.back().flow = Flow::Table;
  for (size_t i = 1; i < targets->operands.size(); ++i)
    metas.back().table.push_back(label(targets->operands[i], targets->line));
}

bool Builder::control(const Statement &statement, std::string_view root) {
  auto modifiers = [&](std::initializer_list<std::string_view> known) {
    Decoding decoding(*this, statement);
    for (std::string_view each : known)
      decoding.take(each);
    decoding.noneLeft();
  };
  if (root == "bra") {
    modifiers({"uni"});
    branch(statement);
    return true;
  }
  if (root == "brx") {
    jumpTable(statement);
    return true;
  }
  if (root == "call") {
    modifiers({"uni"});
    call(statement);
    return true;
  }
  if (root != "ret" && root != "exit" && root != "trap" && root != "brkpt")
    return false;
  modifiers({"uni"});
  bool toCaller = root == "ret" && frame->returnLabel >= 0;
  Handler whole = root == "trap"    ? runTrap
                  : root == "brkpt" ? runBreakpoint
                  : toCaller        ? runBranch
                                    : runExit;
  if (statement.guard < 0) {
    emit(whole, statement.line);
    metas.back().flow = toCaller ? Flow::Jump : Flow::End;
    metas.back().label = toCaller ? frame->returnLabel : -1;
    return true;
  }
  Operand guard;
  guard.kind = Operand::Register;
  guard.reg = statement.guard;
  int predicate = virtualRegister(guard);
  if (toCaller) {
    conditional(runConditionalBranch, predicate, statement.guardNegated,
                frame->returnLabel, statement.line);
  } else if (root == "trap" || root == "brkpt") {
    conditional(runGuard, predicate, statement.guardNegated, -1,
                statement.line);
    emit(whole, statement.line);
  } else {
    conditional(runConditionalExit, predicate, statement.guardNegated, -1,
                statement.line);
  }
  return true;
}
