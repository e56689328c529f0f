// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/ptx-instructions.md is what the decoder says.
#include "test/emulator/InstructionTable.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace llrt::test;

TEST(InstructionTable, IsUpToDate) {
  std::vector<Form> forms =
      readForms(LLAMAC_SOURCE_DIR "/test/emulator/instruction-forms.txt");
  ASSERT_GT(forms.size(), 400u);
  std::ifstream in(LLAMAC_SOURCE_DIR "/docs/ptx-instructions.md");
  std::stringstream page;
  page << in.rdbuf();
  EXPECT_TRUE(page.str() == instructionTable(forms))
      << "stale: run bin/ptx-table >docs/ptx-instructions.md";
}

// A refusal names the instruction and its line.
TEST(InstructionTable, RefusalsNameTheInstruction) {
  for (const Form &form :
       readForms(LLAMAC_SOURCE_DIR "/test/emulator/instruction-forms.txt")) {
    std::string message = refusal(form.opcodes[0], form.operands);
    if (message.empty() || form.operands.find('q') != std::string::npos)
      continue;
    EXPECT_EQ(message.compare(0, 7, "form:8:"), 0) << message;
    std::string root = form.opcodes[0].substr(0, form.opcodes[0].find('.'));
    size_t special = form.operands.find('%');
    std::string name =
        special == std::string::npos ? root : form.operands.substr(special);
    EXPECT_NE(message.find(name), std::string::npos) << message;
  }
}
