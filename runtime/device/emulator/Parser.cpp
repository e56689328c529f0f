// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text into a PtxModule: module level and declarations.
#include "runtime/device/emulator/Parser.h"
#include "runtime/device/emulator/FunctionParser.h"

#include <limits>

using namespace llrt::emu;

namespace {

class ModuleParser {
public:
  ModuleParser(PtxModule &module)
      : module(module), cursor(tokenize(module.text)) {}

  void run() {
    cursor.expectWord(".version", "a PTX module begins with");
    std::string version(cursor.next().text);
    module.versionMajor = static_cast<unsigned>(std::atoi(version.c_str()));
    size_t dot = version.find('.');
    if (!module.versionMajor || dot == std::string::npos)
      cursor.fail("'" + version + "' is no PTX version");
    module.versionMinor =
        static_cast<unsigned>(std::atoi(version.c_str() + dot + 1));
    bool haveTarget = false;
    while (!cursor.atEnd()) {
      const Token &token = cursor.peek();
      if (token.kind != Token::Word)
        cursor.fail("expected a directive, found '" + std::string(token.text) +
                    "'");
      if (token.text == ".target") {
        cursor.next();
        module.target = std::string(cursor.word("a target"));
        while (cursor.accept(','))
          cursor.word("a target option");
        haveTarget = true;
      } else if (token.text == ".address_size") {
        cursor.next();
        if (cursor.integer() != 64)
          cursor.fail("only .address_size 64 is emulated");
      } else if (skipDebug(cursor)) {
      } else {
        declaration();
      }
    }
    if (!haveTarget)
      cursor.fail("the module has no .target");
  }

private:
  PtxModule &module;
  TokenCursor cursor;
  std::unordered_map<std::string_view, int> moduleVariables;

  /// A variable or a function, with its linkage.
  void declaration() {
    bool external = false;
    for (;;) {
      const Token &token = cursor.peek();
      if (token.is(".extern"))
        external = true;
      else if (!token.is(".visible") && !token.is(".weak") &&
               !token.is(".common"))
        break;
      cursor.next();
    }
    const Token &token = cursor.peek();
    if (token.is(".entry") || token.is(".func")) {
      FunctionDeclaration function;
      FunctionParser(cursor, moduleVariables, function).run(external);
      // A declaration gives way to the definition of the same name.
      for (FunctionDeclaration &other : module.functions)
        if (other.name == function.name) {
          if (other.hasBody && function.hasBody)
            throw PtxError{function.line, "the function '" +
                                              std::string(function.name) +
                                              "' is already defined at line " +
                                              std::to_string(other.line)};
          if (function.hasBody)
            other = std::move(function);
          return;
        }
      module.functions.push_back(std::move(function));
      return;
    }
    if (isStateSpace(token.text)) {
      for (VariableDeclaration &variable : parseVariables(cursor, external)) {
        if (variable.space == Space::Local || variable.space == Space::Param)
          throw PtxError{
              variable.line,
              "a variable of this state space belongs inside a function"};
        moduleVariables[variable.name] =
            static_cast<int>(module.variables.size());
        module.variables.push_back(std::move(variable));
      }
      return;
    }
    cursor.fail("unknown directive '" + std::string(token.text) + "'");
  }
};

} // namespace

std::unique_ptr<PtxModule> llrt::emu::parsePtx(std::string_view text) {
  auto module = std::make_unique<PtxModule>();
  module->text = std::string(text);
  ModuleParser(*module).run();
  return module;
}

const Token &TokenCursor::next() {
  const Token &token = tokens[at];
  if (token.kind == Token::End)
    fail("the text ends in the middle of a statement");
  ++at;
  return token;
}

void TokenCursor::fail(const std::string &message) const {
  throw PtxError{tokens[at].line, message};
}

bool TokenCursor::accept(char c) {
  if (!peek().is(c))
    return false;
  ++at;
  return true;
}

void TokenCursor::expect(char c) {
  if (atEnd())
    fail(std::string("the text ends where '") + c + "' is expected");
  if (!accept(c))
    fail(std::string("expected '") + c + "', found '" +
         std::string(peek().text) + "'");
}

