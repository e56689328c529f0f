// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The judge of the numerics contract holds each of its bounds.
#include "test/numerics/Contract.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace llrt::test;

namespace {
/// Two steps of three logits; the twin is off by 1% in the first and 3% in the
/// second, so E is 2%.
const Logits exact = {{3.0, 0.0, 4.0}, {5.0, 0.0, 0.0}};
Logits off(double first, double second) {
  return {{3.0, 5 * first, 4.0}, {5.0, 5 * second, 0.0}};
}
const Expectation expectation(exact, off(0.01, 0.03));
} // namespace

TEST(Judge, MeasuresTheTwin) {
  EXPECT_NEAR(expectation.meanTwinError, 0.02, 1e-12);
  EXPECT_NEAR(expectation.twinError[1], 0.03, 1e-12);
  EXPECT_EQ(argmax({1.0, 7.0, 7.0}), 1); // ties to the lowest id
  EXPECT_NEAR(relativeMargin(exact[0]), 1.0 / std::sqrt(25.0 / 3), 1e-12);
}

TEST(Judge, AcceptsTheTwinItself) {
  const Verdict verdict = judge(expectation, off(0.01, 0.03));
  EXPECT_TRUE(verdict.holds()) << verdict.text();
  EXPECT_EQ(verdict.covered, 2u);
}

TEST(Judge, HoldsTheMean) {
  EXPECT_TRUE(judge(expectation, off(0.024, 0.024)).holds());
  EXPECT_FALSE(judge(expectation, off(0.026, 0.026)).holds()); // 1.3 E
}

TEST(Judge, HoldsEveryStep) {
  // 0.001 and 0.045: the mean is 1.15 E; the bound of step 0 is 3 E = 0.06, of
  // step 1 it is 0.09.
  EXPECT_TRUE(judge(expectation, off(0.001, 0.045)).holds());
  const Expectation even(exact, off(0.02, 0.02));
  Logits many = exact, manyTwin = off(0.02, 0.02), candidate = off(0.0, 0.07);
  for (int i = 0; i < 4; ++i) {
    many.push_back(exact[0]);
    manyTwin.push_back(off(0.02, 0.02)[0]);
    candidate.push_back(exact[0]);
  }
  const Verdict verdict = judge(Expectation(many, manyTwin), candidate);
  EXPECT_LT(verdict.meanRatio, 1.0);
  EXPECT_GT(verdict.worstRatio, 1.0); // 0.07 is over 3 E
  EXPECT_FALSE(verdict.holds());
}

TEST(Judge, HoldsTheArgmaxWhereItIsClear) {
  // Far enough apart for 8 E: a swap is seen whatever its size.
  const Logits close = {{1.0, 0.0, 0.99}, {5.0, 0.0, 0.0}};
  Logits twin = close;
  twin[1][1] = 0.01; // E is 0.1%, so step 0 is covered: 0.01 > 8 E rms
  const Expectation clear(close, twin);
  EXPECT_TRUE(clear.covers(0));
  Logits swapped = {{0.9995, 0.0, 0.9996}, {5.0, 0.0, 0.0}};
  EXPECT_EQ(judge(clear, swapped).argmaxWrong, 1u);
  twin[1][1] = 0.02;
  EXPECT_FALSE(Expectation(close, twin).covers(0));
}

TEST(Judge, HoldsFloat32) {
  const Expectation f32(exact);
  EXPECT_TRUE(judge(f32, off(0.9e-4, 0.9e-4)).holds());
  EXPECT_FALSE(judge(f32, off(0.1e-4, 1.1e-4)).holds());
}

TEST(Judge, RefusesWhatIsNotFinite) {
  const Verdict verdict = judge(expectation, off(0.01, NAN));
  EXPECT_EQ(verdict.nonFinite, 1u);
  EXPECT_FALSE(verdict.holds());
}
