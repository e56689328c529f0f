// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/ptx-instructions.md: the forms of instruction-forms.txt, each asked of
// the decoder itself.
#ifndef LLAMAC_TEST_EMULATOR_INSTRUCTIONTABLE_H
#define LLAMAC_TEST_EMULATOR_INSTRUCTIONTABLE_H

#include <string>
#include <vector>

namespace llrt::test {

struct Form {
  std::string section, target, pattern, operands;
  std::vector<std::string> opcodes; ///< the pattern's alternatives
};

std::vector<Form> readForms(const std::string &path);
/// A module of one kernel that executes the instruction.
std::string moduleOf(const std::string &target, const std::string &opcode,
                     const std::string &operands);
/// Empty if the emulator takes it, else why not.
std::string refusal(const std::string &opcode, const std::string &operands);
/// The whole page.
std::string instructionTable(const std::vector<Form> &forms);

} // namespace llrt::test

#endif
