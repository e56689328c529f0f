// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of a plan's sizes.
#include "runtime/ByteTable.h"

#include "runtime/PositionScheme.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

using namespace llrt;

ByteTable ByteTable::of(const LlamacPlanHeader &plan, uint64_t context,
                        uint64_t batch) {
  uint64_t pages = (context + LLAMAC_PAGE_TOKENS - 1) / LLAMAC_PAGE_TOKENS;
  ByteTable table;
  table.weights = plan.weights_bytes;
  table.workspace = plan.workspace_bytes;
  table.kvPool = pages * batch * plan.page_bytes;
  table.rope = rotationTableBytes(plan, context);
  return table;
}

std::string ByteTable::text() const {
  return readableBytes(weights) + " weights + " + readableBytes(workspace) +
         " workspace + " + readableBytes(kvPool) + " KV cache + " +
         readableBytes(rope) + " rope table = " + readableBytes(total());
}

uint64_t llrt::largestContext(const LlamacPlanHeader &plan, uint64_t batch,
                              uint64_t bytes) {
  ByteTable fixed = ByteTable::of(plan, 0, batch);
  ByteTable page = ByteTable::of(plan, LLAMAC_PAGE_TOKENS, batch);
  if (bytes < fixed.total())
    return 0;
  uint64_t tokens = (bytes - fixed.total()) / (page.total() - fixed.total()) *
                    LLAMAC_PAGE_TOKENS;
  return std::min<uint64_t>(tokens, plan.max_seq_len);
}

uint64_t llrt::usableMemory(uint64_t bytes) { return bytes - bytes / 32; }

std::string llrt::readableBytes(uint64_t bytes) {
  const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
    value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit ? "%.2f %s" : "%.0f %s", value,
                units[unit]);
  return text;
}
