// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model's tensors, read piece by piece: what a checkpoint that is too large
// for memory is to the reference.
#ifndef LLAMAC_RUNTIME_REFERENCE_TENSORSOURCE_H
#define LLAMAC_RUNTIME_REFERENCE_TENSORSOURCE_H

#include "runtime/reference/Rounding.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llrt::reference {

class TensorSource {
public:
  virtual ~TensorSource() = default;
  /// Of the tensor with this Hugging Face name, [out][in] for a matrix; null
  /// where there is none.
  virtual const std::vector<int64_t> *shape(const std::string &name) const = 0;
  /// Elements [first, first + count) of a tensor that has them, whole rows, as
  /// roundTo(rounding) gives them. Several threads call it at once.
  virtual void read(const std::string &name, int64_t first, int64_t count,
                    Rounding rounding, double *values) const = 0;
};

} // namespace llrt::reference

#endif
