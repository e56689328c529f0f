// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a compiled model tells positions apart: what it is called, and the table
// of cosines and sines that its kernels read.
//
// With most schemes a position has one row of the table, filled at start. The
// angles of dynamic scaling follow the length of the sequence, so there each
// row of a step has one, written before the step.
#ifndef LLAMAC_RUNTIME_POSITIONSCHEME_H
#define LLAMAC_RUNTIME_POSITIONSCHEME_H

#include "runtime/ExecutableFormat.h"
#include "runtime/View.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llrt {

/// Whether the table has a row for each row of a step.
bool rotatesByLength(const LlamacPlanHeader &plan);

/// Bytes of LLAMAC_BUFFER_ROPE for a context of `context` tokens; 0 without
/// rotation.
uint64_t rotationTableBytes(const LlamacPlanHeader &plan, uint64_t context);

/// Radians per position of each pair in a sequence of `length` tokens, from
/// `plain`, the plan's own ([head_dim/2]), into `frequencies`. As transformers'
/// _compute_dynamic_ntk_parameters: over `original` tokens the base is
/// theta * (factor * length / original - (factor - 1))^(D / (D - 2)).
void followLength(const LlamacPlanHeader &plan, View<double> plain,
                  uint64_t length, std::vector<double> &frequencies);

/// Appends the row of `position`: [pair][2], cosine and sine.
void appendRotation(const LlamacPlanHeader &plan, View<double> frequencies,
                    uint64_t position, std::vector<float> &table);

/// "rotary, theta 10000, yarn scaling x 4 of 4096 positions, cosine and sine
/// x 1.13863; each token sees 4096".
std::string describePositions(const LlamacPlanHeader &plan);

} // namespace llrt

#endif
