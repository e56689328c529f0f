// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ptx-run gives to a kernel.
//
//   u32=5  f32=0.5  f16=0x3c00          a scalar: TYPE=VALUE
//   bytes=00ff10                        a parameter by value, as it lies in
//   memory in=f32[1024]:iota                   a buffer:
//   NAME=TYPE[COUNT][:CONTENT] in=bf16[64x32]:random:7             64 rows of
//   32 in=f32[]:@FILE                      as many as the file has
//
// CONTENT: iota (0, 1, 2, ...), random:SEED (floats in [-1, 1), whole numbers
// of all bits), zero, a value (all of them), @FILE (.npy, or raw little-endian
// bytes). Without it the buffer is uninitialised.
#ifndef LLAMAC_RUNTIME_PTXARGUMENT_H
#define LLAMAC_RUNTIME_PTXARGUMENT_H

#include "runtime/ElementType.h"

#include <vector>

namespace llrt {

struct PtxArgument {
  std::string name;                  ///< of a buffer; else ""
  const ElementType *type = nullptr; ///< null: bytes
  std::vector<uint64_t> shape;
  uint64_t count = 0; ///< of elements
  bool initialised = false;
  std::vector<uint8_t> bytes; ///< of a scalar, or a buffer's content

  bool isBuffer() const { return !name.empty(); }
  uint64_t size() const { return type ? count * type->bytes : bytes.size(); }

  static Result<PtxArgument> parse(const std::string &text);
  /// The bytes that CONTENT makes for a buffer of this type and count.
  Result<std::vector<uint8_t>> makeContent(const std::string &content) const;
};

/// Element i of a buffer's bytes.
uint64_t elementAt(const ElementType &type, const std::vector<uint8_t> &bytes,
                   uint64_t i);
/// Raw bytes, or an array of numpy's where the name ends in .npy.
Error saveBuffer(const PtxArgument &buffer, const std::vector<uint8_t> &bytes,
                 const std::string &path);

} // namespace llrt

#endif
