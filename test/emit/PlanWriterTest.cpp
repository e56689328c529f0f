// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The launch plan is exactly what the host functions say.
#include "compiler/emit/PlanWriter.h"
#include "compiler/pipeline/Registration.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace mlir::llama;

namespace {

/// A tiled module; `prefill` is the body of @prefill.
std::string makeModule(const std::string &prefill) {
  std::string arguments =
      "(%weights: !llvm.ptr<1>, %workspace: !llvm.ptr<1>, "
      "%kv_pool: !llvm.ptr<1>, %rope: !llvm.ptr<1>, %tokens: i32, "
      "%head_start: i32, %head_rows: i32, %splits: i32, %several_splits: i32)";
  return R"(module attributes {gpu.container_module,
    llama.model = #llama.model<hidden_size = 64, intermediate_size = 96,
      layers = 2, heads = 4, kv_heads = 2, head_dim = 16, vocab_size = 128,
      pieces = 120, max_seq_len = 128, max_batch = 8,
      rope = <theta = 1.0e+04 : f64>, rms_norm_eps = 1.0e-05 : f64,
      tied = false, storage = bf16>,
    tile.workspace = {bytes = 4096, tokens = 64, positions = 128, slots = 192,
      block_table = 256, next_token = 512, logits = 1024,
      residual = 2048, residual_stride = 64},
    tile.limits = {max_chunk = 128, head_rows_max = 64, weights_bytes = 9216,
      page_bytes = 16384}} {
  llama.weight @"a.weight" : tensor<64x64xbf16>
  llama.weight @g : tensor<64xbf16>
  tile.stream @a rows(@"a.weight") rows 64 k 64 of bf16 at 0
  tile.stream @n vector(@g) rows 1 k 64 of bf16 at 8192
  gpu.module @kernels {
    gpu.func @embed(%p: !llvm.ptr<1>, %n: i32) kernel { gpu.return }
    gpu.func @qkv(%p: !llvm.ptr<1>, %n: i32) kernel { gpu.return }
  }
  func.func @prefill)" +
         arguments + " {\n" + prefill + "\n return\n }\n" +
         "func.func @decode" + arguments + " { return }\n" + "func.func @head" +
         arguments + " { return }\n}\n";
}

class PlanWriterTest : public ::testing::Test {
protected:
  PlanWriterTest() {
    registerAllLlamacDialects(registry);
    context.appendDialectRegistry(registry);
  }
  OwningOpRef<ModuleOp> parse(const std::string &prefill) {
    auto module = parseSourceString<ModuleOp>(makeModule(prefill), &context);
    EXPECT_TRUE(module);
    return module;
  }
  LogicalResult build(const std::string &prefill, LaunchPlan &plan) {
    return buildLaunchPlan(*parse(prefill), checkpoint,
                           *llrt::findGpuRow("h200"), plan);
  }
  /// The message for a body of @prefill that is no launch plan.
  std::string messageFor(const std::string &prefill) {
    std::string text;
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { text = diagnostic.str(); });
    LaunchPlan plan;
    EXPECT_TRUE(failed(build(prefill, plan)));
    return text;
  }
  DialectRegistry registry;
  MLIRContext context;
  Checkpoint checkpoint;
};

const char *const body = R"(
  %a = tile.place %workspace[64] : !llvm.ptr<1>
  %gx = tile.extent %tokens * 3 per 32
  %gy = tile.extent * 4 per 1
  %gz = tile.extent %several_splits * 1 per 1
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  %five = arith.constant -5 : i32
  %shared = arith.constant 32768 : i32
  gpu.launch_func @kernels::@embed blocks in (%c1, %c1, %c1)
      threads in (%c128, %c1, %c1) args(%rope : !llvm.ptr<1>, %splits : i32)
  gpu.launch_func @kernels::@qkv blocks in (%gx, %gy, %gz)
      threads in (%c128, %c1, %c1) dynamic_shared_memory_size %shared
      args(%a : !llvm.ptr<1>, %five : i32)
      {tile.layer = 3 : i64, tile.programmatic}
)";

TEST_F(PlanWriterTest, LaunchesAndArguments) {
  checkpoint.config.eosIds = {2};
  checkpoint.config.bosId = 1;
  LaunchPlan plan;
  ASSERT_TRUE(succeeded(build(body, plan)));
  const LlamacPlanHeader &header = plan.header;
  EXPECT_EQ(header.functions[LLAMAC_FUNCTION_PREFILL].count, 2u);
  EXPECT_EQ(header.functions[LLAMAC_FUNCTION_DECODE].first, 2u);
  ASSERT_EQ(plan.launches.size(), 2u);
  const LlamacLaunch &launch = plan.launches[1];
  EXPECT_EQ(plan.getKernelName(launch.kernel), "qkv");
  EXPECT_EQ(launch.first_argument, 2u);
  EXPECT_EQ(launch.argument_count, 2u);
  EXPECT_EQ(launch.layer, 3);
  EXPECT_EQ(plan.launches[0].layer, -1);
  EXPECT_EQ(launch.programmatic, 1u);
  EXPECT_EQ(plan.launches[0].programmatic, 0u);
  EXPECT_EQ(launch.dynamic_shared_bytes, 32768u);
  EXPECT_EQ(launch.block[0], 128u);
  EXPECT_EQ(launch.grid[0].variable, uint32_t(LLAMAC_VARIABLE_TOKENS));
  EXPECT_EQ(launch.grid[0].multiplier, 3u);
  EXPECT_EQ(launch.grid[0].divisor, 32u);
  EXPECT_EQ(launch.grid[1].variable, uint32_t(LLAMAC_VARIABLE_ONE));
  EXPECT_EQ(launch.grid[1].multiplier, 4u);
  EXPECT_EQ(launch.grid[2].variable, uint32_t(LLAMAC_VARIABLE_SEVERAL_SPLITS));
  EXPECT_EQ(launch.grid[2].multiplier, 1u);
  const LlamacArgument *arguments = plan.arguments.data();
  EXPECT_EQ(arguments[0].kind, uint32_t(LLAMAC_ARGUMENT_POINTER));
  EXPECT_EQ(arguments[0].buffer, uint32_t(LLAMAC_BUFFER_ROPE));
  EXPECT_EQ(arguments[1].expression.variable, uint32_t(LLAMAC_VARIABLE_SPLITS));
  EXPECT_EQ(arguments[2].buffer, uint32_t(LLAMAC_BUFFER_WORKSPACE));
  EXPECT_EQ(arguments[2].value, 64u);
  EXPECT_EQ(arguments[3].kind, uint32_t(LLAMAC_ARGUMENT_I32));
  EXPECT_EQ(uint32_t(arguments[3].value), uint32_t(-5));
  EXPECT_EQ(arguments[3].expression.multiplier, 0u);
}

