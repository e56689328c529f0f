// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One .entry or .func.
#include "runtime/device/emulator/FunctionParser.h"

using namespace llrt::emu;

static constexpr unsigned maxRegisters = 1u << 20;
static constexpr unsigned maxNesting = 64;

void FunctionParser::run(bool external) {
  function.isEntry = cursor.next().text == ".entry";
  scopes.push_back({-1, {}, {}, {}});
  if (!function.isEntry && cursor.peek().is('('))
    parameters(function.results, function.resultRegisters);
  function.line = cursor.peek().line;
  function.name = cursor.word("a function name");
  if (cursor.peek().is('('))
    parameters(function.parameters, function.parameterRegisters);
  while (directive()) {
  }
  if (cursor.accept(';'))
    return;
  if (external)
    cursor.fail("an .extern function has no body");
  cursor.expect('{');
  function.hasBody = true;
  body();
  for (Statement &statement : function.statements)
    for (Operand &operand : statement.operands)
      resolve(operand, statement.line);
}

/// The directives between a function's head and its body.
bool FunctionParser::directive() {
  const Token &token = cursor.peek();
  if (token.kind != Token::Word)
    return false;
  if (token.text == ".maxntid" || token.text == ".reqntid" ||
      token.text == ".reqnctapercluster") {
    std::string_view which = cursor.next().text;
    uint32_t extent[3] = {1, 1, 1};
    unsigned dimension = 0;
    do {
      int64_t value = cursor.integer();
      if (value <= 0 || value > 1 << 30 || dimension == 3)
        cursor.fail("bad extents of " + std::string(which));
      extent[dimension++] = static_cast<uint32_t>(value);
    } while (cursor.accept(','));
    uint32_t *to = which == ".maxntid"   ? function.maxThreads
                   : which == ".reqntid" ? function.requiredThreads
                                         : function.requiredCluster;
    for (int i = 0; i < 3; ++i)
      to[i] = extent[i];
    return true;
  }
  if (token.text == ".minnctapersm" || token.text == ".maxnreg") {
    cursor.next();
    cursor.integer();
    return true;
  }
  if (token.text == ".maxclusterrank") {
    cursor.next();
    int64_t rank = cursor.integer();
    if (rank <= 0 || rank > 1 << 16)
      cursor.fail("a bad .maxclusterrank");
    function.maxClusterRank = static_cast<uint32_t>(rank);
    return true;
  }
  if (token.text == ".abi_preserve" || token.text == ".abi_preserve_control") {
    cursor.next();
    cursor.integer();
    return true;
  }
  if (token.text == ".noreturn" || token.text == ".explicitcluster" ||
      token.text == ".blocksareclusters") {
    cursor.next();
    return true;
  }
  return skipDebug(cursor);
}

void FunctionParser::parameters(std::vector<int> &out,
                                std::vector<int> &registers) {
  cursor.expect('(');
  if (cursor.accept(')'))
    return;
  do {
    if (cursor.peek().is(".reg")) {
      cursor.next();
      std::string_view typeName = cursor.word("a type");
      Type type = typeFromName(typeName.substr(1));
      if (type == Type::None)
        cursor.fail("'" + std::string(typeName) + "' is no type of a register");
      out.push_back(-1);
      registers.push_back(declareRegister(cursor.word("a register"), type) + 1);
      continue;
    }
    if (!cursor.peek().is(".param"))
      cursor.fail("expected a parameter, found '" +
                  std::string(cursor.peek().text) + "'");
    VariableDeclaration variable = parseVariables(cursor, false).front();
    int index = static_cast<int>(function.variables.size());
    scopes[0].variables[variable.name] = index;
    function.variables.push_back(std::move(variable));
    out.push_back(index);
    registers.push_back(0);
  } while (cursor.accept(','));
  cursor.expect(')');
}

void FunctionParser::body() {
  for (;;) {
    if (cursor.atEnd())
      cursor.fail("the text ends inside the function '" +
                  std::string(function.name) + "'");
    if (cursor.peek().is('}')) {
      function.endLine = cursor.peek().line;
      cursor.next();
      if (depth == 0)
        return;
      --depth;
      scope = scopes[static_cast<size_t>(scope)].parent;
      continue;
    }
    statement();
  }
}

