// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes docs/ptx-instructions.md to stdout. With a folder: also each form as a
// module FOLDER/N.ptx, for an assembler to judge the list.
#include "test/emulator/InstructionTable.h"

#include <cstdio>
#include <fstream>

using namespace llrt::test;

int main(int count, char **arguments) {
  std::vector<Form> forms =
      readForms(LLAMAC_SOURCE_DIR "/test/emulator/instruction-forms.txt");
  if (count > 1) {
    unsigned number = 0;
    for (const Form &form : forms)
      for (const std::string &opcode : form.opcodes) {
        std::ofstream out(std::string(arguments[1]) + "/" +
                          std::to_string(number++) + ".ptx");
        out << "// " << form.target << " "
            << (refusal(opcode, form.operands).empty() ? "yes" : "no") << "\n"
            << moduleOf(form.target, opcode, form.operands);
      }
    return 0;
  }
  std::fputs(instructionTable(forms).c_str(), stdout);
  return 0;
}
