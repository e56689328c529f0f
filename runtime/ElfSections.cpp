// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bounds first, then names, then overlaps.
#include "runtime/ElfSections.h"

#include <algorithm>
#include <cstring>
#include <elf.h>

using namespace llrt;

namespace {

constexpr uint64_t pageBytes = 4096;
const char *const again =
    "; the file is cut or altered: compile the model again, or copy it again";

bool inside(uint64_t offset, uint64_t size, uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

struct Extent {
  uint64_t offset, size;
  std::string name;
  bool ours;
};

} // namespace

/// Our sections may share bytes with nothing. `extents`: everything that the
/// table places in the file.
static Error checkOverlaps(std::vector<Extent> extents,
                           const std::string &path) {
  std::sort(
      extents.begin(), extents.end(),
      [](const Extent &a, const Extent &b) { return a.offset < b.offset; });
  // The extent that reaches farthest so far, among ours and among all.
  const Extent *all = nullptr, *ours = nullptr;
  for (const Extent &extent : extents) {
    const Extent *other = extent.ours ? all : ours;
    if (other && other->offset + other->size > extent.offset)
      return Error(path + ": " + other->name + " (bytes " +
                   std::to_string(other->offset) + " to " +
                   std::to_string(other->offset + other->size) + ") and " +
                   extent.name + " (from " + std::to_string(extent.offset) +
                   ") overlap" + again);
    auto farther = [&](const Extent *best) {
      return !best || extent.offset + extent.size > best->offset + best->size;
    };
    if (farther(all))
      all = &extent;
    if (extent.ours && farther(ours))
      ours = &extent;
  }
  return Error::success();
}

Result<std::vector<ElfSection>>
llrt::readElfSections(View<uint8_t> file, const std::string &path,
                      const std::string &prefix) {
  Elf64_Ehdr header;
  if (file.size() < sizeof header)
    return Error(path + ": ELF header: found " + std::to_string(file.size()) +
                 " bytes, expected at least " + std::to_string(sizeof header) +
                 again);
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return Error(path + ": is no ELF file (its first four bytes are not 7f 45 "
                        "4c 46): give an executable made by llamac");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB)
    return Error(path + ": is no 64-bit little-endian ELF file: give an "
                        "executable made by llamac");
  uint64_t tableBytes =
      static_cast<uint64_t>(header.e_shnum) * sizeof(Elf64_Shdr);
  if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr))
    return Error(path + ": section table: found " +
                 std::to_string(header.e_shnum) + " entries of " +
                 std::to_string(header.e_shentsize) +
                 " bytes, expected at least one of " +
                 std::to_string(sizeof(Elf64_Shdr)) + again);
  if (!inside(header.e_shoff, tableBytes, file.size()))
    return Error(path + ": section table: lies at byte " +
                 std::to_string(header.e_shoff) + " with " +
                 std::to_string(tableBytes) + " bytes, but the file has " +
                 std::to_string(file.size()) + again);
  std::vector<Elf64_Shdr> table(header.e_shnum);
  std::memcpy(table.data(), file.data() + header.e_shoff, tableBytes);
  if (header.e_shstrndx >= table.size())
    return Error(path + ": section names: index " +
                 std::to_string(header.e_shstrndx) + " of a table of " +
                 std::to_string(table.size()) + again);
  const Elf64_Shdr &names = table[header.e_shstrndx];
  if (!inside(names.sh_offset, names.sh_size, file.size()))
    return Error(path + ": section names: lie outside the file" + again);
  const char *nameBytes =
      reinterpret_cast<const char *>(file.data() + names.sh_offset);

  std::vector<ElfSection> sections;
  std::vector<Extent> extents{
      {0, sizeof header, "the ELF header", false},
      {header.e_shoff, tableBytes, "the section table", false}};
  for (const Elf64_Shdr &entry : table) {
    std::string name;
    if (entry.sh_name < names.sh_size)
      name.assign(
          nameBytes + entry.sh_name,
          strnlen(nameBytes + entry.sh_name, names.sh_size - entry.sh_name));
    bool ours = name.compare(0, prefix.size(), prefix) == 0;
    if (entry.sh_type == SHT_NOBITS || entry.sh_type == SHT_NULL ||
        entry.sh_size == 0) {
      if (ours)
        return Error(path + ": section " + name + ": holds no bytes (type " +
                     std::to_string(entry.sh_type) + ", size " +
                     std::to_string(entry.sh_size) + ")" + again);
      continue;
    }
    if (!inside(entry.sh_offset, entry.sh_size, file.size())) {
      if (!ours)
        continue;
      return Error(path + ": section " + name + ": lies at byte " +
                   std::to_string(entry.sh_offset) + " with " +
                   std::to_string(entry.sh_size) + " bytes, but the file has " +
                   std::to_string(file.size()) + again);
    }
    extents.push_back(
        {entry.sh_offset, entry.sh_size, "section " + name, ours});
    if (!ours)
      continue;
    if (entry.sh_offset % pageBytes != 0)
      return Error(path + ": section " + name + ": starts at byte " +
                   std::to_string(entry.sh_offset) +
                   ", expected a multiple of " + std::to_string(pageBytes) +
                   again);
    for (const ElfSection &other : sections)
      if (other.name == name)
        return Error(path + ": section " + name + ": there are two" + again);
    sections.push_back({name, entry.sh_offset, entry.sh_size});
  }
  if (Error error = checkOverlaps(std::move(extents), path))
    return error;
  return sections;
}
