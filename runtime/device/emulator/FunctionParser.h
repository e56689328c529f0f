// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One .entry or .func: parameters, directives, scopes, statements.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_FUNCTIONPARSER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_FUNCTIONPARSER_H

#include "runtime/device/emulator/Lexer.h"

namespace llrt::emu {

/// Reads tokens in order; every failure names the line it stands at.
class TokenCursor {
public:
  explicit TokenCursor(std::vector<Token> tokens) : tokens(std::move(tokens)) {}
  const Token &peek(size_t ahead = 0) const {
    return tokens[at + ahead < tokens.size() ? at + ahead : tokens.size() - 1];
  }
  bool atEnd() const { return tokens[at].kind == Token::End; }
  const Token &next();
  bool accept(char c);
  void expect(char c);
  void expectWord(std::string_view word, const char *why);
  std::string_view word(const char *what);
  int64_t integer();
  [[noreturn]] void fail(const std::string &message) const;

private:
  std::vector<Token> tokens;
  size_t at = 0;
};

/// Steps over .loc, .file, .section and .pragma. False: none stands here.
bool skipDebug(TokenCursor &cursor);
bool isStateSpace(std::string_view word);
/// ".shared .align 16 .b8 a[64], b[64];" A parameter has no semicolon.
std::vector<VariableDeclaration> parseVariables(TokenCursor &cursor,
                                                bool external);

class FunctionParser {
public:
  FunctionParser(
      TokenCursor &cursor,
      const std::unordered_map<std::string_view, int> &moduleVariables,
      FunctionDeclaration &function)
      : cursor(cursor), moduleVariables(moduleVariables), function(function) {}
  void run(bool external);

private:
  struct Scope {
    int parent;
    std::unordered_map<std::string_view, int> registers, variables, labels;
  };

  TokenCursor &cursor;
  const std::unordered_map<std::string_view, int> &moduleVariables;
  FunctionDeclaration &function;
  std::vector<Scope> scopes;
  int scope = 0;
  unsigned depth = 0;
  /// Operands that name no register or variable: labels or functions, known
  /// when the function has been read. (statement, path) would be fragile, so
  /// the operand keeps ~scope in `label` until resolve().
  void resolve(Operand &operand, unsigned line);

  void parameters(std::vector<int> &out, std::vector<int> &registers);
  bool directive();
  void body();
  void statement();
  void declareRegisters();
  void prototype(const Statement &label);
  void instruction();
  Operand operand();
  Operand name(std::string_view text);
  Operand number();
  Operand memory();
  int findRegister(std::string_view text) const;
  int declareRegister(std::string_view text, Type type);
};

} // namespace llrt::emu

#endif
