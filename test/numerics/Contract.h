// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numerics contract: how far a compiled model may be from the reference.
//
// e = relative L2 error over the vocabulary of the rounding twin against the
// reference, per step; E = the mean of e over the steps. A model that is fed
// the reference's own tokens stays under 1.25 E in the mean and, at every step,
// under 3 max(E, e). Its argmax is the reference's wherever the two highest
// logits are more than 8 E rms(logits) apart. Builds in f32 have E = e = 1e-4,
// and both bounds are 1e-4.
//
// e of one step is one draw of what rounding does there: float32 sums in
// another order round a value near a tie the other way, and all that follows
// differs. At a step of a trained model that hangs on a close choice of
// attention one draw may be a tenth of another. So where a step is over,
// further twins are drawn by jitter (Model::create), the bound takes the
// largest of their e, and 98% of the steps have to hold with the twin's own e.
#ifndef LLAMAC_TEST_NUMERICS_CONTRACT_H
#define LLAMAC_TEST_NUMERICS_CONTRACT_H

#include "runtime/reference/Reference.h"

#include <string>
#include <vector>

namespace llrt::test {

using Logits = std::vector<std::vector<double>>; ///< [steps][vocab]

/// |a - b| / |b| over the vocabulary.
double relativeError(const std::vector<double> &a,
                     const std::vector<double> &b);
/// The highest, ties to the lowest id.
int32_t argmax(const std::vector<double> &logits);
/// (highest - second highest) / rms
double relativeMargin(const std::vector<double> &logits);

/// What the reference and its twin say about a sequence of steps.
struct Expectation {
  Logits reference;
  std::vector<double> twinError;  ///< e
  std::vector<double> drawnError; ///< the largest of e over all twins
  double meanTwinError = 0.0;     ///< E
  bool exact = false;             ///< an f32 build

  Expectation(Logits reference, const Logits &twin);
  /// One more draw of e.
  void addJittered(const Logits &twin);
  explicit Expectation(Logits reference); ///< f32
  /// The margin is wide enough for the argmax to be checked.
  bool covers(size_t step) const;
  size_t coveredSteps() const;
};

/// How a candidate did.
struct Verdict {
  double meanError = 0.0;
  double worstRatio = 0.0; ///< largest error of a step over its bound
  size_t steps = 0;
  size_t overOwnTwin = 0; ///< steps over 3 max(E, e) with the twin's own e
  size_t covered = 0;     ///< steps whose argmax was checked
  size_t argmaxWrong = 0; ///< of these
  double meanRatio = 0.0; ///< mean error over its bound
  size_t nonFinite = 0;   ///< steps with a NaN or an infinity
  bool holds() const {
    return meanRatio <= 1.0 && worstRatio <= 1.0 && argmaxWrong == 0 &&
           nonFinite == 0 && overOwnTwin <= 1 + steps / 50;
  }
  std::string text() const;
};
Verdict judge(const Expectation &expectation, const Logits &candidate);

/// Greedy choices of `model` after `prompt`: the tokens that are forced.
std::vector<int32_t> greedyTokens(const reference::Model &model,
                                  const std::vector<int32_t> &prompt,
                                  int64_t count);

} // namespace llrt::test

#endif
