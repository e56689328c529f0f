// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// EXE --selftest: what a device computes of a few fixed tokens, against what
// the reference said when the executable was made.
//
// Each layer is given the stored values of the one before, so a fault is named
// where it is. Then the same tokens run as any prompt does, the last of them
// through @decode.
#ifndef LLAMAC_RUNTIME_SELFTEST_H
#define LLAMAC_RUNTIME_SELFTEST_H

#include "runtime/Engine.h"

#include <functional>
#include <string>
#include <vector>

namespace llrt {

/// One comparison.
struct SelftestPart {
  std::string name;     ///< "embedding", "layer 0", ..., "head", "whole run"
  double deviation = 0; ///< of the value that comes closest to its bound, or is
                        ///< the most over it
  double bound = 0;     ///< that value's
  /// Where that value is: "token 3, value 17: found 1.2, expected 1.1".
  std::string where;
  bool holds = false;
};

struct SelftestReport {
  std::vector<int32_t> tokens;
  std::vector<SelftestPart> parts;
  int32_t greedyFound = -1, greedyExpected = -1;
  bool greedySettled = false; ///< no rounding may change it
  bool greedyHolds() const {
    return !greedySettled || greedyFound == greedyExpected;
  }
  bool passed() const;
  /// "" where it passed; else the first part that drifts, and what to do.
  std::string failure() const;
  std::string json() const; ///< one line
};

class Selftest {
public:
  /// Checks every number of the section; an Error where there is none, too.
  /// `executable` must outlive it.
  static Result<Selftest> read(const Executable &executable);

  /// What run() needs of the engine.
  EngineOptions engineOptions() const;
  /// `done` is told of each part as it is there.
  Result<SelftestReport>
  run(Engine &engine,
      const std::function<Error(const SelftestPart &)> &done) const;

private:
  Selftest() = default;
  SelftestPart compareStage(uint32_t stage,
                            const std::vector<float> &found) const;

  LlamacSelftestHeader header = {};
  View<int32_t> tokens; ///< [token_count]
  View<float> residual; ///< [stages][token_count][hidden_size]
  View<float> bounds;   ///< [stages][token_count]
  View<float> logits;   ///< [vocab_size]
};

// A table for people: its head, a line a part, and how it ends ("selftest:
// passed: 7 parts of 8 tokens").
std::string selftestTableHead();
std::string selftestTableRow(const SelftestPart &part);
std::string selftestVerdict(const SelftestReport &report);

} // namespace llrt

#endif
