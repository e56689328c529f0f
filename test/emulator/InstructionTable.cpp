// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/emulator/InstructionTable.h"

#include "runtime/device/Device.h"

#include <fstream>
#include <sstream>

using namespace llrt;
using namespace llrt::test;

/// The alternatives of "a.{b,c}{,.d}".
static std::vector<std::string> expanded(const std::string &pattern) {
  size_t open = pattern.find('{');
  if (open == std::string::npos)
    return {pattern};
  size_t close = pattern.find('}', open);
  std::vector<std::string> result;
  std::string inside = pattern.substr(open + 1, close - open - 1);
  for (size_t at = 0; at <= inside.size();) {
    size_t comma = std::min(inside.find(',', at), inside.size());
    for (const std::string &rest : expanded(pattern.substr(close + 1)))
      result.push_back(pattern.substr(0, open) + inside.substr(at, comma - at) +
                       rest);
    at = comma + 1;
  }
  // "{.a,.b}" without an empty alternative is "{,.a,.b}": one may be left out.
  if (inside[0] == '.' || inside[0] == ':')
    for (const std::string &rest : expanded(pattern.substr(close + 1)))
      result.insert(result.begin(), pattern.substr(0, open) + rest);
  return result;
}

std::vector<Form> llrt::test::readForms(const std::string &path) {
  std::ifstream in(path);
  std::vector<Form> forms;
  std::string line, section;
  while (std::getline(in, line)) {
    if (line.compare(0, 3, "## ") == 0)
      section = line.substr(3);
    if (line.empty() || line[0] == '#')
      continue;
    Form form;
    form.section = section;
    form.target = "sm_80";
    if (line[0] == '@') {
      form.target = line.substr(1, line.find(' ') - 1);
      line = line.substr(line.find(' ') + 1);
    }
    size_t space = line.find(' ');
    form.pattern = line.substr(0, space);
    form.operands = space == std::string::npos ? "" : line.substr(space + 1);
    form.opcodes = expanded(form.pattern);
    forms.push_back(std::move(form));
  }
  return forms;
}

namespace {

/// Operands with registers in place of their letters.
class Operands {
public:
  std::string of(const std::string &text) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
      char c = text[at];
      bool alone = (at == 0 || !isWord(text[at - 1])) &&
                   (at + 1 == text.size() || !isWord(text[at + 1]));
      if (std::string("hrxpq").find(c) != std::string::npos && alone) {
        out += next(c);
      } else if (std::string("HRX").find(c) != std::string::npos &&
                 at + 1 < text.size() && text[at + 1] >= '1' &&
                 text[at + 1] <= '8' && (at == 0 || !isWord(text[at - 1]))) {
        out += "{";
        for (int i = 0; i < text[at + 1] - '0'; ++i)
          out += (i ? ", " : "") + next(static_cast<char>(c + 32));
        out += "}";
        ++at;
      } else {
        out += c;
      }
    }
    return out;
  }

private:
  int used = 0;
  static bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           c == '.' || c == '%';
  }
  std::string next(char letter) {
    return std::string("%") + letter + std::to_string(used++);
  }
};

} // namespace

std::string llrt::test::moduleOf(const std::string &target,
                                 const std::string &opcode,
                                 const std::string &operands) {
  std::string text =
      ".version 9.0\n.target " + target +
      "\n.address_size 64\n.func FUNCTION() { ret; }\n.func (.param .b32 q) "
      "POINTED(.param .b32 a) { st.param.b32 [q], 1; ret; }\n.visible .entry "
      "k() {\n.reg .b16 %h<99>; .reg .b32 %r<99>; .reg .b64 %x<99>; .reg .pred "
      "%p<99>;";
  if (operands.compare(0, 2, "q,") == 0 ||
      operands.find(", q") != std::string::npos)
    text += " .reg .b128 %q<9>;";
  text += "\n";
  if (operands.find("TABLE") != std::string::npos)
    text += "TABLE: .branchtargets LABEL;\n";
  if (operands.find("PROTOTYPE") != std::string::npos)
    text += "PROTOTYPE: .callprototype (.param .b32 _) _ (.param .b32 _);\n"
            ".param .b32 PARAM;\n";
  text += opcode + " " + Operands().of(operands) + ";\n";
  return text + "LABEL: ret;\n}\n";
}

