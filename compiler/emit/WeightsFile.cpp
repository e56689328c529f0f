// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The header, and a hasher that cuts into pieces. The runtime's own reader is
// runtime/WeightSource and runtime/PieceHash.
#include "compiler/emit/WeightsFile.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <vector>
#include <xxhash.h>

namespace mlir::llama {

std::string getWeightsPath(const std::string &executable) {
  return executable + ".weights";
}

struct WeightsHasher::State {
  XXH3_state_t piece; // 64-byte aligned, as `new` aligns it in C++17
  uint64_t inPiece = 0;
  std::vector<uint64_t> hashes;
};

WeightsHasher::WeightsHasher(uint64_t bytes)
    : state(std::make_unique<State>()) {
  state->hashes.reserve(bytes / LLAMAC_WEIGHT_PIECE_BYTES + 1);
  XXH3_64bits_reset(&state->piece);
}

WeightsHasher::~WeightsHasher() = default;

void WeightsHasher::append(const void *data, size_t size) {
  auto *bytes = static_cast<const uint8_t *>(data);
  while (size != 0) {
    size_t count =
        std::min<uint64_t>(size, LLAMAC_WEIGHT_PIECE_BYTES - state->inPiece);
    XXH3_64bits_update(&state->piece, bytes, count);
    state->inPiece += count;
    bytes += count;
    size -= count;
    if (state->inPiece == LLAMAC_WEIGHT_PIECE_BYTES) {
      state->hashes.push_back(XXH3_64bits_digest(&state->piece));
      XXH3_64bits_reset(&state->piece);
      state->inPiece = 0;
    }
  }
}

uint64_t WeightsHasher::result() {
  if (state->inPiece != 0)
    state->hashes.push_back(XXH3_64bits_digest(&state->piece));
  return XXH3_64bits(state->hashes.data(),
                     state->hashes.size() * sizeof state->hashes[0]);
}

LlamacWeightsHeader makeWeightsHeader(const LlamacPlanHeader &plan) {
  LlamacWeightsHeader header = {};
  header.magic = LLAMAC_WEIGHTS_MAGIC;
  header.version = LLAMAC_FORMAT_VERSION;
  header.header_bytes = LLAMAC_WEIGHTS_HEADER_BYTES;
  header.id = plan.weights_id;
  header.bytes = plan.weights_bytes;
  header.hash = plan.weights.hash;
  header.header_hash = XXH3_64bits(&header, sizeof header);
  return header;
}

} // namespace mlir::llama
