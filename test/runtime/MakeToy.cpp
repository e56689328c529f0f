// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// make-toy RUNTIME OUT [no-weights] [no-tokenizer] [no-eos] [sampling] [CHAT-TEMPLATE]:
// an executable of the toy model, for the tests of the executable's command
// line.
#include "ToyExecutable.h"

#include "runtime/ChatTemplateName.h"

#include <cstdio>
#include <string>

int main(int argc, char **argv) {
  if (argc < 3) {
    std::fprintf(
        stderr,
        "usage: make-toy RUNTIME OUT [no-weights] [no-tokenizer] [no-eos] "
        "[sampling] [CHAT-TEMPLATE]\n");
    return 2;
  }
  toy::Options options;
  for (int i = 3; i < argc; ++i) {
    std::string word = argv[i];
    options.weights &= word != "no-weights";
    options.tokenizer &= word != "no-tokenizer";
    options.eos &= word != "no-eos";
    options.sampling |= word == "sampling";
    if (word == "unknown")
      options.chatTemplate = LLAMAC_CHAT_UNKNOWN;
    if (auto named = llrt::findChatTemplate(word))
      options.chatTemplate = *named;
  }
  toy::writeFile(
      argv[2], toy::append(toy::readFile(argv[1]), toy::makeSections(options)),
      true);
  return 0;
}
