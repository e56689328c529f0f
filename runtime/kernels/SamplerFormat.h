// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the host and the kernels of Sampler.cu tell each other. Read by NVRTC
// too: no includes, types of fixed size.
#ifndef LLAMAC_RUNTIME_KERNELS_SAMPLERFORMAT_H
#define LLAMAC_RUNTIME_KERNELS_SAMPLERFORMAT_H

namespace llrt {

/// Threads of a block, one block a row. A small row does not fill more.
constexpr unsigned samplerThreads(unsigned vocabulary) {
  return vocabulary > 16384 ? 1024 : 256;
}
enum SamplerLimits : unsigned {
  samplerVocabularyMax = 1u << 23, ///< sums of weights stay below 2^64
  logProbabilitiesMax = 20,        ///< --logprobs at most
  samplerBillion = 1000000000      ///< top-p counts in billionths
};

/// How one row of logits is to be chosen from.
struct SamplerRow {
  unsigned long long seed;
  unsigned long long minWeight; ///< min-p as a weight; 0: off
  double scale;                 ///< distanceScale / temperature; 0: greedy
  unsigned step;                ///< number of the output token, from 0
  unsigned topK;                ///< 0: off
  unsigned topP;                ///< in billionths; samplerBillion: off
  unsigned seen;                ///< its first entry among the SamplerSeen
  unsigned seenCount;           ///< 0 where no penalty is asked for
  float repeat, presence, frequency;
  unsigned choose; ///< 0: this row's choice stays as it is
  unsigned reserved;
};

/// One id of a sequence's prompt or output; each id once.
struct SamplerSeen {
  unsigned id;
  unsigned output; ///< how often it is in the output
};

/// What is asked about a row for --logprobs.
struct LogProbabilityQuery {
  int target;     ///< the id whose logit is wanted; -1: the one just chosen
  unsigned count; ///< how many of the highest
};

/// A row's log-softmax before the logarithm: see logProbability().
struct LogProbabilityRow {
  unsigned long long total;     ///< sum of weights at temperature 1
  float max;                    ///< the highest logit
  float target;                 ///< the target's logit
  int ids[logProbabilitiesMax]; ///< descending, ties by lower id
  float logits[logProbabilitiesMax];
};

} // namespace llrt

#endif
