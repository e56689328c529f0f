// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// MLIR to PTX to the emulator, for one gpu.module.
#include "test/tile/KernelFixture.h"

#include "compiler/emit/EmitPTX.h"
#include "compiler/lower/Passes.h"
#include "dialects/tile/TileDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using llvm::APFloat;

namespace llamactest {

Storage::Storage(StringRef name)
    : name(name), semantics(name == "bf16"  ? APFloat::BFloat()
                            : name == "f16" ? APFloat::IEEEhalf()
                                            : APFloat::IEEEsingle()),
      bytes(name == "f32" ? 4 : 2) {}

Type Storage::type(OpBuilder &builder) const {
  if (name == "bf16")
    return builder.getBF16Type();
  if (name == "f16")
    return builder.getF16Type();
  return builder.getF32Type();
}

uint32_t Storage::bits(float value) const {
  APFloat converted(value);
  bool lossy;
  converted.convert(semantics, APFloat::rmNearestTiesToEven, &lossy);
  return converted.bitcastToAPInt().getZExtValue();
}

float Storage::value(uint32_t bits) const {
  APFloat converted(semantics, llvm::APInt(bytes * 8, bits));
  bool lossy;
  converted.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                    &lossy);
  return converted.convertToFloat();
}

std::vector<uint8_t> Storage::pack(const std::vector<float> &values) const {
  std::vector<uint8_t> packed(values.size() * bytes);
  for (size_t i = 0; i < values.size(); ++i)
    put(packed, i, bits(values[i]));
  return packed;
}

void KernelFixture::build(llvm::function_ref<void(OpBuilder &)> fill) {
  DialectRegistry registry;
  registerEmitPTXTranslations(registry);
  MLIRContext context(registry);
  context.loadDialect<arith::ArithDialect, gpu::GPUDialect, LLVM::LLVMDialect,
                      NVVM::NVVMDialect, scf::SCFDialect, tile::TileDialect>();
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  builder.setInsertionPointToStart(module->getBody());
  auto kernels = gpu::GPUModuleOp::create(builder, loc, "kernels");
  builder.setInsertionPointToStart(kernels.getBody());
  fill(builder);
  const llrt::GpuRow &gpu = *llrt::findGpuRow(row);
  PassManager manager(&context);
  lower::buildLowerPipeline(manager, row);
  ASSERT_TRUE(succeeded(manager.run(*module)));
  FailureOr<std::string> ptx = emitPTX(*module, gpu);
  ASSERT_TRUE(succeeded(ptx));

  llrt::EmulatorOptions options;
  options.check = true;
  auto created = llrt::createEmulatorDevice(llrt::emulatedGpu(gpu), options);
  ASSERT_TRUE(created) << created.error().message();
  device = std::move(*created);
  auto result = device->loadModule(*ptx, "kernels");
  ASSERT_TRUE(result) << result.error().message();
  loaded = *result;
}

llrt::Kernel *KernelFixture::find(StringRef name) {
  auto kernel = device->findKernel(loaded, std::string(name));
  EXPECT_TRUE(kernel) << kernel.error().message();
  return kernel ? *kernel : nullptr;
}

llrt::DeviceAddress KernelFixture::upload(const void *data, size_t bytes) {
  auto address = device->allocate(bytes, "test buffer");
  EXPECT_TRUE(address) << address.error().message();
  if (auto error = device->copyToDevice(*address, data, bytes))
    ADD_FAILURE() << error.message();
  return *address;
}

void KernelFixture::download(void *data, llrt::DeviceAddress from,
                             size_t bytes) {
  if (auto error = device->copyToHost(data, from, bytes))
    ADD_FAILURE() << error.message();
}

void KernelFixture::launch(llrt::Kernel *kernel, llrt::Dim3 grid,
                           uint32_t threads, uint32_t sharedBytes,
                           std::vector<const void *> arguments) {
  llrt::LaunchShape shape;
  shape.grid = grid;
  shape.block.x = threads;
  shape.dynamicSharedBytes = sharedBytes;
  if (auto error =
          device->launch(kernel, shape, arguments.data(), arguments.size()))
    FAIL() << error.message();
  if (auto error = device->synchronize())
    FAIL() << error.message();
}

} // namespace llamactest
