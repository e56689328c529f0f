// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds one Program: expands calls in place, lays out memory, finds points of
// reconvergence, and packs registers by their live ranges.
//
// Calls are expanded because then nothing at run time knows of frames; a
// recursive kernel is refused. Registers are packed because LLVM's PTX is in
// single-assignment form: thousands of virtual registers of 128 bytes would
// not stay in the cache, the few dozen that live at once do.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_BUILDER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_BUILDER_H

#include "runtime/device/emulator/Decoding.h"

#include <map>

namespace llrt::emu {

/// Addresses of a module's .global and .const variables, by index.
struct ModuleAddresses {
  std::vector<uint64_t> variables;
};

class Builder {
public:
  /// With an observer the program carries Notes and is instrumented.
  Builder(const PtxModule &module, const ModuleAddresses &addresses,
          const InstructionTable &table, Observer *observer = nullptr);
  /// Throws PtxError.
  std::unique_ptr<Program> build(const FunctionDeclaration &kernel);

private:
  friend class Decoding;

  enum class Flow : uint8_t { Next, Jump, Branch, Table, End };
  /// What is known of an Inst beside what it keeps.
  struct Meta {
    Flow flow = Flow::Next;
    bool guarded = false; ///< its definitions do not end live ranges
    int label = -1;
    std::vector<int> table; ///< labels of a jump table
  };
  struct Reference {
    uint32_t inst;
    uint32_t slot;
    uint32_t reg;
    bool isDef, isUse;
  };
  struct VirtualRegister {
    unsigned bits; ///< 1: predicate, 32, 64
    int special = -1;
  };
  /// One expansion of a function.
  struct Frame {
    const FunctionDeclaration *function;
    std::vector<int> registers;     ///< virtual register, or -1
    std::vector<int64_t> variables; ///< address in the variable's space, or -1
    std::vector<int> labels;
    int returnLabel = -1; ///< -1: ret is exit
    const Frame *caller = nullptr;
    unsigned depth = 0;
  };
  struct BasicBlock {
    uint32_t begin, end;
    std::vector<int> successors;
    bool leavesWarp = false;
    int postDominator = -1;
  };

  const PtxModule &module;
  const ModuleAddresses &addresses;
  const InstructionTable &table;
  Observer *observer;
  std::unique_ptr<Program> program;
  std::vector<Meta> metas;
  std::vector<Reference> references;
  std::vector<VirtualRegister> registers;
  std::vector<int64_t> labelAt; ///< label -> index of Inst, -1: not placed
  std::map<std::pair<uint64_t, unsigned>, uint32_t> constantAt;
  std::vector<uint64_t> constantPool;
  std::vector<uint32_t> dynamicConstants; ///< offsets of constants that need
                                          ///< the dynamic base added
  std::vector<int64_t> moduleShared; ///< address of module-level .shared, or -1
  std::map<std::string_view, int> specialAt;
  Frame *frame = nullptr;
  bool currentMayStop = false;
  unsigned currentLine = 0;
  uint32_t sharedBytes = 0;
  std::vector<bool> taken; ///< functions whose address is
  int stackRegister = -1;  ///< bytes of the thread's stack that alloca took
  std::vector<BasicBlock> blocks;
  std::vector<int> blockOf;

  int newLabel() {
    labelAt.push_back(-1);
    return static_cast<int>(labelAt.size()) - 1;
  }
  int newRegister(unsigned bits);
  int virtualRegister(const Operand &operand);
  int specialRegister(const Operand &operand, unsigned line);
  uint32_t emit(Handler handler, unsigned line);
  void refer(unsigned slot, int reg, bool isDef, bool isUse);
  uint32_t constant(uint64_t value, unsigned bits, bool dynamicShared = false);
  /// Address of a variable; `dynamic` when it counts from the dynamic base.
  int64_t variableAddress(const Operand &operand, Space &space, bool &dynamic,
                          unsigned line);

  void expand(const FunctionDeclaration &function, Frame &frame);
  void statement(const Statement &statement);
  /// Notes for the Insts of a statement, from `from` on.
  void noteDown(const Statement &statement, size_t from);
  bool control(const Statement &statement, std::string_view root);
  void branch(const Statement &statement);
  void jumpTable(const Statement &statement);
  void call(const Statement &statement);
  /// What a call names beside the function.
  struct Call {
    const Operand *target = nullptr, *results = nullptr, *arguments = nullptr;
    const Operand *prototype = nullptr;
    size_t argumentCount() const {
      return arguments ? arguments->elements.size() : 0;
    }
    size_t resultCount() const {
      return results ? results->elements.size() : 0;
    }
  };
  void expandCall(const Statement &statement, const Call &call,
                  const FunctionDeclaration &callee);
  void callThroughPointer(const Statement &statement, const Call &call);
  bool callBuiltin(const Statement &statement, const Call &call);
  bool isActive(const FunctionDeclaration &function) const;
  bool fits(const FunctionDeclaration &callee, const Call &call,
            const Statement *prototype) const;
  const std::vector<bool> &addressTaken();
  /// Address of a function, as a program sees it; 0: there is none.
  uint64_t functionAddress(std::string_view name) const;
  void conditional(Handler handler, int predicate, bool negated, int label,
                   unsigned line);
  int label(const Operand &operand, unsigned line) const;

  void layOutParameters(const FunctionDeclaration &kernel);
  void findBlocks();
  void findPostDominators();
  void placeReconvergence();
  void assignSlots();
  void finish();
};

} // namespace llrt::emu

#endif
