// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The numerics contract: how far a compiled model may be from the reference.
#include "test/numerics/Contract.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>

namespace llrt::test {

double relativeError(const std::vector<double> &a,
                     const std::vector<double> &b) {
  assert(a.size() == b.size());
  double difference = 0.0, size = 0.0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

int32_t argmax(const std::vector<double> &logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) -
                              logits.begin());
}

double relativeMargin(const std::vector<double> &logits) {
  double first = -INFINITY, second = -INFINITY, squares = 0.0;
  for (double value : logits) {
    squares += value * value;
    if (value > first) {
      second = first;
      first = value;
    } else if (value > second) {
      second = value;
    }
  }
  return (first - second) /
         std::sqrt(squares / static_cast<double>(logits.size()));
}

Expectation::Expectation(Logits logits, const Logits &twin)
    : reference(std::move(logits)) {
  for (size_t step = 0; step < reference.size(); ++step) {
    twinError.push_back(relativeError(twin[step], reference[step]));
    meanTwinError += twinError.back() / static_cast<double>(reference.size());
  }
  drawnError = twinError;
}

void Expectation::addJittered(const Logits &twin) {
  for (size_t step = 0; step < reference.size(); ++step)
    drawnError[step] =
        std::max(drawnError[step], relativeError(twin[step], reference[step]));
}

Expectation::Expectation(Logits logits)
    : reference(std::move(logits)), meanTwinError(1e-4), exact(true) {
  twinError.assign(reference.size(), 1e-4);
  drawnError = twinError;
}

bool Expectation::covers(size_t step) const {
  return relativeMargin(reference[step]) > 8 * meanTwinError;
}

size_t Expectation::coveredSteps() const {
  size_t count = 0;
  for (size_t step = 0; step < reference.size(); ++step)
    count += covers(step);
  return count;
}

Verdict judge(const Expectation &expectation, const Logits &candidate) {
  Verdict verdict;
  const double E = expectation.meanTwinError;
  const size_t steps = expectation.reference.size();
  assert(candidate.size() == steps);
  verdict.steps = steps;
  for (size_t step = 0; step < steps; ++step) {
    const double error =
        relativeError(candidate[step], expectation.reference[step]);
    if (!std::isfinite(error)) {
      ++verdict.nonFinite;
      continue;
    }
    const double bound =
        expectation.exact ? E : 3 * std::max(E, expectation.drawnError[step]);
    verdict.overOwnTwin += !expectation.exact &&
                           error > 3 * std::max(E, expectation.twinError[step]);
    verdict.meanError += error / static_cast<double>(steps);
    verdict.worstRatio = std::max(verdict.worstRatio, error / bound);
    if (expectation.covers(step)) {
      ++verdict.covered;
      verdict.argmaxWrong +=
          argmax(candidate[step]) != argmax(expectation.reference[step]);
    }
  }
  verdict.meanRatio = verdict.meanError / (expectation.exact ? E : 1.25 * E);
  return verdict;
}

std::string Verdict::text() const {
  char line[160];
  std::snprintf(line, sizeof(line),
                "mean %.3g (%.2f of its bound), worst step %.2f of its bound, "
                "argmax wrong %zu of %zu",
                meanError, meanRatio, worstRatio, argmaxWrong, covered);
  std::string result = line;
  if (overOwnTwin)
    result += ", " + std::to_string(overOwnTwin) + " of " +
              std::to_string(steps) + " steps over the twin's own e";
  if (nonFinite)
    result += ", NaN or infinite in " + std::to_string(nonFinite) + " steps";
  return result;
}

std::vector<int32_t> greedyTokens(const reference::Model &model,
                                  const std::vector<int32_t> &prompt,
                                  int64_t count) {
  std::vector<int32_t> tokens;
  reference::Sequence sequence = model.sequence();
  std::vector<int32_t> next = prompt;
  while (static_cast<int64_t>(tokens.size()) < count) {
    next = {argmax(model.run(sequence, next, reference::Rows::Last)[0])};
    tokens.push_back(next[0]);
  }
  return tokens;
}

} // namespace llrt::test
