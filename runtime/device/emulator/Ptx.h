// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A PTX module as the parser leaves it: names resolved, nothing interpreted.
//
// Registers, variables and labels are resolved at parse time because PTX
// scopes (`{ }` in inline assembly) shadow names; what is left of a name is an
// index into its function or module. Opcodes stay text: the decoder alone
// knows instructions.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_PTX_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_PTX_H

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace llrt::emu {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64,
  F32x2
};

/// The type that a modifier such as "f32" names, or None.
Type typeFromName(std::string_view name);
/// Bits of a value of the type; 1 for Pred, 0 for None.
unsigned bitsOf(Type type);
bool isFloat(Type type);
bool isSigned(Type type);

enum class Space : uint8_t { Generic, Global, Shared, Local, Const, Param };

/// A fault found while reading PTX. `line` counts from 1.
struct PtxError {
  unsigned line;
  std::string message;
};

/// One operand. Which fields hold depends on `kind`.
struct Operand {
  enum Kind : uint8_t {
    Register, ///< reg
    Special,  ///< name: "%tid.x"
    Integer,  ///< value
    Float32,  ///< value: the bits
    Float64,  ///< value: the bits
    Variable, ///< variable, offset: its address
    Label,    ///< label
    Function, ///< name; also a symbol that nothing declares
    Memory,   ///< elements[0]: base (Register, Integer or Variable), offset;
              ///< more elements: tensor coordinates
    Vector,   ///< elements: {a, b}
    Pair,     ///< elements: a|b
    List,     ///< elements: (a, b) of a call
    Sink      ///< _
  };
  Kind kind = Sink;
  bool negated = false; ///< !p
  int reg = -1;
  int variable = -1; ///< index into the function's variables; ~index: module's
  int label = -1;
  int64_t offset = 0;
  uint64_t value = 0;
  std::string_view name;
  std::string_view selector; ///< "b0" of a video instruction's "%r1.b0"
  std::vector<Operand> elements;
};

struct Statement {
  unsigned line = 0;
  int label = -1; ///< >= 0: this statement only places a label
  int guard = -1; ///< register, or -1
  bool guardNegated = false;
  std::string_view opcode; ///< "ld.global.v2.f32"
  std::vector<Operand> operands;
};

struct RegisterDeclaration {
  std::string name;
  Type type = Type::None;
};

/// An element of an initialiser: bits, or the address of a symbol.
struct Initialiser {
  uint64_t value = 0;
  std::string_view symbol;
  bool isFloat64 = false;
};

struct VariableDeclaration {
  std::string_view name;
  Space space = Space::Global;
  Type type = Type::None;
  uint32_t align = 1;
  uint64_t bytes = 0;
  bool external =
      false; ///< .extern: shared of unknown size, or another module's
  unsigned line = 0;
  std::vector<Initialiser> initial;
};

struct FunctionDeclaration {
  std::string_view name;
  bool isEntry = false;
  bool hasBody = false;
  unsigned line = 0;
  std::vector<int> parameters; ///< indices into variables
  std::vector<int> results;    ///< indices into variables
  /// Parameters declared as registers (`.func (.reg .b32 r) f (.reg .b32 a)`):
  /// register + 1, or 0 for one in .param space; as long as the lists above.
  std::vector<int> parameterRegisters, resultRegisters;
  std::vector<RegisterDeclaration> registers;
  std::vector<VariableDeclaration> variables;
  std::vector<Statement> statements;
  unsigned labels = 0;
  std::unordered_map<int, std::vector<int>> branchTargets; ///< label -> labels
  uint32_t maxThreads[3] = {0, 0, 0};
  uint32_t requiredThreads[3] = {0, 0, 0};
  uint32_t requiredCluster[3] = {0, 0, 0};
  uint32_t maxClusterRank = 0;
  unsigned endLine = 0;
};

struct PtxModule {
  std::string text; ///< everything above points into it
  std::string target;
  unsigned versionMajor = 0, versionMinor = 0;
  std::vector<VariableDeclaration> variables;
  std::vector<FunctionDeclaration> functions;
};

} // namespace llrt::emu

#endif
