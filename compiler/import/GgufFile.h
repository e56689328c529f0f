// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The GGUF format: metadata and tensors of one file.
#ifndef LLAMAC_COMPILER_IMPORT_GGUFFILE_H
#define LLAMAC_COMPILER_IMPORT_GGUFFILE_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// One value of the metadata. Numbers stay where they are in the file.
struct GgufValue {
  enum Type : uint32_t {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    Text,
    Array,
    U64,
    I64,
    F64
  };
  Type type = U8;                      // Array: of what `elements` has
  Type elements = U8;                  // of an Array; never Array
  uint64_t count = 1;                  // of an Array
  const uint8_t *bytes = nullptr;      // of numbers
  std::vector<std::string_view> texts; // of Text (one) or an Array of them

  bool isArray() const { return type == Array; }
  Type getElementType() const { return isArray() ? elements : type; }
  bool isInteger() const {
    Type of = getElementType();
    return of <= I32 || of == U64 || of == I64;
  }
  bool isReal() const {
    return getElementType() == F32 || getElementType() == F64;
  }
  /// Element `index` of an integer type; above the largest int64_t: that.
  int64_t getInteger(uint64_t index = 0) const;
  /// Element `index` of a real or integer type. A float32 is the decimal number
  /// of fewest digits that rounds to it, as the config it was made from said.
  double getReal(uint64_t index = 0) const;
};

struct GgufFile {
  std::map<std::string, GgufValue> metadata;
  /// By GGUF's names, with Hugging Face's order of sizes (rows first). Q8_0 is
  /// decoded row by row to f32.
  std::map<std::string, Tensor> tensors;
};

/// Reads versions 2 and 3. The result points into `bytes`; `isMapped` says that
/// these lie in a mapped file. `name` opens messages.
llrt::Result<GgufFile> parseGguf(const uint8_t *bytes, uint64_t size,
                                 const std::string &name, bool isMapped);

} // namespace mlir::llama

#endif
