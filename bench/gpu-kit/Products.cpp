// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensor cores on random numbers of many sizes, where the order and the width
// of their sums show: mma.sync and wgmma against float64 within
// k x 2^-22 x sum |a b| plus one unit in the last place, and against the
// emulator's sums, of which it is recorded how many have other bits.
#include "bench/gpu-kit/Kit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace llrt;
using namespace llrt::kit;

namespace {

struct Product {
  const char *module, *kernel;
  uint32_t m, n, k;
  bool isWgmma; ///< B as [n][k] and no sizes among the arguments
};
const Product products[] = {
    {"mma-product", "mma_product", 64, 128, 160, false},
    {"wgmma-product", "wgmma_product", 64, 64, 64, true}};

float toFloat(uint16_t bf16) {
  uint32_t bits = static_cast<uint32_t>(bf16) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// Random signs and significands, exponents over 2^-8 to 2^8: in a sum the
/// small ones are what another width of the adders loses.
std::vector<uint16_t> spread(size_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<uint16_t> values(count);
  for (uint16_t &value : values) {
    const uint32_t word = engine();
    value =
        static_cast<uint16_t>((word & 0x807f) | (119 + (word >> 16) % 17) << 7);
  }
  return values;
}

Result<std::vector<float>> multiply(Device &device, Module *module,
                                    const Product &product,
                                    const std::vector<uint16_t> &a,
                                    const std::vector<uint16_t> &b) {
  std::vector<float> c(size_t{product.m} * product.n);
  Result<DeviceAddress> left = device.allocate(a.size() * 2, "a"),
                        right = device.allocate(b.size() * 2, "b"),
                        out = device.allocate(c.size() * 4, "c");
  for (const auto *address : {&left, &right, &out})
    if (!*address)
      return address->error();
  if (Error error = device.copyToDevice(*left, a.data(), a.size() * 2))
    return error;
  if (Error error = device.copyToDevice(*right, b.data(), b.size() * 2))
    return error;
  LaunchShape shape = makeShape(product.isWgmma ? 1 : product.n / 64, 128);
  shape.grid.y = product.isWgmma ? 1 : product.m / 64;
  Error error = product.isWgmma
                    ? launch(device, module, product.kernel, shape, nullptr,
                             *left, *right, *out)
                    : launch(device, module, product.kernel, shape, nullptr,
                             *left, *right, *out, product.n, product.k);
  if (error)
    return error;
  if (Error failed = device.synchronize())
    return failed;
  if (Error failed = device.copyToHost(c.data(), *out, c.size() * 4))
    return failed;
  return c;
}

Error check(const Options &options, Device &device, Device *emulator,
            const Product &product, uint32_t seed, Json &row) {
  const std::string name = std::string("programs/") + product.module;
  Result<Module *> module = loadKernels(options, device, name);
  if (!module)
    return module.error();
  const auto a = spread(size_t{product.m} * product.k, seed),
             b = spread(size_t{product.k} * product.n, seed + 1);
  Result<std::vector<float>> found = multiply(device, *module, product, a, b);
  if (!found)
    return found.error();
  double worst = 0;
  for (uint32_t r = 0; r < product.m; ++r)
    for (uint32_t c = 0; c < product.n; ++c) {
      double sum = 0, absolute = 0;
      for (uint32_t i = 0; i < product.k; ++i) {
        const double term =
            double{toFloat(a[r * product.k + i])} *
            double{toFloat(
                b[product.isWgmma ? c * product.k + i : i * product.n + c])};
        sum += term;
        absolute += std::abs(term);
      }
      const float value = (*found)[r * product.n + c];
      const float size = std::abs(static_cast<float>(sum));
      const double unit =
          std::nextafter(size, std::numeric_limits<float>::max()) - size;
      const double bound = product.k * std::ldexp(absolute, -22) + unit;
      worst = std::max(worst, std::isfinite(value)
                                  ? std::abs(value - sum) / bound
                                  : std::numeric_limits<double>::infinity());
    }
  row["values"] = found->size();
  row["worst_of_bound"] = worst;
  if (emulator) {
    Result<std::string> ptx = readKernels(options, name + ".ptx");
    if (!ptx)
      return ptx.error();
    Result<Module *> there = emulator->loadModule(*ptx, name + ".ptx");
    if (!there)
      return there.error();
    Result<std::vector<float>> emulated =
        multiply(*emulator, *there, product, a, b);
    if (!emulated)
      return emulated.error();
    size_t different = 0;
    for (size_t i = 0; i < found->size(); ++i)
      different += std::memcmp(&(*found)[i], &(*emulated)[i], 4) != 0;
    row["differ_from_emulator"] = different;
  }
  row["holds"] = worst <= 1;
  return Error::success();
}

} // namespace

Result<int> llrt::kit::runProducts(const Options &options) {
  Result<std::unique_ptr<Device>> device = openDevice(options, "h200");
  if (!device)
    return device.error();
  std::unique_ptr<Device> emulator;
  if (!options.emulator) {
    Options there = options;
    there.emulator = true;
    Result<std::unique_ptr<Device>> opened = openDevice(there, "h200");
    if (!opened)
      return opened.error();
    emulator = std::move(*opened);
  }
  int failures = 0;
  for (const Product &product : products)
    for (uint32_t seed = 1; seed < (options.quick ? 3u : 9u); seed += 2) {
      Json row = {
          {"part", "correctness"}, {"product", product.kernel}, {"seed", seed}};
      if (Error error =
              check(options, **device, emulator.get(), product, seed, row)) {
        row["error"] = error.message();
        row["holds"] = false;
      }
      note(row.dump());
      failures += row["holds"].get<bool>() ? 0 : 1;
      emitRow(row);
    }
  return failures;
}