void TokenCursor::expectWord(std::string_view word, const char *why) {
  if (!peek().is(word))
    fail(std::string(why) + " '" + std::string(word) + "'" +
         (atEnd() ? ", but the text ends"
                  : ", found '" + std::string(peek().text) + "'"));
  ++at;
}

std::string_view TokenCursor::word(const char *what) {
  if (peek().kind != Token::Word)
    fail(atEnd() ? std::string("the text ends where ") + what + " is expected"
                 : std::string("expected ") + what + ", found '" +
                       std::string(peek().text) + "'");
  return tokens[at++].text;
}

int64_t TokenCursor::integer() {
  bool negative = accept('-');
  if (peek().kind != Token::Integer)
    fail(atEnd()
             ? "the text ends where a number is expected"
             : "expected a number, found '" + std::string(peek().text) + "'");
  int64_t value = static_cast<int64_t>(tokens[at++].value);
  return negative ? static_cast<int64_t>(0 - static_cast<uint64_t>(value))
                  : value;
}

bool llrt::emu::skipDebug(TokenCursor &cursor) {
  const Token &token = cursor.peek();
  if (token.is(".loc") || token.is(".file")) {
    // One line, no semicolon.
    unsigned line = token.line;
    while (!cursor.atEnd() && cursor.peek().line == line)
      cursor.next();
    return true;
  }
  if (token.is(".section")) {
    cursor.next();
    cursor.word("a section name");
    cursor.expect('{');
    while (!cursor.accept('}'))
      cursor.next();
    return true;
  }
  if (token.is(".pragma")) {
    cursor.next();
    while (!cursor.accept(';'))
      cursor.next();
    return true;
  }
  return false;
}

bool llrt::emu::isStateSpace(std::string_view word) {
  return word == ".global" || word == ".const" || word == ".shared" ||
         word == ".local" || word == ".param";
}

static void parseInitialiser(TokenCursor &cursor,
                             std::vector<Initialiser> &out) {
  if (cursor.accept('{')) {
    do
      parseInitialiser(cursor, out);
    while (cursor.accept(','));
    cursor.expect('}');
    return;
  }
  Initialiser value;
  bool negative = cursor.accept('-');
  const Token &token = cursor.next();
  if (token.kind == Token::Integer || token.kind == Token::Float32 ||
      token.kind == Token::Float64) {
    value.value = token.value;
    value.isFloat64 = token.kind == Token::Float64;
    if (negative)
      value.value =
          value.isFloat64 ? value.value ^ uint64_t(1) << 63 : 0 - value.value;
  } else if (token.is("generic")) {
    cursor.expect('(');
    value.symbol = cursor.word("a symbol");
    cursor.expect(')');
  } else if (token.kind == Token::Word) {
    value.symbol = token.text;
  } else {
    cursor.fail("expected an initial value, found '" + std::string(token.text) +
                "'");
  }
  if (!value.symbol.empty() && cursor.accept('+'))
    value.value = static_cast<uint64_t>(cursor.integer());
  out.push_back(value);
}

