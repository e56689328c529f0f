// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the packed weights, and checks that they are this model's.
#include "runtime/WeightSource.h"

#include "runtime/MappedFile.h"

#include <cinttypes>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <xxhash.h>

using namespace llrt;

namespace {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016" PRIx64, value);
  return text;
}

/// With every symlink resolved; as it is where that fails.
std::string realPath(const std::string &path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) ? resolved : path;
}

} // namespace

std::string llrt::weightsFileOf(const std::string &executable) {
  return executable + ".weights";
}

WeightSource::WeightSource(const Executable &executable)
    : executable(executable) {}
WeightSource::~WeightSource() = default;

Result<std::shared_ptr<const WeightSource>>
WeightSource::open(const Executable &executable, const WeightsChoice &choice) {
  std::shared_ptr<WeightSource> source(new WeightSource(executable));
  const LlamacPlanHeader &plan = executable.plan();
  source->size = plan.weights_bytes;
  source->hash = plan.weights.hash;
  const std::string &path = executable.path();
  const char *given = choice.seed           ? "--random-weights"
                      : choice.file.empty() ? nullptr
                                            : "--weights";
  if (plan.weights_place == LLAMAC_WEIGHTS_INSIDE) {
    if (given)
      return Error(std::string(given) + ": " + path +
                   " has its weights inside; leave the option out, or compile "
                   "with --split-weights or --no-weights");
    source->view = executable.weights();
    source->text = "section " LLAMAC_SECTION_WEIGHTS;
    source->checked = executable.weightsChecked();
    return std::shared_ptr<const WeightSource>(source);
  }
  if (choice.seed) {
    if (Error error = source->openRandom(*choice.seed))
      return error;
    return std::shared_ptr<const WeightSource>(source);
  }
  if (!given && plan.weights_place == LLAMAC_WEIGHTS_NONE)
    return Error(path +
                 ": was compiled with --no-weights and holds shapes only: give "
                 "--random-weights SEED, or --weights FILE with the file that "
                 "--split-weights makes of this model");
  std::string file =
      given ? choice.file : weightsFileOf(realPath(executable.path()));
  if (!given && ::access(file.c_str(), F_OK) != 0)
    return Error(path +
                 ": its weights are in a file of their own, and there "
                 "is no " +
                 file + ": put it there, or name it with --weights FILE");
  if (Error error = source->openFile(file))
    return error;
  return std::shared_ptr<const WeightSource>(source);
}

Result<std::shared_ptr<const WeightSource>>
WeightSource::fromMemory(const Executable &executable, View<uint8_t> packed) {
  std::shared_ptr<WeightSource> source(new WeightSource(executable));
  source->size = executable.plan().weights_bytes;
  if (packed.size() != source->size)
    return Error("found " + std::to_string(packed.size()) +
                 " bytes of packed weights, expected " +
                 std::to_string(source->size));
  source->view = packed;
  source->checked = true;
  source->text = "memory";
  return std::shared_ptr<const WeightSource>(source);
}

Error WeightSource::openRandom(uint64_t seed) {
  const LlamacPlanHeader &plan = executable.plan();
  Result<TensorTable> table = TensorTable::read(
      executable.tensors(), plan.dtype, plan.weights_bytes,
      executable.path() + ": section " LLAMAC_SECTION_TENSORS);
  if (!table)
    return table.error();
  filler = std::make_unique<RandomFiller>(*table, seed);
  text = "random, seed " + std::to_string(seed);
  return Error::success();
}

Error WeightSource::openFile(const std::string &path) {
  const LlamacPlanHeader &plan = executable.plan();
  Result<std::unique_ptr<const MappedFile>> mapped = MappedFile::open(path);
  if (!mapped)
    return mapped.error();
  LlamacWeightsHeader header;
  View<uint8_t> bytes = (*mapped)->bytes();
  if (bytes.size() < LLAMAC_WEIGHTS_HEADER_BYTES)
    return Error(path + ": has " + std::to_string(bytes.size()) +
                 " bytes: it is no weights file, or it was cut");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != LLAMAC_WEIGHTS_MAGIC)
    return Error(path + ": is no weights file made by llamac --split-weights");
  if (header.version != LLAMAC_FORMAT_VERSION)
    return Error(path + ": has format version " +
                 std::to_string(header.version) + ", expected " +
                 std::to_string(LLAMAC_FORMAT_VERSION) +
                 "; compile the model again with this version of llamac");
  LlamacWeightsHeader zeroed = header;
  zeroed.header_hash = 0;
  if (header.header_bytes != LLAMAC_WEIGHTS_HEADER_BYTES ||
      XXH3_64bits(&zeroed, sizeof zeroed) != header.header_hash)
    return Error(path + ": its header was altered; copy the file again");
  if (header.id != plan.weights_id || header.bytes != plan.weights_bytes)
    return Error(path +
                 ": holds the weights of another model or storage "
                 "type: its id is " +
                 hex(header.id) + ", " + executable.path() + " needs " +
                 hex(plan.weights_id));
  uint64_t whole = LLAMAC_WEIGHTS_HEADER_BYTES + header.bytes;
  if (bytes.size() != whole)
    return Error(path + ": has " + std::to_string(bytes.size()) +
                 " bytes, expected " + std::to_string(whole) +
                 ": it was cut or altered; copy it again");
  if (hash && header.hash != hash)
    return Error(path + ": holds other weights than those that " +
                 executable.path() + " was compiled with: their hash is " +
                 hex(header.hash) + ", expected " + hex(hash));
  hash = header.hash;
  view = bytes.slice(LLAMAC_WEIGHTS_HEADER_BYTES, header.bytes);
  text = path;
  file = std::move(*mapped);
  return Error::success();
}

Error WeightSource::compareHash(uint64_t found) const {
  if (found == hash)
    return Error::success();
  return Error((file ? text : executable.path() + ": " + text) +
               ": XXH3 hash: found " + hex(found) + ", expected " + hex(hash) +
               "; the file is cut or altered: compile the model again, or copy "
               "it again");
}
