// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hands the embedded files to NVRTC.
#include "compiler/emit/EmitKernels.h"

#include "runtime/kernels/KernelSources.h"
#include "runtime/kernels/SamplerFormat.h"

namespace mlir::llama {

llrt::Result<CudaImages> emitKernels(const std::string &pieces,
                                     const KernelConstants &constants,
                                     const std::string &chip, bool cubin) {
  if (constants.vocabulary > llrt::samplerVocabularyMax)
    return llrt::Error(
        "vocab_size: found " + std::to_string(constants.vocabulary) +
        ", expected at most " + std::to_string(llrt::samplerVocabularyMax) +
        ", which the sampler's sums can hold");
  llrt::Result<std::unique_ptr<Nvrtc>> nvrtc = Nvrtc::open(pieces);
  if (!nvrtc)
    return nvrtc.error();
  std::vector<CudaSource> sources;
  for (const llrt::KernelSource *source = llrt::kernelSources; source->name;
       ++source)
    sources.push_back({source->name, source->text});
  return (*nvrtc)->compile(
      sources, chip,
      {"LLAMAC_VOCABULARY=" + std::to_string(constants.vocabulary),
       "LLAMAC_PIECES=" + std::to_string(constants.pieces)},
      cubin);
}

} // namespace mlir::llama
