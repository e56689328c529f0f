// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the file, checks the sections against the plan, hands out views.
#include "runtime/Executable.h"

#include "runtime/ElfSections.h"
#include "runtime/MappedFile.h"
#include "runtime/PieceHash.h"

#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <sys/auxv.h>
#include <thread>
#include <unistd.h>
#include <xxhash.h>

namespace llrt {

/// Fills an Executable step by step; each step trusts the ones before it.
class ExecutableReader {
public:
  ExecutableReader(Executable &result, const std::string &path)
      : result(result), path(path) {}
  Error read(const std::string &file, Executable::Check check);

private:
  /// Null: not looked at.
  using Hash = uint64_t (*)(View<uint8_t> bytes);
  Error plan();
  Error section(const char *name, const LlamacSectionCheck &expected, Hash hash,
                View<uint8_t> &bytes);
  /// A section of PTX, without the NUL that ends it.
  Error text(const char *name, const LlamacSectionCheck &expected,
             std::string_view &text);
  template <typename T> View<T> array(uint64_t offset, uint32_t count) {
    return View<T>(reinterpret_cast<const T *>(planBytes.data() + offset),
                   count);
  }

  Executable &result;
  const std::string &path;
  std::vector<ElfSection> sections;
  View<uint8_t> planBytes;
};

} // namespace llrt

using namespace llrt;