void FunctionParser::statement() {
  if (cursor.accept(';'))
    return;
  if (cursor.accept('{')) {
    if (++depth > maxNesting)
      cursor.fail("scopes are nested more than 64 deep");
    scopes.push_back({scope, {}, {}, {}});
    scope = static_cast<int>(scopes.size()) - 1;
    return;
  }
  const Token &token = cursor.peek();
  if (token.is('@')) {
    instruction();
    return;
  }
  if (token.kind != Token::Word)
    cursor.fail("expected an instruction, found '" + std::string(token.text) +
                "'");
  Scope &here = scopes[static_cast<size_t>(scope)];
  if (cursor.peek(1).is(':')) {
    Statement statement;
    statement.line = token.line;
    statement.label = static_cast<int>(function.labels++);
    if (!here.labels.emplace(token.text, statement.label).second)
      cursor.fail("the label '" + std::string(token.text) +
                  "' is already defined in this scope");
    cursor.next();
    cursor.next();
    if (cursor.peek().is(".branchtargets")) {
      cursor.next();
      Statement targets;
      targets.line = statement.line;
      targets.opcode = ".branchtargets";
      Operand self;
      self.kind = Operand::Label;
      self.label = statement.label;
      targets.operands.push_back(self);
      do
        targets.operands.push_back(name(cursor.word("a label")));
      while (cursor.accept(','));
      cursor.expect(';');
      function.statements.push_back(std::move(targets));
      return;
    }
    if (cursor.peek().is(".callprototype")) {
      prototype(statement);
      return;
    }
    if (cursor.peek().is(".calltargets")) {
      // Any function whose address is taken may be called.
      Statement targets = statement;
      targets.label = -1;
      targets.opcode = cursor.next().text;
      Operand self;
      self.kind = Operand::Label;
      self.label = statement.label;
      targets.operands.push_back(self);
      do
        cursor.word("a function");
      while (cursor.accept(','));
      cursor.expect(';');
      function.statements.push_back(std::move(targets));
      return;
    }
    function.statements.push_back(std::move(statement));
    return;
  }
  if (token.text[0] != '.') {
    instruction();
    return;
  }
  if (token.text == ".reg") {
    declareRegisters();
  } else if (isStateSpace(token.text) || token.text == ".extern") {
    bool external = token.text == ".extern";
    if (external)
      cursor.next();
    if (!isStateSpace(cursor.peek().text))
      cursor.fail("expected a state space after .extern");
    for (VariableDeclaration &variable : parseVariables(cursor, external)) {
      if (variable.space == Space::Param)
        cursor.expect(';');
      int index = static_cast<int>(function.variables.size());
      here.variables[variable.name] = index;
      function.variables.push_back(std::move(variable));
    }
  } else if (!skipDebug(cursor)) {
    cursor.fail("unknown directive '" + std::string(token.text) + "'");
  }
}

/// "name: .callprototype (.param .b32 _) _ (.param .b64 _);" Operands: its
/// label, then a List each of the bytes of results and parameters.
void FunctionParser::prototype(const Statement &label) {
  Statement statement;
  statement.line = label.line;
  statement.opcode = cursor.next().text;
  Operand self;
  self.kind = Operand::Label;
  self.label = label.label;
  statement.operands.push_back(self);
  auto list = [&] {
    Operand result;
    result.kind = Operand::List;
    if (cursor.accept('(') && !cursor.accept(')')) {
      do {
        Operand bytes;
        bytes.kind = Operand::Integer;
        if (cursor.peek().is(".reg")) {
          cursor.next();
          std::string_view type = cursor.word("a type");
          bytes.value = bitsOf(typeFromName(type.substr(1))) / 8;
          cursor.word("a register");
        } else if (cursor.peek().is(".param")) {
          bytes.value = parseVariables(cursor, false).front().bytes;
        } else {
          cursor.fail("expected a parameter, found '" +
                      std::string(cursor.peek().text) + "'");
        }
        result.elements.push_back(bytes);
      } while (cursor.accept(','));
      cursor.expect(')');
    }
    statement.operands.push_back(std::move(result));
  };
  list();
  cursor.word("_");
  list();
  while (cursor.peek().is(".noreturn") || cursor.peek().is(".abi_preserve") ||
         cursor.peek().is(".abi_preserve_control")) {
    cursor.next();
    if (cursor.peek().kind == Token::Integer)
      cursor.integer();
  }
  cursor.expect(';');
  function.statements.push_back(std::move(statement));
}

