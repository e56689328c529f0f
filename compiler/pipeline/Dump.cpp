// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the dumps. Test: test/driver/llamac-dump.sh.
#include "compiler/pipeline/Dump.h"

#include "compiler/emit/OutputFile.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

namespace fs = llvm::sys::fs;

namespace mlir::llama {

std::string printModule(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, OpPrintingFlags());
  return text + "\n";
}

/// "2-fused".
static std::string getName(Stage stage) {
  int index = static_cast<int>(stage);
  return std::to_string(index + 1) + "-" + stageNames[index];
}

/// Removes the files of `folder` whose names match, and no folders.
static llrt::Error removeMatching(const std::string &folder,
                                  const llvm::Regex &names) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end && !error;
       entry.increment(error)) {
    StringRef name = llvm::sys::path::filename(entry->path());
    if (names.match(name) && !fs::is_directory(entry->path()))
      if (std::error_code failed = fs::remove(entry->path()))
        return llrt::Error("--dump-dir: " + entry->path() +
                           ": cannot be removed: " + failed.message());
  }
  return llrt::Error::success();
}

llrt::Error PhaseDump::open() {
  if (folder.empty())
    return llrt::Error::success();
  if (std::error_code error = fs::create_directory(folder))
    return llrt::Error("--dump-dir " + folder +
                       ": cannot be made: " + error.message());
  if (!fs::is_directory(folder))
    return llrt::Error("--dump-dir " + folder + ": is no folder");
  if (llrt::Error error = removeMatching(
          folder,
          llvm::Regex(
              "^[0-9]-[a-z]+(-failed|[.]kernels)?[.](mlir|ptx|cubin)$")))
    return error;
  for (int i = 0; i <= static_cast<int>(Stage::Exe); ++i) {
    std::string passes = folder + "/" + getName(static_cast<Stage>(i));
    if (!fs::is_directory(passes))
      continue;
    if (llrt::Error error =
            removeMatching(passes, llvm::Regex("^[0-9]+-[a-z0-9-]+[.]mlir$")))
      return error;
    (void)fs::remove(passes); // unless something else lies in it
  }
  return llrt::Error::success();
}

llrt::Error PhaseDump::write(Stage stage, const std::string &text,
                             const char *mark) {
  if (folder.empty())
    return llrt::Error::success();
  if (!failure.empty())
    return llrt::Error(failure);
  StringRef noun = stageNames[static_cast<int>(stage)];
  const char *kind = noun == "ptx"     ? ".ptx"
                     : noun == "cubin" ? ".cubin"
                                       : ".mlir";
  return writeText(folder + "/" + getName(stage) + mark + kind, text);
}

/// Prints the module after each pass that has a flag: not after those that
/// only nest others.
class PhaseDump::PassWatcher : public PassInstrumentation {
public:
  PassWatcher(PhaseDump &dump, ModuleOp module, Stage stage)
      : dump(dump), module(module), last(printModule(module)),
        folder(dump.folder + "/" + getName(stage)) {}

  void runAfterPass(Pass *pass, Operation *) override {
    if (pass->getArgument().empty())
      return;
    ++number;
    std::string text = printModule(module);
    if (text == last || !dump.failure.empty())
      return;
    last = std::move(text);
    (void)fs::create_directory(folder);
    std::string path = folder + "/" + std::to_string(number) + "-" +
                       pass->getArgument().str() + ".mlir";
    if (llrt::Error error = writeText(path, last))
      dump.failure = error.message();
  }

private:
  PhaseDump &dump;
  ModuleOp module;
  std::string last;
  std::string folder;
  int number = 0;
};

void PhaseDump::watch(PassManager &manager, ModuleOp module, Stage stage) {
  if (!folder.empty())
    manager.addInstrumentation(
        std::make_unique<PassWatcher>(*this, module, stage));
}

} // namespace mlir::llama
