// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llamac's options, by CLI11: compiled with exceptions, and so without LLVM.
#include "driver/llamacOptions.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace mlir::llama {
namespace {

/// A validator that names the range and what was found.
CLI::Validator inRange(int64_t low, int64_t high) {
  return CLI::Validator(
      [=](std::string &text) -> std::string {
        int64_t value = 0;
        size_t used = 0;
        try {
          value = std::stoll(text, &used);
        } catch (const std::exception &) {
          used = 0;
        }
        if (used == 0 || used != text.size() || value < low || value > high)
          return "is " + text + ", expected a whole number from " +
                 std::to_string(low) + " to " + std::to_string(high);
        return "";
      },
      "");
}

void addOptions(CLI::App &app, CompileRequest &request) {
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("--version", "llamac " LLAMAC_VERSION,
                       "Show the version");
  app.add_option("MODEL", request.model,
                 "A Hugging Face folder, or a config.json (implies "
                 "--no-weights)")
      ->required();
  app.add_option("-o", request.output,
                 "Output (default: ./NAME of the folder; text to stdout)")
      ->option_text("OUT");
  app.add_option("--gpu", request.gpu,
                 "A row of the GPU table (default h200); help lists them")
      ->option_text("ROW")
      ->check(CLI::Validator(
          [](std::string &name) -> std::string {
            return isKnownGpu(name) ? ""
                                    : name +
                                          " is no row of the GPU table; "
                                          "known are:\n" +
                                          describeGpus();
          },
          ""));
  app.add_option_function<std::string>(
         "--dtype",
         [&](const std::string &name) {
           for (DType dtype : {DType::BF16, DType::F16, DType::F32})
             if (name == getName(dtype))
               request.dtype = dtype;
         },
         "Storage type of weights and KV entries (default auto: what most "
         "bytes of the matrices have)")
      ->option_text("auto|bf16|f16|f32")
      ->check(CLI::IsMember({"auto", "bf16", "f16", "f32"}));
  app.add_option("--max-seq-len", request.maxSeqLen,
                 "Most tokens of a sequence, prompt and output (default: the "
                 "config's, or what fits the GPU's memory)")
      ->option_text("N")
      ->check(inRange(1, maxSeqLenLimit));
  app.add_option("--max-batch", request.maxBatch,
                 "Most sequences at once (default 8)")
      ->option_text("N")
      ->check(inRange(1, maxBatchLimit));
  app.add_flag("--allow-long", request.allowLong,
               "Let --max-seq-len exceed the config's "
               "max_position_embeddings");
  app.add_flag("--no-weights", request.noWeights, "Compile the shapes only");
  app.add_option_function<std::string>(
         "--emit",
         [&](const std::string &name) {
           for (int i = 0; i <= static_cast<int>(Stage::Exe); ++i)
             if (name == stageNames[i])
               request.stage = static_cast<Stage>(i);
         },
         "Stop there (default exe)")
      ->option_text("llama|fused|tiled|nvvm|ptx|exe")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(stageNames),
                                                     std::end(stageNames))));
  app.add_option("--dump-dir", request.dumpDir,
                 "Write every phase's text there, numbered")
      ->option_text("DIR");
  app.add_flag("-v,--verbose", request.verbose, "Say more on stderr");
  app.add_flag("-q,--quiet", request.quiet, "Say only errors");
  app.add_flag("--time-phases", request.timePhases,
               "Say on stderr how long each phase takes");
}

} // namespace

std::optional<int> parseLlamacOptions(int argc, char **argv,
                                      CompileRequest &request) {
  CLI::App app("llamac compiles a Llama model into one executable for one GPU.",
               "llamac");
  addOptions(app, request);
  // `--gpu help` needs no model.
  for (int i = 1; i < argc; ++i) {
    std::string text = argv[i];
    if (text == "--gpu=help" || (text == "--gpu" && i + 1 < argc &&
                                 std::string(argv[i + 1]) == "help")) {
      std::cout << describeGpus();
      return 0;
    }
    if (text == "--")
      break;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    return app.exit(success);
  } catch (const CLI::ParseError &error) {
    std::cerr << "llamac: error: " << error.what()
              << "\nllamac --help lists the options\n";
    return 2;
  }
  return std::nullopt;
}

} // namespace mlir::llama
