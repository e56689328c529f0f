// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where an executable's packed weights come from: its own section, the file
// beside it, another such file, or a seed. docs/weights.md describes the file.
#ifndef LLAMAC_RUNTIME_WEIGHTSOURCE_H
#define LLAMAC_RUNTIME_WEIGHTSOURCE_H

#include "runtime/Executable.h"
#include "runtime/RandomFiller.h"

#include <memory>
#include <optional>

namespace llrt {

class MappedFile;

/// What the command line says of them.
struct WeightsChoice {
  std::string file;             ///< --weights; "": the executable's own
  std::optional<uint64_t> seed; ///< --random-weights
};

class WeightSource {
public:
  /// `executable` must outlive the source. Finds and opens the file, and
  /// refuses one of another model, or one that was cut; the hash of the bytes
  /// is left to whoever reads them.
  static Result<std::shared_ptr<const WeightSource>>
  open(const Executable &executable, const WeightsChoice &choice = {});
  /// Bytes of the caller, which must outlive the source and are not hashed: for
  /// tests and tools that make their own.
  static Result<std::shared_ptr<const WeightSource>>
  fromMemory(const Executable &executable, View<uint8_t> packed);
  ~WeightSource();

  uint64_t bytes() const { return size; }
  /// The packed bytes, mapped; empty for random weights.
  View<uint8_t> mapped() const { return view; }
  /// Null unless the weights are random.
  const RandomFiller *random() const { return filler.get(); }
  /// "section .llamac.weights", "FILE" or "random, seed 7".
  const std::string &description() const { return text; }

  /// Whether mapped() still has to be hashed (in pieces) and compared.
  bool needsCheck() const { return !view.empty() && !checked; }
  /// What to say of bytes with that hash.
  Error compareHash(uint64_t found) const;

private:
  explicit WeightSource(const Executable &executable);
  Error openRandom(uint64_t seed);
  Error openFile(const std::string &path);

  const Executable &executable;
  std::unique_ptr<const MappedFile> file;
  std::unique_ptr<const RandomFiller> filler;
  View<uint8_t> view;
  std::string text;
  uint64_t size = 0, hash = 0;
  bool checked = false;
};

/// The name under which llamac puts the weights of `executable`.
std::string weightsFileOf(const std::string &executable);

} // namespace llrt

#endif
