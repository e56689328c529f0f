// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// make-test-model NAME FOLDER: writes one of the small random models. On stdout
// the options of llamac with which it is tested, where it needs any.
#include "test/models/TestModels.h"

#include <cstdio>

int main(int count, char **arguments) {
  const llrt::test::TestModel *model =
      count == 3 ? llrt::test::findTestModel(arguments[1]) : nullptr;
  if (!model) {
    std::fprintf(stderr,
                 "usage: make-test-model NAME FOLDER, where NAME is one of\n");
    for (const llrt::test::TestModel &known : llrt::test::testModels())
      std::fprintf(stderr, "  %s\n", known.name.c_str());
    return 2;
  }
  if (llrt::Error error = llrt::test::writeFolder(*model, arguments[2])) {
    std::fprintf(stderr, "make-test-model: %s\n", error.message().c_str());
    return 1;
  }
  if (model->longest)
    std::printf("--allow-long --max-seq-len %lld\n",
                static_cast<long long>(model->longest));
  return 0;
}
