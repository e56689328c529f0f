// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must hold after a phase is looked for, and the compiled maxima.
#include "compiler/pipeline/Phases.h"
#include "compiler/pipeline/Maxima.h"
#include "compiler/pipeline/Registration.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::llama;

namespace {

class CheckStageTest : public ::testing::Test {
protected:
  CheckStageTest() {
    registerAllLlamacDialects(registry);
    context.appendDialectRegistry(registry);
  }
  /// What the check of `stage` says of a module; "" where it holds.
  std::string check(Stage stage, StringRef text) {
    std::string message;
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { message += diagnostic.str(); });
    auto module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << message;
    if (module && failed(checkStage(*module, stage)))
      return message;
    EXPECT_EQ(message, "");
    return "";
  }
  DialectRegistry registry;
  MLIRContext context;
};

#define EXPECT_SAYS(message, part)                                             \
  EXPECT_NE((message).find(part), std::string::npos) << message

TEST_F(CheckStageTest, LlamaHoldsOnlyTheModel) {
  EXPECT_EQ(check(Stage::Llama, "func.func @prefill() { return }\n"
                                "func.func @decode() { return }"),
            "");
  EXPECT_SAYS(check(Stage::Llama, "func.func @prefill() { return }"),
              "has no function @decode");
  EXPECT_SAYS(check(Stage::Fused, "func.func @prefill() { return }\n"
                                  "func.func @decode() {\n"
                                  "%t = nvvm.read.ptx.sreg.tid.x : i32\n"
                                  "return }"),
              "is none of llama, func and arith");
}

TEST_F(CheckStageTest, TiledPacksEveryWeight) {
  std::string weight = "llama.weight @w : tensor<64x64xbf16>\n";
  std::string stream = "tile.stream @s rows(@w) rows 64 k 64 of bf16 at 0\n";
  std::string kernels = "gpu.module @kernels { }\n";
  std::string functions = "func.func @prefill() { return }\n"
                          "func.func @decode() { return }\n"
                          "func.func @head() { return }\n";
  EXPECT_EQ(check(Stage::Tiled, weight + stream + kernels + functions), "");
  EXPECT_SAYS(check(Stage::Tiled, weight + kernels + functions),
              "is packed by no tile.stream");
  EXPECT_SAYS(check(Stage::Tiled, weight + stream + functions),
              "has no kernels");
  EXPECT_SAYS(check(Stage::Tiled, kernels), "has no function @prefill");
  EXPECT_SAYS(
      check(Stage::Tiled, weight + stream + kernels + functions +
                              "func.func @left() -> tensor<64x64xbf16> {\n"
                              "%w = llama.get_weight @w : tensor<64x64xbf16>\n"
                              "return %w : tensor<64x64xbf16> }"),
      "is left after `tile`");
}

TEST_F(CheckStageTest, NvvmHoldsOnlyLlvm) {
  EXPECT_EQ(check(Stage::Nvvm, "gpu.module @kernels {\n"
                               "llvm.func @k() { llvm.return } }"),
            "");
  EXPECT_SAYS(check(Stage::Nvvm, "gpu.module @kernels {\n"
                                 "gpu.func @k() kernel { gpu.return } }"),
              "is left in a gpu.module after `lower`");
}

TEST(MaximaTest, LargestSequence) {
  Config config;
  config.hiddenSize = 64;
  config.intermediateSize = 64;
  config.layers = 1;
  config.heads = config.kvHeads = 1;
  config.headDim = 64;
  config.vocabSize = 64;
  // Matrices of 64 x 64: embedding, head, q, k, v, o, gate, up, down; three
  // gammas. A page: keys and values of 64 tokens, 128 bytes each.
  uint64_t weights = 9 * 64 * 64 * 2 + 3 * 64 * 2, page = 64 * 2 * 128;
  auto fits = [&](uint64_t bytes, int64_t batch) {
    return getLargestSeqLen(config, DType::BF16, batch, bytes);
  };
  // A sixteenth stays free.
  EXPECT_EQ(fits((weights + 8 * page) * 16 / 15 + 16, 8), 64);
  EXPECT_EQ(fits((weights + 8 * page) * 16 / 15 - 16, 8), 0);
  EXPECT_EQ(fits((weights + 16 * page) * 16 / 15 + 16, 4), 256);
  EXPECT_EQ(fits(1000, 1), 0);
  EXPECT_EQ(fits(0, 1), 0);
}

} // namespace
