// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llamac's options, by CLI11: compiled with exceptions, and so without LLVM.
// How an option is declared is said in runtime/OptionPage.h, what its value may
// be in runtime/OptionChecks.h. One function a heading of --help.
#include "driver/llamacOptions.h"

#include "runtime/ChatTemplateName.h"
#include "runtime/GpuTable.h"
#include "runtime/OptionChecks.h"
#include "runtime/OptionPage.h"

#include <iostream>

namespace mlir::llama {
namespace {

/// What ends llamac before it compiles.
struct Information {
  bool help = false, manual = false, version = false;
  std::string completion; // a shell
};

void addOutput(CLI::App &app, CompileRequest &request) {
  const char *group = "Model and output";
  app.add_option("MODEL", request.model,
                 "A Hugging Face folder, Meta's folder, a .gguf file, or a "
                 "config.json (implies --no-weights)")
      ->group(group);
  app.add_option("-o", request.output,
                 "Output, replaced if it is there (default: ./NAME of the "
                 "folder; - for text, which is stdout)")
      ->type_name("FILE")
      ->group(group);
  CLI::Option *split =
      app.add_flag("--split-weights", request.splitWeights,
                   "Put the weights into FILE.weights, which the executable "
                   "finds beside itself")
          ->group(group);
  app.add_flag("--no-weights", request.noWeights,
               "Compile the shapes only; the executable then needs "
               "--random-weights or --weights")
      ->excludes(split)
      ->group(group);
  app.add_flag("--no-selftest", request.noSelftest,
               "Leave out what --selftest compares with: the reference has to "
               "read all weights for it")
      ->group(group);
}

void addTarget(CLI::App &app, CompileRequest &request) {
  const char *group = "What is compiled";
  app.add_option("--gpu", request.gpu,
                 "A row of the GPU table; help lists them, native asks the "
                 "driver (default h200)")
      ->type_name("ROW")
      ->check(CLI::Validator(
          [](std::string &name) -> std::string {
            return name == "help" || name == "native" || isKnownGpu(name)
                       ? ""
                       : name + " is no row of the GPU table; known are:\n" +
                             describeGpus();
          },
          ""))
      ->group(group);
  app.add_option_function<std::string>(
         "--dtype",
         [&](const std::string &name) {
           for (DType dtype : {DType::BF16, DType::F16, DType::F32})
             if (name == getName(dtype))
               request.dtype = dtype;
         },
         "Storage type of weights and KV entries (default auto: what most "
         "bytes of the matrices have)")
      ->type_name("auto|bf16|f16|f32")
      ->check(llrt::oneOf({"auto", "bf16", "f16", "f32"}))
      ->group(group);
  app.add_option("--max-seq-len", request.maxSeqLen,
                 "Most tokens of a sequence, prompt and output (default: the "
                 "config's, or what fits the GPU's memory)")
      ->type_name("N")
      ->check(llrt::wholeNumber(1, maxSeqLenLimit))
      ->group(group);
  app.add_option("--max-batch", request.maxBatch,
                 "Most sequences at once (default 8)")
      ->type_name("N")
      ->check(llrt::wholeNumber(1, maxBatchLimit))
      ->group(group);
  app.add_option("--blocks", request.blocks,
                 "Most persistent blocks of a product: each computes every "
                 "N-th group of rows while the next is on its way (default: "
                 "what the GPU holds at once)")
      ->type_name("N")
      ->check(llrt::wholeNumber(1, blocksLimit))
      ->group(group);
  app.add_option("--pool-kv-heads", request.poolKvHeads,
                 "Make that many KV heads of the model's: each group of heads "
                 "shares the mean of their key and value projections (default: "
                 "as many as the config says)")
      ->type_name("G")
      ->check(llrt::wholeNumber(1, 1024))
      ->group(group);
  app.add_option_function<std::string>(
         "--chat-template",
         [&](const std::string &name) {
           request.chatTemplate = llrt::findChatTemplate(name);
         },
         "How the executable's --chat writes a dialog (default: as the "
         "checkpoint says; where it has none of these, --chat stops)")
      ->type_name("llama2|llama3|llama3.1|llama3.2|llama3.3|tinyllama")
      ->check(llrt::oneOf(llrt::chatTemplateNames()))
      ->group(group);
  app.add_flag("--allow-long", request.allowLong,
               "Let --max-seq-len exceed the config's "
               "max_position_embeddings")
      ->group(group);
  app.add_option("--rope-factor", request.ropeFactor,
                 "The factor of scaled rope, which Meta's params.json does not "
                 "say: 8 for Llama 3.1 and 3.3, 32 for Llama 3.2")
      ->type_name("F")
      ->check(llrt::number(1, 1e6))
      ->group(group);
}

void addLooking(CLI::App &app, CompileRequest &request) {
  const char *group = "Looking inside";
  std::vector<std::string> stages(std::begin(stageNames), std::end(stageNames));
  app.add_option_function<std::string>(
         "--emit",
         [&](const std::string &name) {
           for (int i = 0; i <= static_cast<int>(Stage::Exe); ++i)
             if (name == stageNames[i])
               request.stage = static_cast<Stage>(i);
         },
         "Stop there; text goes to -o, else to stdout (default exe)")
      ->type_name("llama|fused|tiled|nvvm|ptx|cubin|exe")
      ->check(llrt::oneOf(stages))
      ->group(group);
  app.add_option("--dump-dir", request.dumpDir,
                 "Write what every phase and every pass leaves there, numbered "
                 "(default: nowhere)")
      ->type_name("DIR")
      ->check(llrt::notEmpty("a folder"))
      ->group(group);
  app.add_flag("-v,--verbose", request.verbose, "Say more on stderr")
      ->group(group);
  app.add_flag("-q,--quiet", request.quiet, "Say only errors")->group(group);
  app.add_flag("--time-phases", request.timePhases,
               "Say on stderr how long each phase takes")
      ->group(group);
}

void addInformation(CLI::App &app, Information &information) {
  const char *group = "Information";
  app.add_flag("--version", information.version, "Show the version")
      ->group(group);
  app.add_flag("-h,--help", information.help, "Show this help")->group(group);
  app.add_flag("--manual", information.manual,
               "The same as a manual page, for `man -l -`")
      ->group(group);
  app.add_option("--completion", information.completion,
                 "A script that completes this command line, for the shell to "
                 "source")
      ->type_name("bash|zsh")
      ->check(llrt::oneOf({"bash", "zsh"}))
      ->group(group);
}

/// What --gpu takes.
std::vector<std::string> getGpuNames() {
  std::vector<std::string> names = {"help", "native"};
  for (const llrt::GpuRow &row : llrt::gpuTable())
    names.push_back(row.name);
  return names;
}

llrt::OptionPage getPage() {
  llrt::OptionPage page;
  page.program = "llamac";
  page.summary =
      "Compiles a Llama model into one executable for one GPU, ahead of time.";
  page.usage = {"[OPTION]... MODEL [-o FILE]", "--gpu help"};
  page.extraArgument = "; give one MODEL";
  page.values["--gpu"] = getGpuNames();
  page.sections = {
      {"Examples",
       " llamac models/Llama-3.2-1B -o llama1b\n"
       " llamac models/Llama-3.2-1B --emit=fused | less\n"
       " llamac config.json --gpu emulator --dump-dir phases -o shapes\n"
       " eval \"$(llamac --completion bash)\""},
      {"Environment",
       "CUDA_HOME: where NVRTC and ptxas are looked for, after what was "
       "installed with llamac; then /usr/local/cuda."},
      {"Files",
       "Of a folder these are read: config.json, generation_config.json, "
       "model.safetensors, tokenizer.model, tokenizer_config.json, "
       "chat_template.jinja. A failed or "
       "interrupted compile leaves no output and no temporary file."},
      {"Exit status", " 0    done\n"
                      " 1    the compile failed\n"
                      " 2    the command line is wrong\n"
                      " 130  interrupted"}};
  return page;
}

} // namespace

std::optional<int> parseLlamacOptions(int argc, char **argv,
                                      CompileRequest &request) {
  CLI::App app;
  Information information;
  app.set_help_flag();
  addOutput(app, request);
  addTarget(app, request);
  addLooking(app, request);
  addInformation(app, information);
  llrt::OptionPage page = getPage();
  llrt::Error error =
      parseOptions(app, page, std::vector<std::string>(argv + 1, argv + argc));
  std::string shown = information.help ? makeHelp(app, page)
                      : information.manual
                          ? makeManual(app, page, "llamac " LLAMAC_VERSION)
                      : !information.completion.empty()
                          ? makeCompletion(app, page, information.completion)
                      : information.version   ? "llamac " LLAMAC_VERSION "\n"
                      : request.gpu == "help" ? describeGpus()
                                              : "";
  if (!error && shown.empty() && request.model.empty())
    error = llrt::Error("MODEL is required: a Hugging Face folder or a "
                        "config.json");
  if (error) {
    std::cerr << "llamac: error: " << error.message()
              << "\nllamac --help lists the options\n";
    return 2;
  }
  if (shown.empty())
    return std::nullopt;
  std::cout << shown << std::flush;
  return std::cout ? 0 : 1;
}

} // namespace mlir::llama
