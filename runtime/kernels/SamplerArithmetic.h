// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arithmetic that decides which token is chosen, in integers and in single
// roundings, so that host and device get the same bits. Read by NVRTC too.
//
//   order      an integer that rises as the logit falls; NaN counts as
//              -infinity, -0 as 0
//   distance   (max - logit) / temperature in binary orders, truncated to 24
//              bits after the point; 41 orders and more are all the same
//   weight     2^(40 - distance): a probability before it is divided by the sum
//              of all. An integer, so that sums do not depend on their order.
//              It falls strictly with the distance (a test tries every one).
#ifndef LLAMAC_RUNTIME_KERNELS_SAMPLERARITHMETIC_H
#define LLAMAC_RUNTIME_KERNELS_SAMPLERARITHMETIC_H

namespace llrt {

/// What a difference of logits is multiplied by at temperature 1: 2^24 log2(e).
constexpr double distanceScale() { return 0x1.71547652b82fep+24; }
enum Distance : unsigned { distanceFar = 41u << 24 };
enum Weight : unsigned long long { weightOne = 1ull << 40 };

inline unsigned orderOfBits(unsigned bits) {
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    bits = 0xff800000u;
  if (bits == 0x80000000u)
    bits = 0;
  return bits & 0x80000000u ? bits : 0x7fffffffu - bits;
}

/// The logit's bits again: 0 and -infinity for those that stand for others.
inline unsigned bitsOfOrder(unsigned order) {
  return order & 0x80000000u ? order : 0x7fffffffu - order;
}

/// `max` and `logit` are no NaN.
inline unsigned distanceOf(float max, float logit, double scale) {
  if (logit == max)
    return 0;
  double below =
      (static_cast<double>(max) - static_cast<double>(logit)) * scale;
  return below < distanceFar ? static_cast<unsigned>(below) : distanceFar;
}

inline unsigned highProduct(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}

/// 2^-f by a polynomial of degree 6 that is exact at f = 0 and f = 1, off by
/// 8e-9 at most between.
inline unsigned long long weightOf(unsigned distance) {
  if (distance >= distanceFar)
    return 0;
  unsigned f = distance << 8;
  unsigned sum = 0x00072c34u;
  sum = 0x0053b4a1u - highProduct(sum, f);
  sum = 0x027412dfu - highProduct(sum, f);
  sum = 0x0e34dbe7u - highProduct(sum, f);
  sum = 0x3d7f690fu - highProduct(sum, f);
  sum = 0xb1721799u - highProduct(sum, f);
  unsigned long long power = (1ull << 32) - highProduct(sum, f);
  return (power << 8) >> (distance >> 24);
}

/// floor(value * billionths / 10^9), for billionths <= 10^9.
inline unsigned long long shareOf(unsigned long long value,
                                  unsigned billionths) {
  return value / 1000000000u * billionths +
         value % 1000000000u * billionths / 1000000000u;
}

/// floor(a * b / 2^64)
inline unsigned long long highProduct64(unsigned long long a,
                                        unsigned long long b) {
  unsigned long long aLow = a & 0xffffffffu, aHigh = a >> 32,
                     bLow = b & 0xffffffffu, bHigh = b >> 32;
  unsigned long long middle = aHigh * bLow + (aLow * bLow >> 32);
  unsigned long long other = aLow * bHigh + (middle & 0xffffffffu);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): counter -> four words.
struct PhiloxBlock {
  unsigned word[4];
};
inline PhiloxBlock philox(PhiloxBlock counter, unsigned key0, unsigned key1) {
  for (int round = 0; round < 10; ++round) {
    unsigned long long product0 = 0xD2511F53ull * counter.word[0],
                       product1 = 0xCD9E8D57ull * counter.word[2];
    counter = {{static_cast<unsigned>(product1 >> 32) ^ counter.word[1] ^ key0,
                static_cast<unsigned>(product1),
                static_cast<unsigned>(product0 >> 32) ^ counter.word[3] ^ key1,
                static_cast<unsigned>(product0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

/// The draw of output token `step`, below `total`: Philox with the seed as key
/// and the step as counter; its first two words are the fraction.
inline unsigned long long drawOf(unsigned long long seed, unsigned step,
                                 unsigned long long total) {
  PhiloxBlock block = philox({{step, 0, 0, 0}}, static_cast<unsigned>(seed),
                             static_cast<unsigned>(seed >> 32));
  return highProduct64(block.word[0] |
                           static_cast<unsigned long long>(block.word[1]) << 32,
                       total);
}

/// A logit after its penalties, each with one rounding.
inline float penalised(float logit, unsigned output, float repeat,
                       float presence, float frequency) {
  logit = logit > 0 ? logit / repeat : logit * repeat;
  if (output) {
    float amount = static_cast<float>(output) * frequency;
    logit = logit - amount;
    logit = logit - presence;
  }
  return logit;
}

} // namespace llrt

#endif
