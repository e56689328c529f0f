// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Puts the sections into the executable, in one pass.
#include "compiler/emit/EmitExecutable.h"

#include "compiler/emit/ElfWriter.h"

namespace mlir::llama {

llrt::Error emitExecutable(const std::string &runtime,
                           const std::string &output, ExecutableParts &parts,
                           uint64_t &outputBytes,
                           std::vector<std::string> &warnings) {
  auto file = OutputFile::create(output, /*executable=*/true);
  if (!file)
    return file.error();
  auto created = ElfWriter::create(**file, runtime);
  if (!created)
    return created.error();
  ElfWriter &writer = **created;
  LlamacPlanHeader &header = parts.plan.header;
  if (llrt::Error error =
          writer.addSection(LLAMAC_SECTION_PTX, parts.ptx.c_str(),
                            parts.ptx.size() + 1, header.ptx))
    return error;
  if (llrt::Error error = writer.addSection(
          LLAMAC_SECTION_KERNELS_PTX, parts.kernelsPtx.c_str(),
          parts.kernelsPtx.size() + 1, header.kernels_ptx))
    return error;
  if (const auto &tokenizer = parts.checkpoint.tokenizer)
    if (llrt::Error error =
            writer.addSection(LLAMAC_SECTION_TOKENIZER, tokenizer->bytes.data(),
                              tokenizer->bytes.size(), header.tokenizer))
      return error;
  if (llrt::Error error =
          writer.addSection(LLAMAC_SECTION_PASSPORT, parts.passport.data(),
                            parts.passport.size(), header.passport))
    return error;
  header.weights_inside = parts.weightsInside;
  header.weights = {header.weights_bytes, 0};
  if (parts.weightsInside) {
    if (llrt::Error error = writer.beginSection(LLAMAC_SECTION_WEIGHTS))
      return error;
    auto sink = [&](const void *data, size_t size) {
      return writer.append(data, size);
    };
    if (llrt::Error error =
            packWeights(parts.checkpoint, parts.streams, header.weights_bytes,
                        parts.threads, sink, warnings))
      return error;
    header.weights = writer.endSection();
  }
  std::vector<uint8_t> plan = parts.plan.serialize();
  LlamacSectionCheck ignored;
  if (llrt::Error error = writer.addSection(LLAMAC_SECTION_PLAN, plan.data(),
                                            plan.size(), ignored))
    return error;
  if (llrt::Error error = writer.finish())
    return error;
  outputBytes = (*file)->position();
  return (*file)->commit();
}

} // namespace mlir::llama