static uint64_t hashWhole(View<uint8_t> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

static uint64_t hashInPieces(View<uint8_t> bytes) {
  return hashPieces(bytes, std::thread::hardware_concurrency());
}

static std::string_view asText(View<uint8_t> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

Error ExecutableReader::plan() {
  for (const ElfSection &section : sections)
    if (section.name == LLAMAC_SECTION_PLAN)
      planBytes = result.file->bytes().slice(section.offset, section.size);
  if (planBytes.empty())
    return Error(path +
                 ": section " LLAMAC_SECTION_PLAN
                 ": found none, expected one: this is no executable made by "
                 "llamac (or only the bare runtime that llamac copies); make "
                 "one with `llamac MODEL -o OUT`");
  return checkPlan(planBytes, path + ": section " LLAMAC_SECTION_PLAN);
}

Error ExecutableReader::section(const char *name,
                                const LlamacSectionCheck &expected, Hash hash,
                                View<uint8_t> &bytes) {
  const ElfSection *found = nullptr;
  for (const ElfSection &section : sections)
    if (section.name == name)
      found = &section;
  std::string where = path + ": section " + name + ": ";
  const char *again =
      "; the file is cut or altered: compile the model again, or copy it again";
  uint64_t size = found ? found->size : 0;
  if (size != expected.size)
    return Error(
        where + "found " + (found ? std::to_string(size) + " bytes" : "none") +
        ", expected " +
        (expected.size ? std::to_string(expected.size) + " bytes" : "none") +
        again);
  if (!found)
    return Error::success();
  bytes = result.file->bytes().slice(found->offset, found->size);
  if (!hash)
    return Error::success();
  uint64_t actual = hash(bytes);
  if (actual == expected.hash)
    return Error::success();
  char text[96];
  std::snprintf(text, sizeof text,
                "XXH3 hash: found 0x%016" PRIx64 ", expected 0x%016" PRIx64,
                actual, expected.hash);
  return Error(where + text + again);
}

Error ExecutableReader::text(const char *name,
                             const LlamacSectionCheck &expected,
                             std::string_view &text) {
  View<uint8_t> bytes;
  if (Error error = section(name, expected, &hashWhole, bytes))
    return error;
  if (bytes.empty() || bytes[bytes.size() - 1] != 0)
    return Error(path + ": section " + name +
                 ": found no NUL at its end, expected PTX text; compile the "
                 "model again");
  text = asText(bytes.slice(0, bytes.size() - 1));
  return Error::success();
}

Error ExecutableReader::read(const std::string &file, Executable::Check check) {
  Result<std::unique_ptr<const MappedFile>> mapped = MappedFile::open(file);
  if (!mapped)
    return mapped.error();
  result.filePath = path;
  result.file = std::move(*mapped);
  Result<std::vector<ElfSection>> found =
      readElfSections(result.file->bytes(), path, ".llamac.");
  if (!found)
    return found.error();
  sections = std::move(*found);
  if (Error error = plan())
    return error;

  auto *header = reinterpret_cast<const LlamacPlanHeader *>(planBytes.data());
  result.header = header;
  result.allKernels =
      array<LlamacKernel>(header->kernels_offset, header->kernel_count);
  result.allLaunches =
      array<LlamacLaunch>(header->launches_offset, header->launch_count);
  result.allArguments =
      array<LlamacArgument>(header->arguments_offset, header->argument_count);
  result.eos = array<int32_t>(header->eos_offset, header->eos_count);
  result.frequencies =
      array<double>(header->inv_freq_offset, header->inv_freq_count);
  result.strings =
      reinterpret_cast<const char *>(planBytes.data() + header->strings_offset);
  result.row = findGpuRow(result.strings + header->gpu_name_offset);

  View<uint8_t> tokenizer, passport;
  if (Error error = text(LLAMAC_SECTION_PTX, header->ptx, result.ptxText))
    return error;
  if (Error error = text(LLAMAC_SECTION_KERNELS_PTX, header->kernels_ptx,
                         result.kernelsPtxText))
    return error;
  View<uint8_t> cubin, kernelsCubin;
  if (Error error =
          section(LLAMAC_SECTION_CUBIN, header->cubin, &hashWhole, cubin))
    return error;
  if (Error error = section(LLAMAC_SECTION_KERNELS_CUBIN, header->kernels_cubin,
                            &hashWhole, kernelsCubin))
    return error;
  if (Error error = section(LLAMAC_SECTION_TOKENIZER, header->tokenizer,
                            &hashWhole, tokenizer))
    return error;
  if (Error error = section(LLAMAC_SECTION_PASSPORT, header->passport,
                            &hashWhole, passport))
    return error;
  if (Error error = section(LLAMAC_SECTION_TENSORS, header->tensors, &hashWhole,
                            result.tensorBytes))
    return error;
  if (Error error = section(LLAMAC_SECTION_SELFTEST, header->selftest,
                            &hashWhole, result.selftestBytes))
    return error;
  bool inside = header->weights_place == LLAMAC_WEIGHTS_INSIDE;
  result.weightsHashed = check == Executable::Check::All;
  if (Error error = section(LLAMAC_SECTION_WEIGHTS,
                            inside ? header->weights : LlamacSectionCheck{0, 0},
                            result.weightsHashed ? &hashInPieces : nullptr,
                            result.weightBytes))
    return error;
  result.tokenizerBytes = asText(tokenizer);
  result.passportText = asText(passport);
  result.cubinBytes = asText(cubin);
  result.kernelsCubinBytes = asText(kernelsCubin);
  return Error::success();
}

Executable::Executable() = default;
Executable::~Executable() = default;

Result<std::unique_ptr<Executable>> Executable::openAs(const std::string &file,
                                                       const std::string &name,
                                                       Check check) {
  std::unique_ptr<Executable> result(new Executable());
  if (Error error = ExecutableReader(*result, name).read(file, check))
    return error;
  return result;
}

Result<std::unique_ptr<Executable>> Executable::open(const std::string &path,
                                                     Check check) {
  return openAs(path, path, check);
}

Result<std::unique_ptr<Executable>> Executable::openSelf(Check check) {
  // The link opens the right file even if another took its name meanwhile; the
  // link's target is the name that the user knows.
  char target[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", target, sizeof target);
  if (length > 0)
    return openAs("/proc/self/exe", std::string(target, length), check);
  auto name = reinterpret_cast<const char *>(getauxval(AT_EXECFN));
  if (!name)
    return Error("the running executable cannot be found: /proc/self/exe is "
                 "not readable and the kernel gave no "
                 "AT_EXECFN; mount /proc");
  return open(name, check);
}

View<LlamacLaunch> Executable::launches(LlamacFunction function) const {
  const LlamacRange &range = header->functions[function];
  return allLaunches.slice(range.first, range.count);
}

const char *Executable::kernelName(uint32_t index) const {
  return strings + allKernels[index].name_offset;
}