std::string llrt::test::refusal(const std::string &opcode,
                                const std::string &operands) {
  static std::unique_ptr<Device> device =
      std::move(*createEmulatorDevice(EmulatedGpu(), EmulatorOptions()));
  Result<Module *> module =
      device->loadModule(moduleOf("sm_90a", opcode, operands), "form");
  return module ? "" : module.error().message();
}

std::string llrt::test::instructionTable(const std::vector<Form> &forms) {
  std::string page =
      "# The instructions of the emulator\n\n"
      "Generated from the decoder: `ptx-table >docs/ptx-instructions.md` asks "
      "it for every form in\n`test/emulator/instruction-forms.txt`, and "
      "InstructionTableTest fails when this page is out of date. The list "
      "follows\nPTX ISA 9.0; \"from\" is the least target that has a form. "
      "What is not emulated is an error that names the instruction\nand its "
      "line, never a skip.\n\n"
      "Semantics that the ISA document leaves open:\n\n"
      "- `mma`, `wmma`, `wgmma`: d = c, then for k = 0, 1, ..: d = fma(a[i][k],"
      " b[k][j], d), each step rounded to nearest even in\n  f32 (f64 for "
      "f64); "
      "with an f16 sum rounded once more at the end. Products of f16, bf16, "
      "tf32 and fp8 are exact in f32.\n  Integers are exact and wrap, or are "
      "clamped once at the end (`.satfinite`). `wgmma` computes when it is "
      "issued.\n  A chip's tensor cores align the products of one instruction "
      "to the largest and cut what lies below: on an H200 most sums of "
      "random\n  bf16 numbers have other last bits, none by more than 0.03 of "
      "k x 2^-22 x sum abs(ab) + 1 ulp; exact sums are equal.\n"
      "- Approximate functions are within half a unit in the last place (plus "
      "2^-20 of one). A chip's `ex2.approx`, `rcp.approx` and their like are\n"
      "  less exact, within the ISA's bounds: on an H200 a softmax differs in "
      "the last bits of every second value.\n"
      "- `%clock`, `%clock64` and `%globaltimer` count the warp's executed "
      "instructions, so runs are reproducible.\n"
      "- printf writes to the host's stdout when the instruction runs, lanes "
      "in order; an `assert` that fails, `trap` and `brkpt`\n  end the launch "
      "with an error. `alloca` gives a thread 16 KB in all. Calls are expanded "
      "in place: recursion is refused.\n"
      "- Caches are not emulated: cache operators, eviction priorities and "
      "prefetches change nothing.\n"
      "- `setmaxnreg` and `griddepcontrol` are accepted: registers are not "
      "counted, and launches follow each other.\n";
  std::string section;
  for (const Form &form : forms) {
    if (form.section != section) {
      section = form.section;
      page +=
          "\n## " + section + "\n\n| form | from | emulated |\n|---|---|---|\n";
    }
    std::vector<std::string> refused;
    for (const std::string &opcode : form.opcodes)
      if (!refusal(opcode, form.operands).empty())
        refused.push_back(opcode);
    std::string pattern = form.pattern;
    std::string emulated = "yes";
    if (refused.size() == form.opcodes.size()) {
      emulated = "**no**";
    } else if (!refused.empty()) {
      emulated = "yes, but not ";
      for (size_t i = 0; i < refused.size(); ++i)
        emulated += (i ? ", `" : "`") + refused[i] + "`";
    }
    page += "| `" + pattern + (form.operands.empty() ? "" : " ") +
            form.operands + "` | " + form.target + " | " + emulated + " |\n";
  }
  // A bar would end the cell of a table.
  std::string escaped;
  bool code = false, row = false;
  for (size_t i = 0; i < page.size(); ++i) {
    if (i == 0 || page[i - 1] == '\n')
      row = page[i] == '|', code = false;
    code ^= page[i] == '`';
    if (row && code && page[i] == '|')
      escaped += '\\';
    escaped += page[i];
  }
  return escaped;
}