int FunctionParser::declareRegister(std::string_view text, Type type) {
  if (function.registers.size() >= maxRegisters)
    cursor.fail("the function declares more than 1048576 registers");
  int index = static_cast<int>(function.registers.size());
  function.registers.push_back({std::string(text), type});
  scopes[static_cast<size_t>(scope)].registers[text] = index;
  return index;
}

/// Registers of a range `%r<10>` are declared when first used, so that a large
/// range costs nothing: the scope holds the prefix with ~type.
void FunctionParser::declareRegisters() {
  cursor.next();
  std::string_view typeName = cursor.word("a type");
  if (typeName == ".v2" || typeName == ".v4")
    cursor.fail("vector registers are not emulated");
  Type type = typeFromName(typeName.substr(1));
  if (typeName[0] != '.' || type == Type::None)
    cursor.fail("'" + std::string(typeName) + "' is no type of a register");
  if (type == Type::B128)
    cursor.fail("registers of 128 bits are not emulated");
  do {
    std::string_view text = cursor.word("a register");
    if (cursor.accept('<')) {
      cursor.integer();
      cursor.expect('>');
      scopes[static_cast<size_t>(scope)].registers[text] =
          -2 - static_cast<int>(type);
    } else {
      declareRegister(text, type);
    }
  } while (cursor.accept(','));
  cursor.expect(';');
}

int FunctionParser::findRegister(std::string_view text) const {
  size_t digits = text.size();
  while (digits && text[digits - 1] >= '0' && text[digits - 1] <= '9')
    --digits;
  for (int at = scope; at >= 0; at = scopes[static_cast<size_t>(at)].parent) {
    const Scope &here = scopes[static_cast<size_t>(at)];
    auto found = here.registers.find(text);
    if (found != here.registers.end() && found->second >= 0)
      return found->second;
    // "%r12" of ".reg .b32 %r<20>": the longest prefix wins, as "%r1<9>" may
    // stand beside "%r<9>".
    for (size_t cut = digits < text.size() ? text.size() - 1 : 0;
         cut >= digits && cut > 0; --cut) {
      auto range = here.registers.find(text.substr(0, cut));
      if (range != here.registers.end() && range->second <= -2) {
        auto &self = const_cast<FunctionParser &>(*this);
        int index = static_cast<int>(function.registers.size());
        if (function.registers.size() >= maxRegisters)
          cursor.fail("the function uses more than 1048576 registers");
        function.registers.push_back(
            {std::string(text), static_cast<Type>(-2 - range->second)});
        self.scopes[static_cast<size_t>(at)].registers[text] = index;
        return index;
      }
    }
  }
  return -1;
}

void FunctionParser::instruction() {
  Statement statement;
  statement.line = cursor.peek().line;
  if (cursor.accept('@')) {
    statement.guardNegated = cursor.accept('!');
    std::string_view guard = cursor.word("a predicate");
    statement.guard = findRegister(guard);
    if (statement.guard < 0)
      cursor.fail("the predicate '" + std::string(guard) + "' is not declared");
    if (function.registers[static_cast<size_t>(statement.guard)].type !=
        Type::Pred)
      cursor.fail("'" + std::string(guard) + "' is no predicate");
  }
  statement.opcode = cursor.word("an instruction");
  if (statement.opcode[0] == '.' || statement.opcode[0] == '%')
    cursor.fail("expected an instruction, found '" +
                std::string(statement.opcode) + "'");
  if (!cursor.peek().is(';'))
    do
      statement.operands.push_back(operand());
    while (cursor.accept(','));
  cursor.expect(';');
  function.statements.push_back(std::move(statement));
}

Operand FunctionParser::name(std::string_view text) {
  Operand result;
  result.name = text;
  if (text == "_") {
    result.kind = Operand::Sink;
    return result;
  }
  int reg = findRegister(text);
  if (reg >= 0) {
    result.kind = Operand::Register;
    result.reg = reg;
    return result;
  }
  size_t dot = text.rfind('.');
  if (dot != std::string_view::npos && dot > 0 &&
      (reg = findRegister(text.substr(0, dot))) >= 0) {
    result.kind = Operand::Register;
    result.reg = reg;
    result.selector = text.substr(dot + 1);
    return result;
  }
  for (int at = scope; at >= 0; at = scopes[static_cast<size_t>(at)].parent) {
    auto found = scopes[static_cast<size_t>(at)].variables.find(text);
    if (found != scopes[static_cast<size_t>(at)].variables.end()) {
      result.kind = Operand::Variable;
      result.variable = found->second;
      return result;
    }
  }
  auto found = moduleVariables.find(text);
  if (found != moduleVariables.end()) {
    result.kind = Operand::Variable;
    result.variable = ~found->second;
    return result;
  }
  if (text[0] == '%') {
    result.kind = Operand::Special;
    return result;
  }
  if (text == "WARP_SZ") {
    result.kind = Operand::Integer;
    result.value = 32;
    return result;
  }
  result.kind = Operand::Label;
  result.label = ~scope;
  return result;
}

