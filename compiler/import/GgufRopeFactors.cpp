// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The scaling behind rope_freqs.weight. llama.cpp's converter writes, for each
// pair of wavelength w (generate_extra_tensors of its LlamaModel),
//
//   w < O/H: 1    w > O/L: F    between: 1 / ((1 - s)/F + s),
//                               s = (O/w - L) / (H - L)
//
// of the config's factor F, low and high frequency factors L and H, and
// original positions O, and drops these. Only O/L and O/H can be seen in the
// factors. Every Llama has L = 1 and H = 4; O is then in each factor that lies
// between. The answer is checked: it gives all factors again.
#include "compiler/import/Gguf.h"

#include <algorithm>
#include <cmath>

namespace mlir::llama {
namespace {

constexpr double low = 1, high = 4;
constexpr int64_t usualPositions = 8192, mostPositions = 1 << 24;
/// Of float32 factors, computed in float32 by the converter.
constexpr double tolerance = 2e-5;

double getFactor(double wavelength, double factor, double positions) {
  if (wavelength < positions / high)
    return 1;
  if (wavelength > positions / low)
    return factor;
  double smooth = (positions / wavelength - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}

class Search {
public:
  Search(const std::vector<float> &factors, double theta)
      : factors(factors), factor(0) {
    const double pi = 3.14159265358979323846, size = double(factors.size());
    for (size_t i = 0; i < factors.size(); ++i) {
      wavelengths.push_back(2 * pi * std::pow(theta, double(i) / size));
      factor = std::max(factor, double(factors[i]));
    }
  }

  bool gives(int64_t positions) const {
    if (positions < 1 || positions > mostPositions)
      return false;
    for (size_t i = 0; i < factors.size(); ++i)
      if (!(std::fabs(getFactor(wavelengths[i], factor, double(positions)) -
                      factors[i]) <= tolerance * factors[i]))
        return false;
    return true;
  }

  /// 0 where there are none.
  int64_t findPositions() const {
    if (gives(usualPositions))
      return usualPositions;
    for (size_t i = 0; i < factors.size(); ++i) {
      if (factors[i] == 1 || factors[i] == factor)
        continue;
      double smooth = (1 / factors[i] - 1 / factor) / (1 - 1 / factor);
      double positions = wavelengths[i] * (low + smooth * (high - low));
      if (!(positions >= 1 && positions < double(mostPositions)))
        return 0;
      for (int64_t step : {0, -1, 1})
        if (gives(std::llround(positions) + step))
          return std::llround(positions) + step;
      return 0;
    }
    // None lies between: any number that parts the ones from the factors.
    for (int64_t positions = 1; positions <= mostPositions; positions *= 2)
      if (gives(positions))
        return positions;
    for (size_t i = 1; i < factors.size(); ++i)
      if (factors[i - 1] == 1 && factors[i] != 1) {
        double middle = std::sqrt(wavelengths[i - 1] * high * wavelengths[i]);
        if (middle < double(mostPositions) && gives(std::llround(middle)))
          return std::llround(middle);
      }
    return 0;
  }

  const std::vector<float> &factors;
  std::vector<double> wavelengths;
  double factor;
};

} // namespace

llrt::Result<RopeScaling> findLlama3Scaling(const std::vector<float> &factors,
                                            double theta,
                                            const std::string &name) {
  RopeScaling scaling;
  Search search(factors, theta);
  if (std::all_of(factors.begin(), factors.end(),
                  [](float value) { return value == 1; }))
    return scaling;
  int64_t positions = search.factor > 1 ? search.findPositions() : 0;
  if (positions == 0)
    return llrt::Error(name + ": tensor \"rope_freqs.weight\" does not follow "
                              "the scaling of Llama 3.1, the only one that "
                              "llamac takes in this form");
  scaling.kind = RopeScaling::Llama3;
  scaling.factor = search.factor;
  scaling.lowFreqFactor = low;
  scaling.highFreqFactor = high;
  scaling.originalMaxPositions = positions;
  return scaling;
}

} // namespace mlir::llama
