// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chooses a token from each row of logits, one block a row. runtime/Sampler.h
// says what is chosen; Sampler.cpp does the same by sorting.
//
// No row is sorted here. Tokens stand in an order (falling logit, ties by
// rising id), and every filter and the draw ask one question: at which token
// does a running sum pass a target? select() answers it like a radix search: a
// histogram of the next ten bits, the one bin that holds the target, and so on
// until few enough tokens share the bin to be compared one with another. The
// first ten bits are those of the distance to the maximum, over which
// logits spread well, so that mostly one histogram does.
#include "SamplerArithmetic.h"
#include "SamplerFormat.h"

namespace {

using namespace llrt;
typedef unsigned u32;
typedef unsigned long long u64;

enum : u32 { vocabulary = LLAMAC_VOCABULARY, pieces = LLAMAC_PIECES };
static_assert(vocabulary <= samplerVocabularyMax && pieces <= vocabulary &&
                  pieces > 0,
              "the sizes");
enum : u32 {
  threads = samplerThreads(vocabulary),
  warps = threads / 32,
  bins = 1024,
  binsOfThread = bins / threads,
  listMax = 256
};
static_assert(listMax <= threads && logProbabilitiesMax <= listMax,
              "a thread for each");

struct Shared {
  u64 first[bins]; ///< masses of the first level, for the row
  u64 bin[bins];
  u64 listKey[listMax], listWeight[listMax];
  u64 warpValue[warps];
  u64 before, key, weight;
  u32 found, listCount;
};

/// A token as the searches see it.
struct Token {
  u32 distance, order, id;
  __device__ u64 key() const { return static_cast<u64>(order) << 32 | id; }
};

/// The row, and what distances are measured by.
struct Row {
  const float *logits;
  u32 size;
  float max;
  double scale;

