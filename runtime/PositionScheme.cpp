// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Angles in float64, rounded once to the float32 of the table.
#include "runtime/PositionScheme.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace llrt;

bool llrt::rotatesByLength(const LlamacPlanHeader &plan) {
  return plan.positions.scheme == LLAMAC_ROTARY &&
         plan.positions.scaling == LLAMAC_DYNAMIC;
}

uint64_t llrt::rotationTableBytes(const LlamacPlanHeader &plan,
                                  uint64_t context) {
  if (plan.positions.scheme != LLAMAC_ROTARY)
    return 0;
  uint64_t rows = rotatesByLength(plan)
                      ? std::max(plan.max_chunk, plan.max_batch)
                      : context;
  return rows * (plan.head_dim / 2) * 2 * sizeof(float);
}

void llrt::followLength(const LlamacPlanHeader &plan, View<double> plain,
                        uint64_t length, std::vector<double> &frequencies) {
  const LlamacPositions &positions = plan.positions;
  frequencies.assign(plain.begin(), plain.end());
  if (length <= positions.original)
    return;
  double stretch = positions.factor * static_cast<double>(length) /
                       static_cast<double>(positions.original) -
                   (positions.factor - 1);
  // theta^(-2j/D) of the raised theta is the plain one times step^j.
  double step =
      std::pow(stretch, -2.0 / (static_cast<double>(plan.head_dim) - 2.0));
  double share = 1;
  for (double &frequency : frequencies) {
    frequency *= share;
    share *= step;
  }
}

void llrt::appendRotation(const LlamacPlanHeader &plan,
                          View<double> frequencies, uint64_t position,
                          std::vector<float> &table) {
  double factor = plan.positions.attention_factor;
  for (double frequency : frequencies) {
    double angle = static_cast<double>(position) * frequency;
    table.push_back(static_cast<float>(std::cos(angle) * factor));
    table.push_back(static_cast<float>(std::sin(angle) * factor));
  }
}

std::string llrt::describePositions(const LlamacPlanHeader &plan) {
  const LlamacPositions &positions = plan.positions;
  auto number = [](double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return std::string(text);
  };
  std::string text = "ALiBi";
  if (positions.scheme == LLAMAC_ROTARY) {
    static const char *const names[] = {"", "linear", "llama3", "dynamic",
                                        "yarn"};
    text = "rotary, theta " + number(positions.theta);
    if (positions.scaling != LLAMAC_UNSCALED)
      text += std::string(", ") + names[positions.scaling] + " scaling x " +
              number(positions.factor);
    if (positions.original)
      text += (rotatesByLength(plan) ? " past " : " of ") +
              std::to_string(positions.original) + " positions";
    if (positions.attention_factor != 1)
      text += ", cosine and sine x " + number(positions.attention_factor);
  }
  if (positions.window)
    text += "; each token sees " + std::to_string(positions.window);
  return text;
}
