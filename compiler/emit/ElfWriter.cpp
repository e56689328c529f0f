// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The streaming ELF writer.
#include "compiler/emit/ElfWriter.h"

#include "runtime/MappedFile.h"

#define XXH_INLINE_ALL
#include <cstring>
#include <xxhash.h>

namespace mlir::llama {

constexpr uint64_t pageBytes = 4096;

struct ElfWriter::Hash {
  XXH3_state_t state; // 64-byte aligned, as `new` aligns it in C++17
};

ElfWriter::ElfWriter(OutputFile &output)
    : output(output), hash(std::make_unique<Hash>()) {}
ElfWriter::~ElfWriter() = default;

llrt::Result<std::unique_ptr<ElfWriter>>
ElfWriter::create(OutputFile &output, const std::string &base) {
  auto file = llrt::MappedFile::open(base);
  if (!file)
    return file.error();
  const uint8_t *bytes = (*file)->data();
  uint64_t size = (*file)->size();
  auto damaged = [&] {
    return llrt::Error(base + ": is no 64-bit ELF executable with a section "
                              "table; install llamac again");
  };
  std::unique_ptr<ElfWriter> writer(new ElfWriter(output));
  Elf64_Ehdr &header = writer->header;
  if (size < sizeof header)
    return damaged();
  std::memcpy(&header, bytes, sizeof header);
  uint64_t tableBytes = uint64_t(header.e_shnum) * sizeof(Elf64_Shdr);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_shentsize != sizeof(Elf64_Shdr) ||
      header.e_shstrndx >= header.e_shnum || header.e_shoff > size ||
      tableBytes > size - header.e_shoff)
    return damaged();
  writer->table.resize(header.e_shnum);
  std::memcpy(writer->table.data(), bytes + header.e_shoff, tableBytes);
  const Elf64_Shdr &names = writer->table[header.e_shstrndx];
  if (names.sh_offset > size || names.sh_size > size - names.sh_offset)
    return damaged();
  writer->names.assign(reinterpret_cast<const char *>(bytes + names.sh_offset),
                       names.sh_size);
  if (llrt::Error error = output.write(bytes, size))
    return error;
  return writer;
}

llrt::Error ElfWriter::beginSection(const std::string &name) {
  if (llrt::Error error = output.align(pageBytes))
    return error;
  Elf64_Shdr entry = {};
  entry.sh_name = static_cast<Elf64_Word>(names.size());
  entry.sh_type = SHT_PROGBITS;
  entry.sh_offset = output.position();
  entry.sh_addralign = pageBytes;
  table.push_back(entry);
  names.append(name.c_str(), name.size() + 1);
  XXH3_64bits_reset(&hash->state);
  return llrt::Error::success();
}

llrt::Error ElfWriter::append(const void *data, size_t size) {
  XXH3_64bits_update(&hash->state, data, size);
  return output.write(data, size);
}

LlamacSectionCheck ElfWriter::endSection() {
  table.back().sh_size = output.position() - table.back().sh_offset;
  return {table.back().sh_size, XXH3_64bits_digest(&hash->state)};
}

llrt::Error ElfWriter::addSection(const std::string &name, const void *data,
                                  size_t size, LlamacSectionCheck &check) {
  if (llrt::Error error = beginSection(name))
    return error;
  if (llrt::Error error = append(data, size))
    return error;
  check = endSection();
  return llrt::Error::success();
}

llrt::Error ElfWriter::finish() {
  // The names move behind everything, so that the base's bytes stay.
  Elf64_Shdr &nameEntry = table[header.e_shstrndx];
  if (llrt::Error error = output.align(pageBytes))
    return error;
  nameEntry.sh_offset = output.position();
  nameEntry.sh_size = names.size();
  if (llrt::Error error = output.write(names.data(), names.size()))
    return error;
  if (llrt::Error error = output.align(alignof(Elf64_Shdr)))
    return error;
  header.e_shoff = output.position();
  header.e_shnum = static_cast<Elf64_Half>(table.size());
  if (llrt::Error error =
          output.write(table.data(), table.size() * sizeof(Elf64_Shdr)))
    return error;
  return output.writeAt(0, &header, sizeof header);
}

} // namespace mlir::llama