std::vector<VariableDeclaration> llrt::emu::parseVariables(TokenCursor &cursor,
                                                           bool external) {
  VariableDeclaration common;
  std::string_view space = cursor.next().text;
  common.space = space == ".global"   ? Space::Global
                 : space == ".const"  ? Space::Const
                 : space == ".shared" ? Space::Shared
                 : space == ".local"  ? Space::Local
                                      : Space::Param;
  common.external = external;
  unsigned vector = 1;
  bool aligned = false;
  for (;;) {
    std::string_view word = cursor.word("a type");
    if (word == ".align") {
      int64_t align = cursor.integer();
      if (align <= 0 || align > 65536 || (align & (align - 1)))
        cursor.fail("an alignment is a power of two up to 65536");
      common.align = static_cast<uint32_t>(align);
      aligned = true;
    } else if (word == ".v2" || word == ".v4") {
      vector = word == ".v2" ? 2 : 4;
    } else if (word == ".ptr" || word == ".attribute") {
      cursor.fail("'" + std::string(word) + "' is not expected here");
    } else {
      common.type = typeFromName(word.substr(1));
      if (word[0] != '.' || common.type == Type::None ||
          common.type == Type::Pred)
        cursor.fail("'" + std::string(word) + "' is no type of a variable");
      break;
    }
  }
  uint64_t elementBytes = bitsOf(common.type) / 8 * vector;
  if (!aligned)
    common.align = static_cast<uint32_t>(elementBytes);
  // ".param .u64 .ptr .global .align 16 name"
  if (common.space == Space::Param && cursor.peek().is(".ptr")) {
    cursor.next();
    while (cursor.peek().kind == Token::Word && cursor.peek().text[0] == '.') {
      if (cursor.next().text == ".align")
        cursor.integer();
    }
  }

  std::vector<VariableDeclaration> variables;
  do {
    VariableDeclaration variable = common;
    variable.line = cursor.peek().line;
    variable.name = cursor.word("a name");
    uint64_t count = 1;
    bool unsized = false;
    while (cursor.accept('[')) {
      if (cursor.accept(']')) {
        unsized = true;
        continue;
      }
      int64_t extent = cursor.integer();
      if (extent < 0 || (extent && count > (uint64_t(1) << 40) /
                                               static_cast<uint64_t>(extent)))
        cursor.fail("the size of '" + std::string(variable.name) +
                    "' is out of range");
      count *= static_cast<uint64_t>(extent);
      cursor.expect(']');
    }
    if (common.space != Space::Param && cursor.accept('=')) {
      parseInitialiser(cursor, variable.initial);
      if (unsized)
        count = variable.initial.size(), unsized = false;
      if (variable.initial.size() > count * vector)
        cursor.fail("'" + std::string(variable.name) +
                    "' has more initial values than elements");
    }
    variable.bytes = unsized ? 0 : count * elementBytes;
    variables.push_back(std::move(variable));
  } while (common.space != Space::Param && cursor.accept(','));
  if (common.space != Space::Param)
    cursor.expect(';');
  return variables;
}

Type llrt::emu::typeFromName(std::string_view name) {
  static const std::unordered_map<std::string_view, Type> types = {
      {"pred", Type::Pred},     {"b8", Type::B8},     {"b16", Type::B16},
      {"b32", Type::B32},       {"b64", Type::B64},   {"b128", Type::B128},
      {"u8", Type::U8},         {"u16", Type::U16},   {"u32", Type::U32},
      {"u64", Type::U64},       {"s8", Type::S8},     {"s16", Type::S16},
      {"s32", Type::S32},       {"s64", Type::S64},   {"f16", Type::F16},
      {"f16x2", Type::F16x2},   {"bf16", Type::BF16}, {"tf32", Type::TF32},
      {"bf16x2", Type::BF16x2}, {"f32", Type::F32},   {"f64", Type::F64},
      {"f32x2", Type::F32x2}};
  auto found = types.find(name);
  return found == types.end() ? Type::None : found->second;
}

unsigned llrt::emu::bitsOf(Type type) {
  switch (type) {
  case Type::None:
    return 0;
  case Type::Pred:
    return 1;
  case Type::B8:
  case Type::U8:
  case Type::S8:
    return 8;
  case Type::B16:
  case Type::U16:
  case Type::S16:
  case Type::F16:
  case Type::BF16:
    return 16;
  case Type::B32:
  case Type::U32:
  case Type::S32:
  case Type::F32:
  case Type::TF32:
  case Type::F16x2:
  case Type::BF16x2:
    return 32;
  case Type::B64:
  case Type::U64:
  case Type::S64:
  case Type::F64:
  case Type::F32x2:
    return 64;
  case Type::B128:
    return 128;
  }
  return 0;
}

bool llrt::emu::isFloat(Type type) { return type >= Type::F16; }
bool llrt::emu::isSigned(Type type) {
  return type >= Type::S8 && type <= Type::S64;
}
