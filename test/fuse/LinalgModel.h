// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A checkpoint that runs on the CPU by way of llama-to-linalg: imported, fused
// or not, lowered to LLVM and compiled in memory. The second oracle of the
// tests.
#ifndef LLAMAC_TEST_FUSE_LINALGMODEL_H
#define LLAMAC_TEST_FUSE_LINALGMODEL_H

#include "compiler/import/Checkpoint.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/MLIRContext.h"

#include <cstdlib>
#include <memory>
#include <vector>

namespace mlir::llama::test {

/// A static tensor of 4-byte elements as the C interface of a lowered function
/// takes it, row major.
struct Buffer {
  std::vector<int64_t> shape;
  std::shared_ptr<void> bytes; // product of shape * 4

  template <typename T> T *data() const {
    return static_cast<T *>(bytes.get());
  }
  int64_t count() const;
  static Buffer allocate(std::vector<int64_t> shape);
};

/// One sequence, in f32, whatever type the checkpoint stores.
class LinalgModel {
public:
  /// Null, with a message on stderr, where a step of the compilation failed.
  /// `chunk` tokens are what prefill takes and what a cache holds.
  static std::unique_ptr<LinalgModel> create(const std::string &folder,
                                             bool fused, int64_t positions);

  /// @prefill from position 0; empties the cache before. [ids, vocabulary]:
  /// the logits of every id given.
  std::vector<float> prefill(const std::vector<int32_t> &ids);

  /// @decode of one id at the next position: the token chosen.
  int32_t decode(int32_t id);

  int64_t getVocabSize() const { return checkpoint.config.vocabSize; }

private:
  LinalgModel() = default;
  bool compile(bool fused);
  void addLengths(int64_t length, std::vector<Buffer> &arguments);
  void call(const std::string &name, const std::vector<Buffer> &arguments,
            std::vector<Buffer> &results);

  Checkpoint checkpoint;
  int64_t positions = 0;
  int64_t next = 0; // position of the next id
  MLIRContext context;
  std::vector<std::vector<float>> weights; // what the globals stand for
  std::vector<Buffer>
      caches; // key and value of each layer, [1, positions, kv_heads, head_dim]
  std::unique_ptr<ExecutionEngine> engine;
};

} // namespace mlir::llama::test

#endif // LLAMAC_TEST_FUSE_LINALGMODEL_H
