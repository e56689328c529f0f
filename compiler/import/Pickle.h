// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Python's pickles, as far as PyTorch's state dicts need them. A pickle is a
// program; this reader knows the few instructions and the few names that build
// tensors in dictionaries, refuses every other by name, and runs nothing.
#ifndef LLAMAC_COMPILER_IMPORT_PICKLE_H
#define LLAMAC_COMPILER_IMPORT_PICKLE_H

#include "runtime/Result.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace mlir::llama {

struct PickleValue {
  enum Kind {
    None,
    Bool,
    Int,
    Float,   // its value is not kept: nothing here needs it
    Text,    // text
    Tuple,   // items
    List,    // items
    Dict,    // items: key, value, key, value, ...
    Global,  // integer: its place in the list of those that are known
    Storage, // text: the key; integer: its elements; items: the type's Global
    Tensor   // integer: first element; items: Storage, shape, strides
  };
  Kind kind = None;
  int64_t integer = 0;
  std::string_view text; // in the pickle
  std::vector<PickleValue *> items;
};

/// The values of one pickle. They may form cycles: follow no items blindly.
struct Pickle {
  const PickleValue *root = nullptr;
  uint64_t size = 0; // bytes of the pickle: another may follow
  std::deque<PickleValue> values;
};

/// Reads the pickle at the start of `bytes`, which the result points into;
/// `name` opens messages.
llrt::Result<Pickle> parsePickle(std::string_view bytes,
                                 const std::string &name);

/// "float32" for torch.FloatStorage, ...; bytes of an element.
const char *getStorageTypeName(const PickleValue &storage);
unsigned getStorageElementBytes(const PickleValue &storage);

/// "a string", "a dictionary", ... for messages.
const char *describePickle(const PickleValue &value);

} // namespace mlir::llama

#endif
