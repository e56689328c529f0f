// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A product with a matrix that is read while it is used, by several threads.
#ifndef LLAMAC_RUNTIME_REFERENCE_STREAMEDPRODUCT_H
#define LLAMAC_RUNTIME_REFERENCE_STREAMEDPRODUCT_H

#include <cstdint>
#include <functional>
#include <vector>

namespace llrt::reference {

/// Rows [first, first + rows) of a matrix [out][in] into values [rows][in].
using ReadRows =
    std::function<void(int64_t first, int64_t rows, double *values)>;

/// x [count][in] times the matrix [out][in]: [count][out]. Each thread holds
/// half a megabyte of the matrix, or one row. Every sum has one order, so the
/// bits depend neither on `threads` nor on the processor's vectors.
std::vector<double> streamedProduct(int64_t in, int64_t out,
                                    const std::vector<double> &x, int64_t count,
                                    unsigned threads, const ReadRows &readRows);

} // namespace llrt::reference

#endif
