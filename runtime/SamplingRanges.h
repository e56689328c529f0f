// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the sampling options may be: of generation_config.json, of a plan, of a
// command line.
#ifndef LLAMAC_RUNTIME_SAMPLINGRANGES_H
#define LLAMAC_RUNTIME_SAMPLINGRANGES_H

namespace llrt {

constexpr double temperatureMax = 100;
/// The penalty divides.
constexpr double repeatPenaltyMin = 0.01, repeatPenaltyMax = 100;
/// Of presence and frequency.
constexpr double penaltyMax = 2;
constexpr double defaultTemperature = 0.6, defaultTopP = 0.9;

} // namespace llrt

#endif
