// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// run-reference FOLDER --ids "1 2 3" [--round bf16|f16] [--mutant NAME] [-n N]
//   [--dump-logits FILE.npy]: the reference, its twin or a mutant from the
// command line. Prints the greedy tokens; the file has one row per position.
#include "test/models/HuggingFaceFolder.h"
#include "test/numerics/Contract.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

using namespace llrt;
using namespace llrt::test;

namespace {
struct Options {
  std::string folder, dump;
  std::vector<int32_t> ids;
  reference::Rounding rounding = reference::Rounding::None;
  reference::Mutant mutant = reference::Mutant::None;
  size_t tokens = 16;
};

bool parse(int count, char **arguments, Options &options) {
  if (count < 2 || count % 2)
    return false;
  options.folder = arguments[1];
  for (int i = 2; i + 1 < count; i += 2) {
    const std::string key = arguments[i], value = arguments[i + 1];
    if (key == "--ids") {
      std::istringstream text(value);
      for (int32_t id; text >> id;)
        options.ids.push_back(id);
    } else if (key == "--round" && (value == "bf16" || value == "f16")) {
      options.rounding = value == "bf16" ? reference::Rounding::BF16
                                         : reference::Rounding::F16;
    } else if (key == "--mutant") {
      int m = 0;
      while (m < static_cast<int>(reference::Mutant::Count) &&
             value != name(static_cast<reference::Mutant>(m)))
        ++m;
      if (m == static_cast<int>(reference::Mutant::Count))
        return false;
      options.mutant = static_cast<reference::Mutant>(m);
    } else if (key == "-n") {
      options.tokens = std::strtoul(value.c_str(), nullptr, 10);
    } else if (key == "--dump-logits") {
      options.dump = value;
    } else {
      return false;
    }
  }
  return !options.ids.empty();
}

void writeNpy(const std::string &path, const Logits &logits) {
  char header[119];
  std::snprintf(
      header, sizeof(header),
      "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
      logits.size(), logits.empty() ? 0 : logits[0].size());
  std::string text = header;
  text.resize(117, ' ');
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << text << '\n';
  for (const std::vector<double> &row : logits)
    for (double value : row) {
      const float narrow = static_cast<float>(value);
      file.write(reinterpret_cast<const char *>(&narrow), sizeof(narrow));
    }
}
} // namespace

int main(int count, char **arguments) {
  Options options;
  if (!parse(count, arguments, options)) {
    std::fprintf(stderr,
                 "usage: run-reference FOLDER --ids \"1 2 3\" [--round "
                 "bf16|f16] [--mutant NAME] [-n N]\n"
                 "                     [--dump-logits FILE.npy]\nmutants:");
    for (int m = 1; m < static_cast<int>(reference::Mutant::Count); ++m)
      std::fprintf(stderr, " %s", name(static_cast<reference::Mutant>(m)));
    std::fprintf(stderr, "\n");
    return 2;
  }
  Result<HuggingFaceFolder> folder = readFolder(options.folder);
  if (!folder) {
    std::fprintf(stderr, "run-reference: %s\n",
                 folder.error().message().c_str());
    return 1;
  }
  Result<reference::Model> model = reference::Model::create(
      folder->config, folder->tensors, options.rounding, options.mutant);
  if (!model) {
    std::fprintf(stderr, "run-reference: %s\n",
                 model.error().message().c_str());
    return 1;
  }
  reference::Sequence sequence = model->sequence();
  Logits logits = model->run(sequence, options.ids);
  for (size_t i = 0; i < options.tokens; ++i) {
    const int32_t next = argmax(logits.back());
    std::printf("%s%d", i ? " " : "", next);
    if (i + 1 < options.tokens)
      logits.push_back(model->run(sequence, {next})[0]);
  }
  std::printf("\n");
  if (!options.dump.empty())
    writeNpy(options.dump, logits);
  return 0;
}
