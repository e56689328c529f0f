// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// check-contract FOLDER EXE [--prompt N] [--steps N] [--chunk N]: runs an
// executable made by llamac from FOLDER against the reference and says how it
// keeps the numerics contract, and where it departs first.
#include "test/models/HuggingFaceFolder.h"
#include "test/models/TestModels.h"
#include "test/numerics/Oracle.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace llrt;
using namespace llrt::test;

namespace {
int fail(const Error &error) {
  std::fprintf(stderr, "check-contract: %s\n", error.message().c_str());
  return 1;
}
} // namespace

int main(int count, char **arguments) {
  size_t prompt = 32, steps = 8, chunk = 0;
  bool usage = count < 3 || count % 2 == 0;
  for (int i = 3; i + 1 < count; i += 2) {
    const size_t value = std::strtoul(arguments[i + 1], nullptr, 10);
    if (!std::strcmp(arguments[i], "--prompt"))
      prompt = std::max<size_t>(value, 1);
    else if (!std::strcmp(arguments[i], "--steps"))
      steps = value;
    else if (!std::strcmp(arguments[i], "--chunk"))
      chunk = value;
    else
      usage = true;
  }
  if (usage) {
    std::fprintf(stderr, "usage: check-contract FOLDER EXE [--prompt N] "
                         "[--steps N] [--chunk N]\n");
    return 2;
  }
  Result<HuggingFaceFolder> folder = readFolder(arguments[1]);
  if (!folder)
    return fail(folder.error());
  Result<std::unique_ptr<CompiledModel>> model =
      CompiledModel::open(arguments[2]);
  if (!model)
    return fail(model.error());
  if (Error error = (*model)->setChunk(chunk))
    return fail(error);
  Result<std::unique_ptr<Oracle>> oracle =
      Oracle::create(folder->config, folder->tensors,
                     promptIds(folder->config, prompt), prompt + steps);
  if (!oracle)
    return fail(oracle.error());
  Result<FloatLogits> logits = (*model)->run((*oracle)->run(prompt, steps));
  if (!logits)
    return fail(logits.error());

  const Expectation expectation = (*oracle)->expect(
      static_cast<LlamacDtype>((*model)->plan().dtype), prompt, prompt + steps);
  const Logits wide = widen(*logits);
  for (size_t row = 0; row < wide.size(); ++row) {
    const double error = relativeError(wide[row], expectation.reference[row]);
    std::printf(
        "%4zu %s error %.3g (twin %.3g) argmax %d, the reference's %d%s\n", row,
        row < prompt ? "prompt" : "decode", error, expectation.twinError[row],
        argmax(wide[row]), argmax(expectation.reference[row]),
        expectation.covers(row) ? " (covered)" : "");
  }
  const Verdict verdict = (*oracle)->judge(
      static_cast<LlamacDtype>((*model)->plan().dtype), prompt, *logits);
  std::printf("%s: %s\n", verdict.holds() ? "holds" : "BROKEN",
              verdict.text().c_str());
  return verdict.holds() ? 0 : 1;
}