void FunctionParser::resolve(Operand &operand, unsigned line) {
  for (Operand &element : operand.elements)
    resolve(element, line);
  if (operand.kind != Operand::Label || operand.label >= 0)
    return;
  for (int at = ~operand.label; at >= 0;
       at = scopes[static_cast<size_t>(at)].parent) {
    auto found = scopes[static_cast<size_t>(at)].labels.find(operand.name);
    if (found != scopes[static_cast<size_t>(at)].labels.end()) {
      operand.label = found->second;
      return;
    }
  }
  operand.kind = Operand::Function;
}

Operand FunctionParser::number() {
  bool negative = cursor.accept('-');
  if (!negative)
    cursor.accept('+');
  const Token &token = cursor.next();
  Operand result;
  result.value = token.value;
  switch (token.kind) {
  case Token::Integer:
    result.kind = Operand::Integer;
    if (negative)
      result.value = 0 - result.value;
    break;
  case Token::Float32:
    result.kind = Operand::Float32;
    if (negative)
      result.value ^= 0x80000000u;
    break;
  case Token::Float64:
    result.kind = Operand::Float64;
    if (negative)
      result.value ^= uint64_t(1) << 63;
    break;
  default:
    cursor.fail("expected a number, found '" + std::string(token.text) + "'");
  }
  return result;
}

Operand FunctionParser::memory() {
  Operand result;
  result.kind = Operand::Memory;
  result.elements.push_back(operand());
  Operand &base = result.elements[0];
  if (base.kind != Operand::Register && base.kind != Operand::Variable &&
      base.kind != Operand::Integer && base.kind != Operand::Label)
    cursor.fail(
        "an address is a register, a variable or a number, plus a constant");
  if (base.kind == Operand::Label)
    cursor.fail("'" + std::string(base.name) + "' is not declared");
  result.offset = base.offset;
  base.offset = 0;
  while (cursor.accept(','))
    result.elements.push_back(operand());
  cursor.expect(']');
  return result;
}

Operand FunctionParser::operand() {
  const Token &token = cursor.peek();
  if (cursor.accept('[')) {
    if (++depth > maxNesting)
      cursor.fail("operands are nested too deep");
    Operand result = memory();
    --depth;
    return result;
  }
  if (token.is('{') || token.is('(')) {
    if (++depth > maxNesting)
      cursor.fail("operands are nested too deep");
    Operand result;
    bool vector = token.is('{');
    cursor.next();
    result.kind = vector ? Operand::Vector : Operand::List;
    if (!cursor.peek().is(vector ? '}' : ')'))
      do
        result.elements.push_back(operand());
      while (cursor.accept(','));
    cursor.expect(vector ? '}' : ')');
    --depth;
    return result;
  }
  bool negated = cursor.accept('!');
  if (cursor.peek().kind != Token::Word) {
    if (negated)
      cursor.fail("expected a predicate after '!'");
    return number();
  }
  Operand result = name(cursor.next().text);
  result.negated = negated;
  if (result.kind == Operand::Special && !cursor.peek().is(',') &&
      !cursor.peek().is(';') && !cursor.peek().is(']') &&
      !cursor.peek().is('}') && !cursor.peek().is(')') &&
      !cursor.peek().is('|'))
    cursor.fail("unexpected '" + std::string(cursor.peek().text) + "'");
  if (cursor.peek().is('+') || cursor.peek().is('-')) {
    // "[%r1+-4]", "a+16"
    bool negative = cursor.next().is('-');
    int64_t offset = cursor.integer();
    result.offset =
        negative ? static_cast<int64_t>(0 - static_cast<uint64_t>(offset))
                 : offset;
  }
  if (cursor.accept('|')) {
    Operand pair;
    pair.kind = Operand::Pair;
    pair.elements.push_back(std::move(result));
    pair.elements.push_back(name(cursor.word("a register")));
    return pair;
  }
  return result;
}