  __device__ Token token(u32 id) const {
    u32 order = orderOfBits(__float_as_uint(logits[id]));
    return {distanceOf(max, __uint_as_float(bitsOfOrder(order)), scale), order,
            id};
  }
};

enum class Measure { Count, Mass };
__device__ u64 measured(Measure measure, u32 distance) {
  return measure == Measure::Count ? 1 : weightOf(distance);
}

/// Sums in a fixed order, to every thread. `shared.warpValue` is free after it.
__device__ u64 sumOfBlock(Shared &shared, u64 value) {
  for (u32 step = 16; step; step /= 2)
    value += __shfl_xor_sync(~0u, value, step);
  if (threadIdx.x % 32 == 0)
    shared.warpValue[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0;
#pragma unroll 4
  for (u32 warp = 0; warp < warps; ++warp)
    value += shared.warpValue[warp];
  __syncthreads();
  return value;
}

__device__ u64 leastOfBlock(Shared &shared, u64 value) {
  for (u32 step = 16; step; step /= 2) {
    u64 other = __shfl_xor_sync(~0u, value, step);
    value = other < value ? other : value;
  }
  if (threadIdx.x % 32 == 0)
    shared.warpValue[threadIdx.x / 32] = value;
  __syncthreads();
  value = shared.warpValue[0];
#pragma unroll 4
  for (u32 warp = 1; warp < warps; ++warp)
    value = shared.warpValue[warp] < value ? shared.warpValue[warp] : value;
  __syncthreads();
  return value;
}

/// The token with the highest logit, as its key.
__device__ u64 bestOfRow(Shared &shared, const float *logits, u32 size) {
  u64 best = ~0ull;
#pragma unroll 2
  for (u32 id = threadIdx.x; id < size; id += threads) {
    Token token{0, orderOfBits(__float_as_uint(logits[id])), id};
    best = token.key() < best ? token.key() : best;
  }
  return leastOfBlock(shared, best);
}

/// The digits of a search: three of the distance, four of the order, three of
/// the id, ten bits each. Where they overlap, the bits that come twice are
/// equal by then.
enum : u32 { levels = 10 };
__device__ u32 shiftOfLevel(u32 level) {
  int shift = level < 3   ? 20 - 10 * static_cast<int>(level)
              : level < 7 ? 52 - 10 * static_cast<int>(level)
                          : 84 - 10 * static_cast<int>(level);
  return shift < 0 ? 0 : shift;
}
__device__ u32 digitOf(Token token, u32 level) {
  u32 word = level < 3 ? token.distance : level < 7 ? token.order : token.id;
  return word >> shiftOfLevel(level) & (bins - 1);
}

/// The tokens whose leading digits are given.
struct Group {
  Token token{0, 0, 0}, mask{0, 0, 0};
  __device__ bool holds(Token other) const {
    return (((other.distance ^ token.distance) & mask.distance) |
            ((other.order ^ token.order) & mask.order) |
            ((other.id ^ token.id) & mask.id)) == 0;
  }
  __device__ void narrow(u32 level, u32 digit) {
    digit <<= shiftOfLevel(level);
    u32 field = (bins - 1) << shiftOfLevel(level);
    token.distance |= level < 3 ? digit : 0;
    mask.distance |= level < 3 ? field : 0;
    token.order |= level >= 3 && level < 7 ? digit : 0;
    mask.order |= level >= 3 && level < 7 ? field : 0;
    token.id |= level >= 7 ? digit : 0;
    mask.id |= level >= 7 ? field : 0;
  }
};

__device__ void makeHistogram(u64 *bin, const Row &row, const Group &group,
                              u32 level, Measure measure) {
  for (u32 i = threadIdx.x; i < bins; i += threads)
    bin[i] = 0;
  __syncthreads();
#pragma unroll 2
  for (u32 id = threadIdx.x; id < row.size; id += threads) {
    Token token = row.token(id);
    u64 amount = measured(measure, token.distance);
    if (amount != 0 && group.holds(token))
      atomicAdd(&bin[digitOf(token, level)], amount);
  }
  __syncthreads();
}

/// The bin in which the running sum passes `target`, to every thread; the sum
/// before it in shared.before.
__device__ u32 findBin(Shared &shared, const u64 *bin, u64 target) {
  u32 first = threadIdx.x * binsOfThread, lane = threadIdx.x % 32;
  u64 own = 0;
  for (u32 i = 0; i < binsOfThread; ++i)
    own += bin[first + i];
  u64 sum = own;
  for (u32 step = 1; step < 32; step *= 2) {
    u64 other = __shfl_up_sync(~0u, sum, step);
    sum += lane >= step ? other : 0;
  }
  if (lane == 31)
    shared.warpValue[threadIdx.x / 32] = sum;
  __syncthreads();
  u64 before = sum - own;
#pragma unroll 4
  for (u32 warp = 0; warp < threadIdx.x / 32; ++warp)
    before += shared.warpValue[warp];
  for (u32 i = 0; i < binsOfThread; ++i) {
    u64 amount = bin[first + i];
    if (before <= target && target - before < amount) {
      shared.found = first + i;
      shared.before = before;
    }
    before += amount;
  }
  __syncthreads();
  return shared.found;
}

/// A token, and the sums of all before it and up to it.
struct Place {
  u64 key, before, through;
};

/// Where the running sum passes `target`, which is below the sum of all. Of
/// masses the first level's histogram is ready in shared.first.
__device__ Place select(Shared &shared, const Row &row, Measure measure,
                        u64 target) {
  Group group;
  u64 before = 0;
  for (u32 level = 0;; ++level) {
    u64 *bin = shared.first;
    if (level != 0 || measure == Measure::Count)
      makeHistogram(bin = shared.bin, row, group, level, measure);
    group.narrow(level, findBin(shared, bin, target - before));
    before += shared.before;
    if (threadIdx.x == 0)
      shared.listCount = 0;
    __syncthreads();
#pragma unroll 2
    for (u32 id = threadIdx.x; id < row.size; id += threads) {
      Token token = row.token(id);
      if (!group.holds(token))
        continue;
      u64 amount = measured(measure, token.distance);
      u32 slot = amount ? atomicAdd(&shared.listCount, 1u) : listMax;
      if (slot < listMax) {
        shared.listKey[slot] = token.key();
        shared.listWeight[slot] = amount;
      }
    }
    __syncthreads();
    if (shared.listCount <= listMax || level + 1 == levels)
      break;
  }
  u32 count = shared.listCount;
  if (threadIdx.x < count) {
    u64 key = shared.listKey[threadIdx.x], sum = before;
#pragma unroll 4
    for (u32 i = 0; i < count; ++i)
      sum += shared.listKey[i] < key ? shared.listWeight[i] : 0;
    if (sum <= target && target - sum < shared.listWeight[threadIdx.x]) {
      shared.key = key;
      shared.before = sum;
      shared.weight = shared.listWeight[threadIdx.x];
    }
  }
  __syncthreads();
  Place place{shared.key, shared.before, shared.before + shared.weight};
  __syncthreads();
  return place;
}

/// The mass of the tokens up to `last` whose weight is at least `least`.
__device__ u64 massOf(Shared &shared, const Row &row, u64 last, u64 least) {
  u64 sum = 0;
#pragma unroll 2
  for (u32 id = threadIdx.x; id < row.size; id += threads) {
    Token token = row.token(id);
    u64 weight = weightOf(token.distance);
    sum += token.key() <= last && weight >= least ? weight : 0;
  }
  return sumOfBlock(shared, sum);
}

/// One draw. Every filter keeps a beginning of the order, so that what it
/// leaves is told by its mass alone.
__device__ u32 draw(Shared &shared, const Row &row, const SamplerRow &how) {
  makeHistogram(shared.first, row, Group(), 0, Measure::Mass);
  u64 total = 0;
  for (u32 i = 0; i < binsOfThread; ++i)
    total += shared.first[threadIdx.x * binsOfThread + i];
  total = sumOfBlock(shared, total);
  enum Stage : u32 { TopK, TopP, Draw };
  Place place{};
#pragma unroll 1
  for (u32 stage = TopK; stage <= Draw; ++stage) {
    if ((stage == TopK && (how.topK == 0 || how.topK >= row.size)) ||
        (stage == TopP && how.topP >= samplerBillion))
      continue;
    if (stage == Draw && how.minWeight != 0) {
      u64 mass = massOf(shared, row, ~0ull, how.minWeight);
      total = mass < total ? mass : total;
    }
    u64 target = stage == TopK   ? how.topK - 1
                 : stage == TopP ? shareOf(total, how.topP)
                                 : drawOf(how.seed, how.step, total);
    place = select(shared, row, stage == TopK ? Measure::Count : Measure::Mass,
                   target);
    total = stage == TopK ? massOf(shared, row, place.key, 0) : place.through;
  }
  return static_cast<u32>(place.key);
}

} // namespace

/// next[row] = the token chosen from logits[row]. The logits of what was seen
/// are exchanged for penalised ones meanwhile; `saved` (as long as `seen`)
/// keeps them.
extern "C" __global__ void __launch_bounds__(threads, 1)
    sample(float *logits, const SamplerRow *rows, const SamplerSeen *seen,
           float *saved, int *next) {
  __shared__ Shared shared;
  const SamplerRow how = rows[blockIdx.x];
  if (!how.choose)
    return;
  float *line = logits + static_cast<u64>(blockIdx.x) * vocabulary;
  for (u32 i = threadIdx.x; i < how.seenCount; i += threads) {
    SamplerSeen entry = seen[how.seen + i];
    float logit = line[entry.id];
    saved[how.seen + i] = logit;
    line[entry.id] =
        penalised(logit, entry.output, how.repeat, how.presence, how.frequency);
  }
  __syncthreads();
  u64 best = bestOfRow(shared, line, pieces);
  u32 choice = static_cast<u32>(best);
  if (how.scale != 0) {
    float max = __uint_as_float(bitsOfOrder(static_cast<u32>(best >> 32)));
    choice = draw(shared, {line, pieces, max, how.scale}, how);
  }
  if (threadIdx.x == 0)
    next[blockIdx.x] = static_cast<int>(choice);
  __syncthreads();
  for (u32 i = threadIdx.x; i < how.seenCount; i += threads)
    line[seen[how.seen + i].id] = saved[how.seen + i];
}

/// out[row] = what log-probabilities are made of, over the whole vocabulary.
extern "C" __global__ void __launch_bounds__(threads, 1)
    log_probabilities(const float *logits, const int *next,
                      const LogProbabilityQuery *queries,
                      LogProbabilityRow *out) {
  __shared__ Shared shared;
  const LogProbabilityQuery query = queries[blockIdx.x];
  if (query.target < -1)
    return;
  LogProbabilityRow &result = out[blockIdx.x];
  const float *line = logits + static_cast<u64>(blockIdx.x) * vocabulary;
  u64 best = bestOfRow(shared, line, vocabulary);
  float max = __uint_as_float(bitsOfOrder(static_cast<u32>(best >> 32)));
  Row row{line, vocabulary, max, distanceScale()};
  u64 total = massOf(shared, row, ~0ull, 0);
  if (threadIdx.x == 0) {
    result.total = total;
    result.max = max;
    result.target = line[query.target < 0 ? next[blockIdx.x] : query.target];
  }
  u32 count = query.count < vocabulary ? query.count : vocabulary;
  if (count == 0)
    return;
  u64 last = select(shared, row, Measure::Count, count - 1).key;
  if (threadIdx.x == 0)
    shared.listCount = 0;
  __syncthreads();
#pragma unroll 2
  for (u32 id = threadIdx.x; id < vocabulary; id += threads) {
    Token token{0, orderOfBits(__float_as_uint(line[id])), id};
    if (token.key() <= last)
      shared.listKey[atomicAdd(&shared.listCount, 1u)] = token.key();
  }
  __syncthreads();
  if (threadIdx.x < count) {
    u64 key = shared.listKey[threadIdx.x];
    u32 rank = 0;
#pragma unroll 4
    for (u32 i = 0; i < count; ++i)
      rank += shared.listKey[i] < key;
    result.ids[rank] = static_cast<int>(static_cast<u32>(key));
    result.logits[rank] = line[static_cast<u32>(key)];
  }
}