TEST_F(PlanWriterTest, HeaderIsFilled) {
  checkpoint.config.eosIds = {2};
  checkpoint.config.bosId = 1;
  checkpoint.generation.eosGiven = true;
  checkpoint.generation.eosIds = {3, 4};
  LaunchPlan plan;
  ASSERT_TRUE(succeeded(build(body, plan)));
  const LlamacPlanHeader &header = plan.header;
  EXPECT_EQ(header.hidden_size, 64u);
  EXPECT_EQ(header.piece_count, 120u);
  EXPECT_EQ(header.max_chunk, 128u);
  EXPECT_EQ(header.head_rows_max, 64u);
  EXPECT_EQ(header.weights_bytes, 9216u);
  EXPECT_EQ(header.workspace_bytes, 4096u);
  EXPECT_EQ(header.logits_offset, 1024u);
  EXPECT_EQ(header.residual_offset, 2048u);
  EXPECT_EQ(header.residual_stride, 64u);
  EXPECT_EQ(header.block_table_offset, 256u);
  EXPECT_EQ(header.dtype, uint32_t(LLAMAC_BF16));
  EXPECT_EQ(header.sm_version, 90u);
  EXPECT_STREQ(plan.strings.c_str() + header.gpu_name_offset, "h200");
  EXPECT_EQ(header.bos_id, 1);
  EXPECT_EQ(plan.eosIds, (std::vector<int32_t>{3, 4}));
  ASSERT_EQ(plan.invFreq.size(), 8u);
  EXPECT_EQ(plan.invFreq[0], 1.0);
  EXPECT_DOUBLE_EQ(plan.invFreq[4], 0.01);
}

TEST_F(PlanWriterTest, SamplingDefaults) {
  LaunchPlan plan;
  ASSERT_TRUE(succeeded(build(body, plan)));
  EXPECT_EQ(plan.header.sampling.temperature, 0.6);
  EXPECT_EQ(plan.header.sampling.top_p, 0.9);
  EXPECT_EQ(plan.header.sampling.top_k, 0u);
  EXPECT_EQ(plan.header.sampling.min_p, 0);
  EXPECT_EQ(plan.header.sampling.repeat_penalty, 1);
  checkpoint.generation.temperature = 0.8;
  checkpoint.generation.topP = 1;
  checkpoint.generation.topK = 50;
  checkpoint.generation.repetitionPenalty = 1.2;
  LaunchPlan given;
  ASSERT_TRUE(succeeded(build(body, given)));
  EXPECT_EQ(given.header.sampling.temperature, 0.8);
  EXPECT_EQ(given.header.sampling.top_p, 1);
  EXPECT_EQ(given.header.sampling.top_k, 50u);
  EXPECT_EQ(given.header.sampling.repeat_penalty, 1.2);
  checkpoint.generation.doSample = false;
  LaunchPlan greedy;
  ASSERT_TRUE(succeeded(build(body, greedy)));
  EXPECT_EQ(greedy.header.sampling.temperature, 0);
}

TEST_F(PlanWriterTest, PackingPlan) {
  auto streams = getPackingPlan(*parse(""));
  ASSERT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams[0].sources, (std::vector<std::string>{"a.weight"}));
  EXPECT_EQ(streams[0].getPackedBytes(), 8192u);
  EXPECT_EQ(streams[1].order, PackedStream::Vector);
  EXPECT_EQ(streams[1].offset, 8192u);
  EXPECT_EQ(streams[1].getPackedBytes(), 128u);
}

TEST_F(PlanWriterTest, WhatIsNoPlanIsNamed) {
  EXPECT_NE(messageFor("%x = arith.addi %tokens, %splits : i32")
                .find("'arith.addi' op cannot be part of a launch plan"),
            std::string::npos);
  EXPECT_NE(messageFor("%c1 = arith.constant 1 : index\n"
                       "gpu.launch_func @kernels::@embed blocks in (%c1, %c1, "
                       "%c1) threads in (%c1, %c1, %c1)\n"
                       "args(%weights : !llvm.ptr<1>, %tokens : i32)\n"
                       "%g = tile.extent %tokens * 1 per 2\n"
                       "gpu.launch_func @kernels::@embed blocks in (%c1, %c1, "
                       "%c1) threads in (%g, %c1, %c1)\n"
                       "args(%weights : !llvm.ptr<1>, %tokens : i32)")
                .find("has a block size that is no constant"),
            std::string::npos);
}

} // namespace
