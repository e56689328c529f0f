// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Puts the sections into the executable, in one pass.
#include "compiler/emit/EmitExecutable.h"

#include "compiler/emit/ElfWriter.h"
#include "compiler/emit/TensorTableWriter.h"
#include "compiler/emit/WeightsFile.h"

namespace mlir::llama {
namespace {

class ExecutableEmitter {
public:
  ExecutableEmitter(ElfWriter &writer, ExecutableParts &parts,
                    std::vector<std::string> &warnings)
      : writer(writer), parts(parts), header(parts.plan.header),
        warnings(warnings) {}

  llrt::Error emit(const std::string &output,
                   std::unique_ptr<OutputFile> &weightsFile) {
    if (llrt::Error error = addSmallSections())
      return error;
    header.weights_place = parts.place;
    header.weights = {header.weights_bytes, 0};
    if (parts.place == LLAMAC_WEIGHTS_INSIDE) {
      if (llrt::Error error = writer.beginSection(LLAMAC_SECTION_WEIGHTS))
        return error;
      if (llrt::Error error = pack([&](const void *data, size_t size) {
            return writer.append(data, size);
          }))
        return error;
      writer.endSection();
    }
    if (parts.place == LLAMAC_WEIGHTS_BESIDE)
      if (llrt::Error error = writeBeside(output, weightsFile))
        return error;
    std::string passport = parts.makePassport();
    if (llrt::Error error =
            writer.addSection(LLAMAC_SECTION_PASSPORT, passport.data(),
                              passport.size(), header.passport))
      return error;
    std::vector<uint8_t> plan = parts.plan.serialize();
    LlamacSectionCheck ignored;
    if (llrt::Error error = writer.addSection(LLAMAC_SECTION_PLAN, plan.data(),
                                              plan.size(), ignored))
      return error;
    return writer.finish();
  }

private:
  llrt::Error addSmallSections() {
    if (llrt::Error error =
            writer.addSection(LLAMAC_SECTION_PTX, parts.ptx.c_str(),
                              parts.ptx.size() + 1, header.ptx))
      return error;
    if (llrt::Error error = writer.addSection(
            LLAMAC_SECTION_KERNELS_PTX, parts.kernelsPtx.c_str(),
            parts.kernelsPtx.size() + 1, header.kernels_ptx))
      return error;
    if (!parts.cubin.empty()) {
      if (llrt::Error error =
              writer.addSection(LLAMAC_SECTION_CUBIN, parts.cubin.data(),
                                parts.cubin.size(), header.cubin))
        return error;
      if (llrt::Error error = writer.addSection(
              LLAMAC_SECTION_KERNELS_CUBIN, parts.kernelsCubin.data(),
              parts.kernelsCubin.size(), header.kernels_cubin))
        return error;
    }
    if (const auto &tokenizer = parts.checkpoint.tokenizer)
      if (llrt::Error error = writer.addSection(
              LLAMAC_SECTION_TOKENIZER, tokenizer->bytes.data(),
              tokenizer->bytes.size(), header.tokenizer))
        return error;
    std::vector<uint8_t> table =
        makeTensorTable(parts.checkpoint.config, parts.streams);
    header.weights_id = getWeightsId(table, header.dtype);
    if (llrt::Error error = writer.addSection(
            LLAMAC_SECTION_TENSORS, table.data(), table.size(), header.tensors))
      return error;
    if (parts.selftest.empty())
      return llrt::Error::success();
    return writer.addSection(LLAMAC_SECTION_SELFTEST, parts.selftest.data(),
                             parts.selftest.size(), header.selftest);
  }

  /// Packs into `sink`, and notes the hash.
  llrt::Error pack(const ByteSink &sink) {
    WeightsHasher hasher(header.weights_bytes);
    uint64_t packed = 0;
    if (llrt::Error error = packWeights(
            parts.checkpoint, parts.streams, header.weights_bytes,
            parts.threads,
            [&](const void *data, size_t size) {
              hasher.append(data, size);
              packed += size;
              if (parts.progress)
                parts.progress(packed);
              return sink(data, size);
            },
            warnings))
      return error;
    header.weights.hash = hasher.result();
    return llrt::Error::success();
  }

  llrt::Error writeBeside(const std::string &output,
                          std::unique_ptr<OutputFile> &file) {
    auto created =
        OutputFile::create(getWeightsPath(output), /*executable=*/false);
    if (!created)
      return created.error();
    file = std::move(*created);
    // The place of the header, whose hash is known only at the end.
    const std::vector<uint8_t> page(LLAMAC_WEIGHTS_HEADER_BYTES);
    if (llrt::Error error = file->write(page.data(), page.size()))
      return error;
    if (llrt::Error error = pack([&](const void *data, size_t size) {
          return file->write(data, size);
        }))
      return error;
    LlamacWeightsHeader start = makeWeightsHeader(header);
    return file->writeAt(0, &start, sizeof start);
  }

  ElfWriter &writer;
  ExecutableParts &parts;
  LlamacPlanHeader &header;
  std::vector<std::string> &warnings;
};

} // namespace

llrt::Error emitExecutable(const std::string &runtime,
                           const std::string &output, ExecutableParts &parts,
                           WrittenBytes &written,
                           std::vector<std::string> &warnings) {
  auto file = OutputFile::create(output, /*executable=*/true);
  if (!file)
    return file.error();
  auto writer = ElfWriter::create(**file, runtime);
  if (!writer)
    return writer.error();
  std::unique_ptr<OutputFile> weightsFile;
  if (llrt::Error error = ExecutableEmitter(**writer, parts, warnings)
                              .emit(output, weightsFile))
    return error;
  written.executable = (*file)->position();
  if (!weightsFile)
    return (*file)->commit();
  written.weightsFile = weightsFile->position();
  return OutputFile::commitBoth(*weightsFile, **file);
}

} // namespace mlir::llama
