// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the reference and its twins say about one sequence of a model, computed
// once and cut to any run whose tokens are a part of that sequence.
#ifndef LLAMAC_TEST_NUMERICS_ORACLE_H
#define LLAMAC_TEST_NUMERICS_ORACLE_H

#include "test/numerics/CompiledModel.h"
#include "test/numerics/Contract.h"

#include <map>
#include <memory>

namespace llrt::test {

class Oracle {
public:
  /// A sequence of `length` tokens: `prompt`, then the reference's own greedy
  /// choices.
  static Result<std::unique_ptr<Oracle>>
  create(const reference::Config &config, reference::Tensors tensors,
         const std::vector<int32_t> &prompt, size_t length);

  /// The first `prompt` tokens as a prompt and the next `forced` to be fed.
  ForcedRun run(size_t prompt, size_t forced) const;
  /// What a build of `dtype` has to reach on rows [0, rows) of the sequence, of
  /// which the first `prompt` tokens are fed as one prompt: with dynamic rope
  /// scaling the logits depend on it.
  Expectation expect(LlamacDtype dtype, size_t prompt, size_t rows) {
    return expect(dtype, prompt, rows, 1);
  }
  /// Judges the logits of rows [0, logits.size()); draws more twins if a step
  /// is over the bound of the first.
  Verdict judge(LlamacDtype dtype, size_t prompt, const FloatLogits &logits);
  const std::vector<int32_t> &tokens() const { return sequence; }

private:
  /// What the reference and its twins say of the sequence fed in one way.
  struct Reading {
    Logits logits;
    std::map<LlamacDtype, std::vector<Logits>>
        twins; ///< its own first, then jittered
  };
  /// With the first `draws` twins, made when they are first asked for.
  Expectation expect(LlamacDtype dtype, size_t prompt, size_t rows,
                     size_t draws);
  /// `rows` rows, the first `prompt` tokens being one prompt.
  Logits read(const reference::Model &model, size_t prompt, size_t rows) const;

  reference::Config config;
  reference::Tensors tensors;
  std::vector<int32_t> sequence;
  std::map<size_t, Reading> readings; ///< by prompt; 0: it does not matter
};

/// Widens, for judge().
Logits widen(const FloatLogits &logits);

} // namespace llrt::test

#endif
