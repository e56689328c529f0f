// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text into kernels that can be launched.
#include "runtime/device/emulator/ModuleLoader.h"
#include "runtime/device/emulator/Builder.h"
#include "runtime/device/emulator/Parser.h"

using namespace llrt;
using namespace llrt::emu;

static const InstructionTable &instructions() {
  static const InstructionTable table = [] {
    InstructionTable result;
    addIntegerInstructions(result);
    addBitInstructions(result);
    addFloatInstructions(result);
    addFunctionInstructions(result);
    addCompareInstructions(result);
    addConvertInstructions(result);
    addMoveInstructions(result);
    addMemoryInstructions(result);
    addAtomicInstructions(result);
    addWarpInstructions(result);
    addBarrierInstructions(result);
    addAsyncInstructions(result);
    addTensorInstructions(result);
    addClusterInstructions(result);
    addVideoInstructions(result);
    addWmmaInstructions(result);
    addWgmmaInstructions(result);
    return result;
  }();
  return table;
}

/// Places .global and .const variables in one allocation and fills them in.
static uint64_t placeVariables(const PtxModule &module, std::string_view name,
                               Memory &memory, ModuleAddresses &addresses,
                               Observer *observer) {
  uint64_t bytes = 0;
  std::vector<uint64_t> offsets;
  for (const VariableDeclaration &variable : module.variables) {
    bool placed =
        variable.space == Space::Global || variable.space == Space::Const;
    if (placed && variable.external)
      throw PtxError{variable.line, "'" + std::string(variable.name) +
                                        "' is defined in no module"};
    bytes = (bytes + variable.align - 1) & ~uint64_t(variable.align - 1);
    offsets.push_back(bytes);
    if (placed)
      bytes += variable.bytes;
    if (bytes > uint64_t(1) << 40)
      throw PtxError{variable.line,
                     "the module's variables take more than 1 TB"};
  }
  addresses.variables.assign(module.variables.size(), 0);
  if (!bytes)
    return 0;
  Result<uint64_t> base =
      memory.allocate(bytes, "variables of " + std::string(name));
  if (!base)
    throw PtxError{module.variables.front().line, base.error().message()};
  // Pages come zeroed, which is what variables without initialisers hold.
  if (observer)
    observer->allocated(*memory.find(*base), true);
  for (size_t i = 0; i < offsets.size(); ++i)
    addresses.variables[i] = *base + offsets[i];
  try {
    for (size_t i = 0; i < offsets.size(); ++i) {
      const VariableDeclaration &variable = module.variables[i];
      if (variable.space != Space::Global && variable.space != Space::Const)
        continue;
      uint64_t at = addresses.variables[i];
      unsigned size = bitsOf(variable.type) / 8;
      for (const Initialiser &initial : variable.initial) {
        uint64_t value = initial.value;
        if (!initial.symbol.empty()) {
          size_t target = 0;
          while (target < module.variables.size() &&
                 module.variables[target].name != initial.symbol)
            ++target;
          size_t function = 0;
          while (function < module.functions.size() &&
                 module.functions[function].name != initial.symbol)
            ++function;
          if (target == module.variables.size() && size == 8 &&
              function < module.functions.size()) {
            value += functionWindow + 16 * function;
            std::memcpy(reinterpret_cast<void *>(at), &value, size);
            at += size;
            continue;
          }
          if (target == module.variables.size() || size != 8)
            throw PtxError{variable.line, "the initial value '" +
                                              std::string(initial.symbol) +
                                              "' is no address here"};
          value += addresses.variables[target];
        } else if (initial.isFloat64 && variable.type == Type::F32) {
          double wide;
          std::memcpy(&wide, &value, 8);
          float narrow = static_cast<float>(wide);
          uint32_t bits;
          std::memcpy(&bits, &narrow, 4);
          value = bits;
        }
        std::memcpy(reinterpret_cast<void *>(at), &value, size);
        at += size;
      }
    }
  } catch (...) {
    (void)memory.release(*base).operator bool();
    throw;
  }
  return *base;
}

Result<LoadedModule> llrt::emu::loadModule(std::string_view text,
                                           std::string_view name,
                                           Memory &memory, Observer *observer) {
  uint64_t variables = 0;
  try {
    std::unique_ptr<PtxModule> module = parsePtx(text);
    ModuleAddresses addresses;
    variables = placeVariables(*module, name, memory, addresses, observer);
    LoadedModule result;
    result.name = std::string(name);
    auto shared = std::make_shared<const std::string>(module->text);
    for (const FunctionDeclaration &function : module->functions) {
      if (!function.isEntry || !function.hasBody)
        continue;
      result.kernels.push_back(
          Builder(*module, addresses, instructions(), observer)
              .build(function));
      Program &program = *result.kernels.back();
      program.moduleName = std::string(name);
      program.text = shared;
      if (observer)
        instrument(program, *observer);
    }
    return result;
  } catch (const PtxError &error) {
    if (variables)
      (void)memory.release(variables).operator bool();
    return Error(std::string(name) + ":" + std::to_string(error.line) + ": " +
                 error.message);
  }
}
