// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dot products of rows with a few tokens, blocks of rows dealt to threads.
#include "runtime/reference/StreamedProduct.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

namespace llrt::reference {

namespace {

constexpr int64_t blockElements = 64 * 1024;
constexpr int64_t tokensTogether = 4;
constexpr int lanes = 8;

/// Compiled to what the processor has: one operation each, whatever its width.
typedef double Lanes __attribute__((vector_size(lanes * sizeof(double))));

// Built once for each width of vector; without contraction to fma all of them
// do the same roundings.
#if defined(__x86_64__)
#define LLAMAC_EACH_WIDTH                                                      \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LLAMAC_EACH_WIDTH
#endif

/// The dot products of one row [in] with `count` <= tokensTogether tokens of
/// x, whose rows are `in` apart: lane l sums the elements i = l mod 8, then
/// the lanes are added in order, then the elements past the last eight.
LLAMAC_EACH_WIDTH
void dot(const double *row, const double *x, int64_t in, int64_t count,
         double *result) {
  Lanes sums[tokensTogether] = {};
  const int64_t whole = in / lanes * lanes;
  if (count == tokensTogether) { // as below, with the sums in registers
    Lanes a = {}, b = {}, c = {}, d = {};
    for (int64_t i = 0; i < whole; i += lanes) {
      Lanes w, v;
      std::memcpy(&w, row + i, sizeof w);
      std::memcpy(&v, x + i, sizeof v);
      a += w * v;
      std::memcpy(&v, x + in + i, sizeof v);
      b += w * v;
      std::memcpy(&v, x + 2 * in + i, sizeof v);
      c += w * v;
      std::memcpy(&v, x + 3 * in + i, sizeof v);
      d += w * v;
    }
    sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
  } else {
    for (int64_t t = 0; t < count; ++t)
      for (int64_t i = 0; i < whole; i += lanes) {
        Lanes w, v;
        std::memcpy(&w, row + i, sizeof w);
        std::memcpy(&v, x + t * in + i, sizeof v);
        sums[t] += w * v;
      }
  }
  for (int64_t t = 0; t < count; ++t) {
    double sum = 0.0;
    for (int lane = 0; lane < lanes; ++lane)
      sum += sums[t][lane];
    for (int64_t i = whole; i < in; ++i)
      sum += row[i] * x[t * in + i];
    result[t] = sum;
  }
}

} // namespace

std::vector<double> streamedProduct(int64_t in, int64_t out,
                                    const std::vector<double> &x, int64_t count,
                                    unsigned threads,
                                    const ReadRows &readRows) {
  std::vector<double> y(count * out);
  const int64_t rowsOfBlock = std::max<int64_t>(1, blockElements / in);
  const int64_t blocks = (out + rowsOfBlock - 1) / rowsOfBlock;
  std::atomic<int64_t> next{0};
  auto work = [&] {
    std::vector<double> values(rowsOfBlock * in);
    for (int64_t block; (block = next++) < blocks;) {
      const int64_t first = block * rowsOfBlock,
                    rows = std::min(rowsOfBlock, out - first);
      readRows(first, rows, values.data());
      for (int64_t t = 0; t < count; t += tokensTogether) {
        const int64_t tokens = std::min(tokensTogether, count - t);
        double sums[tokensTogether];
        for (int64_t r = 0; r < rows; ++r) {
          dot(&values[r * in], &x[t * in], in, tokens, sums);
          for (int64_t i = 0; i < tokens; ++i)
            y[(t + i) * out + first + r] = sums[i];
        }
      }
    }
  };
  std::vector<std::thread> others;
  const int64_t useful = std::min<int64_t>(std::max(threads, 1u), blocks);
  for (int64_t i = 1; i < useful; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  return y;
}

} // namespace llrt::reference
