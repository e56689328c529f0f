// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Appends sections to a finished ELF executable, streaming.
//
//   bytes of the base executable    as they are, but for the section table's
//                                   place and count in the ELF header
//   page-aligned: section           PROGBITS, not allocated, sh_addralign 4096
//   ...
//   section names                   the old ones and the new ones
//   section table                   the old entries and the new ones
//
// Nothing is read back, and memory does not depend on the sections' sizes. The
// base's own section table stays where it was, unused.
#ifndef LLAMAC_COMPILER_EMIT_ELFWRITER_H
#define LLAMAC_COMPILER_EMIT_ELFWRITER_H

#include "compiler/emit/OutputFile.h"
#include "runtime/ExecutableFormat.h"

#include <elf.h>
#include <string>
#include <vector>

namespace mlir::llama {

class ElfWriter {
public:
  /// Copies `base`, a 64-bit little-endian ELF executable, to `output`.
  static llrt::Result<std::unique_ptr<ElfWriter>>
  create(OutputFile &output, const std::string &base);
  ~ElfWriter();

  llrt::Error beginSection(const std::string &name);
  llrt::Error append(const void *data, size_t size);
  /// Size and XXH3 of what was appended.
  LlamacSectionCheck endSection();
  llrt::Error addSection(const std::string &name, const void *data, size_t size,
                         LlamacSectionCheck &check);
  /// Writes names and table. The caller commits the file.
  llrt::Error finish();

private:
  explicit ElfWriter(OutputFile &output);
  OutputFile &output;
  Elf64_Ehdr header;
  std::vector<Elf64_Shdr> table;
  std::string names;
  struct Hash;
  std::unique_ptr<Hash> hash;
};

} // namespace mlir::llama

#endif
