// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// XXH3 of pieces, and of their hashes.
#include "runtime/PieceHash.h"

#include "runtime/ExecutableFormat.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <xxhash.h>

using namespace llrt;

PieceHash::PieceHash(uint64_t bytes)
    : bytes(bytes), pieces((bytes + LLAMAC_WEIGHT_PIECE_BYTES - 1) /
                           LLAMAC_WEIGHT_PIECE_BYTES) {}

uint64_t PieceHash::offset(size_t piece) const {
  return static_cast<uint64_t>(piece) * LLAMAC_WEIGHT_PIECE_BYTES;
}

uint64_t PieceHash::size(size_t piece) const {
  return std::min<uint64_t>(LLAMAC_WEIGHT_PIECE_BYTES, bytes - offset(piece));
}

void PieceHash::add(size_t piece, const void *data) {
  pieces[piece] = XXH3_64bits(data, size(piece));
}

uint64_t PieceHash::result() const {
  return XXH3_64bits(pieces.data(), pieces.size() * sizeof pieces[0]);
}

uint64_t llrt::hashPieces(View<uint8_t> bytes, unsigned threads) {
  PieceHash hash(bytes.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t piece; (piece = next++) < hash.count();)
      hash.add(piece, bytes.data() + hash.offset(piece));
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads && i < hash.count(); ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  return hash.result();
}
