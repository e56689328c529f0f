// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The options of ptx-run, declared once for parsing and for its pages.
#include "runtime/PtxRunOptions.h"

#include "runtime/OptionChecks.h"
#include "runtime/OptionPage.h"

using namespace llrt;

namespace {

/// What CLI11 fills, before it is checked.
struct RawOptions {
  std::string grid = "1", block = "1", cluster = "1", completion;
  std::vector<std::string> arguments, prints, saves, expects;
  bool help = false, manual = false, version = false;
};

/// "4", "4,2" or "4,2,1".
CLI::Validator extents() {
  return makeCheck([](const std::string &text) -> std::string {
    CLI::Validator one = wholeNumber(1, 0x7fffffff);
    size_t count = 0, at = 0;
    for (; count < 3 && at <= text.size(); ++count) {
      size_t end = std::min(text.find(',', at), text.size());
      std::string item = text.substr(at, end - at);
      if (!one(item).empty())
        break;
      at = end + 1;
    }
    return at == text.size() + 1 ? ""
                                 : "X, X,Y or X,Y,Z from 1 up, such as 4,2";
  });
}

Dim3 readExtents(const std::string &text) {
  Dim3 result;
  uint32_t *const each[3] = {&result.x, &result.y, &result.z};
  for (size_t i = 0, at = 0; i < 3 && at <= text.size(); ++i) {
    size_t end = std::min(text.find(',', at), text.size());
    *each[i] = static_cast<uint32_t>(std::stoul(text.substr(at, end - at)));
    at = end + 1;
  }
  return result;
}

CLI::Option *repeatable(CLI::Option *option) {
  return option->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

void declareLaunch(CLI::App &app, PtxRunOptions &options, RawOptions &raw) {
  const char *group = "Program and launch";
  app.add_option("FILE.ptx", options.files,
                 "PTX as text; kernels of all files can be named")
      ->group(group);
  app.add_option("-k,--kernel", options.kernel,
                 "The .entry to launch (default: the only one)")
      ->type_name("NAME")
      ->group(group);
  app.add_option("-g,--grid", raw.grid, "Blocks (default 1)")
      ->type_name("X[,Y[,Z]]")
      ->check(extents())
      ->group(group);
  app.add_option("-b,--block", raw.block, "Threads of a block (default 1)")
      ->type_name("X[,Y[,Z]]")
      ->check(extents())
      ->group(group);
  app.add_option("--cluster", raw.cluster, "Blocks of a cluster (default 1)")
      ->type_name("X[,Y[,Z]]")
      ->check(extents())
      ->group(group);
  app.add_option("--shared", options.shape.dynamicSharedBytes,
                 "Dynamic shared memory (default 0)")
      ->type_name("BYTES")
      ->check(wholeNumber(0, 0x7fffffff))
      ->group(group);
  app.add_flag("--cooperative", options.shape.cooperative,
               "Refuse a grid that is not resident as a whole")
      ->group(group);
  app.add_option("--repeat", options.repeat,
                 "Launch so many times, on the same buffers (default 1)")
      ->type_name("N")
      ->check(wholeNumber(1, 1000000))
      ->group(group);
  repeatable(
      app.add_option("-a,--arg", raw.arguments,
                     "A parameter of the kernel, in their order; see below"))
      ->type_name("ARG")
      ->group(group);
}

void declareResults(CLI::App &app, PtxRunOptions &options, RawOptions &raw) {
  const char *group = "Results";
  repeatable(app.add_option("-p,--print", raw.prints,
                            "Print a buffer, or elements FROM to TO-1 of it"))
      ->type_name("NAME[FROM:TO]")
      ->group(group);
  repeatable(app.add_option("--save", raw.saves,
                            "Write a buffer as raw bytes, or as .npy"))
      ->type_name("NAME=FILE")
      ->group(group);
  repeatable(
      app.add_option("--expect", raw.expects,
                     "Fail unless a buffer holds this; CONTENT as of --arg"))
      ->type_name("NAME=CONTENT")
      ->group(group);
  app.add_option("--max-diff", options.maxDiff,
                 "How far an element may be from --expect (default 0)")
      ->type_name("X")
      ->check(number(0))
      ->group(group);
}

void declareEmulator(CLI::App &app, PtxRunOptions &options) {
  const char *group = "Emulator";
  app.add_option("--gpu", options.gpu,
                 "The row of the GPU table whose limits hold; help lists them "
                 "(default h200)")
      ->type_name("ROW")
      ->group(group);
  options.emulator.declare(app, group, "on");
  app.add_option("--schedules", options.schedules,
                 "Run again under the seeds 1 to N and fail unless every "
                 "buffer has the same bits (default 0)")
      ->type_name("N")
      ->check(wholeNumber(0, 1000000))
      ->group(group);
  app.add_option("-t,--threads", options.threads,
                 "Host threads; with check, schedule or profile it is one "
                 "(default: one a core)")
      ->type_name("N")
      ->check(wholeNumber(1, 256))
      ->group(group);
}

void declareInformation(CLI::App &app, PtxRunOptions &options,
                        RawOptions &raw) {
  const char *group = "Information";
  app.add_flag("-l,--list", options.list, "The files' kernels, and exit")
      ->group(group);
  app.add_flag("-v,--verbose", options.verbose,
               "The device and how much was executed, on standard error")
      ->group(group);
  app.add_flag("--version", raw.version, "The version, and exit")->group(group);
  app.add_flag("-h,--help", raw.help, "This text, and exit")->group(group);
  app.add_flag("--manual", raw.manual,
               "The same as a manual page, for `man -l -`")
      ->group(group);
  app.add_option("--completion", raw.completion,
                 "A script that completes this command line, for the shell to "
                 "source")
      ->type_name("bash|zsh")
      ->check(oneOf({"bash", "zsh"}))
      ->group(group);
}

OptionPage getPage(const std::string &program) {
  OptionPage page;
  page.program = program;
  page.summary = "Runs a PTX kernel on llamac's emulator: no GPU, no CUDA.";
  page.usage = {"FILE.ptx... [--kernel NAME] [OPTION]... [--arg ARG]..."};
  page.sections = {
      {"Arguments",
       " u32=5  f32=0.5  f16=0x3c00   a scalar, TYPE=VALUE: " +
           std::string(
               "u8 to u64, s8 to\n                              s64, b8 to "
               "b64 (bits), f16 bf16 f32 f64\n") +
           " bytes=00ff10                 a parameter by value\n"
           " in=f32[1024]:iota            a buffer, "
           "NAME=TYPE[COUNT][:CONTENT]\n"
           " in=bf16[64x32]:random:7      64 rows of 32\n"
           " in=f32[]:@FILE               as many elements as the file has\n"
           "CONTENT is iota (0, 1, 2, ...), random:SEED (floats in [-1, 1), "
           "whole numbers of all bits), zero, a value, or @FILE (.npy, or raw "
           "little-endian bytes). Without it the buffer is uninitialised, and "
           "reading it is reported."},
      {"Examples",
       " " + program +
           " add.ptx --grid 4 --block 256 --arg u32=1000 --arg "
           "a=f32[1000]:iota \\\n"
           "   --arg b=f32[1000]:1 --arg c=f32[1000] --print 'c[0:8]'\n " +
           program +
           " sum.ptx --block 128 --arg x=f32[4096]:@x.npy --arg "
           "out=f32[1] \\\n"
           "   --expect out=@sum.npy --max-diff 1e-3 --schedules 8\n " +
           program + " gemm.ptx ... --profile --gpu a100-80g"},
      {"Exit status", " 0  done\n"
                      " 1  the kernel or a comparison failed\n"
                      " 2  the command line is wrong"}};
  for (const GpuRow &row : gpuTable())
    page.values["--gpu"].push_back(row.name);
  return page;
}

Result<size_t> findBuffer(const PtxRunOptions &options,
                          const std::string &name) {
  std::string known;
  for (size_t i = 0; i < options.arguments.size(); ++i) {
    if (!options.arguments[i].isBuffer())
      continue;
    if (options.arguments[i].name == name)
      return i;
    known += (known.empty() ? "" : ", ") + options.arguments[i].name;
  }
  return Error("found no buffer `" + name + "`, expected " +
               (known.empty() ? "one that --arg names" : "one of " + known));
}

Error readPrint(const std::string &text, PtxRunOptions &options) {
  size_t open = text.find('[');
  Result<size_t> buffer = findBuffer(options, text.substr(0, open));
  if (!buffer)
    return Error("--print " + text + ": " + buffer.error().message());
  PtxRunOptions::Print print{*buffer, 0, options.arguments[*buffer].count};
  if (open == std::string::npos) {
    options.prints.push_back(print);
    return Error::success();
  }
  const ElementType &index = *ElementType::find("u64");
  size_t colon = text.find(':', open);
  if (colon != std::string::npos && text.back() == ']') {
    Result<uint64_t> from =
        index.parse(text.substr(open + 1, colon - open - 1));
    Result<uint64_t> to =
        index.parse(text.substr(colon + 1, text.size() - colon - 2));
    if (from && to && *from < *to && *to <= print.to) {
      options.prints.push_back({*buffer, *from, *to});
      return Error::success();
    }
  }
  return Error("--print " + text + ": expected NAME[FROM:TO] with TO at most " +
               std::to_string(print.to));
}

/// "NAME=REST"; `option` is for messages.
Result<size_t> readNamed(const std::string &option, const std::string &text,
                         const PtxRunOptions &options, std::string &rest) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals + 1 == text.size())
    return Error(option + " " + text + ": expected NAME=" +
                 (option == "--save" ? "FILE" : "CONTENT"));
  rest = text.substr(equals + 1);
  Result<size_t> buffer = findBuffer(options, text.substr(0, equals));
  if (!buffer)
    return Error(option + " " + text + ": " + buffer.error().message());
  return *buffer;
}

Error readAll(const RawOptions &raw, PtxRunOptions &options) {
  options.shape.grid = readExtents(raw.grid);
  options.shape.block = readExtents(raw.block);
  options.shape.cluster = readExtents(raw.cluster);
  options.texts = raw.arguments;
  for (const std::string &text : raw.arguments) {
    Result<PtxArgument> argument = PtxArgument::parse(text);
    if (!argument)
      return argument.error();
    if (argument->isBuffer() && findBuffer(options, argument->name))
      return Error("--arg " + text + ": the name is taken");
    options.arguments.push_back(std::move(*argument));
  }
  for (const std::string &text : raw.prints)
    if (Error error = readPrint(text, options))
      return error;
  std::string rest;
  for (const std::string &text : raw.saves) {
    Result<size_t> buffer = readNamed("--save", text, options, rest);
    if (!buffer)
      return buffer.error();
    options.saves.push_back({*buffer, rest});
  }
  for (const std::string &text : raw.expects) {
    Result<size_t> buffer = readNamed("--expect", text, options, rest);
    if (!buffer)
      return buffer.error();
    Result<std::vector<uint8_t>> bytes =
        options.arguments[*buffer].makeContent(rest);
    if (!bytes)
      return Error("--expect " + text + ": " + bytes.error().message());
    options.expects.push_back({*buffer, std::move(*bytes), text});
  }
  return Error::success();
}

} // namespace

Result<PtxRunOptions>
PtxRunOptions::parse(const std::string &program,
                     const std::vector<std::string> &arguments,
                     std::string &page) {
  PtxRunOptions options;
  RawOptions raw;
  CLI::App app;
  app.set_help_flag();
  declareLaunch(app, options, raw);
  declareResults(app, options, raw);
  declareEmulator(app, options);
  declareInformation(app, options, raw);
  OptionPage text = getPage(program);
  if (Error error = parseOptions(app, text, arguments))
    return error;
  std::string version = "ptx-run, of llamac " LLAMAC_VERSION;
  page = raw.help                  ? makeHelp(app, text)
         : raw.manual              ? makeManual(app, text, version)
         : !raw.completion.empty() ? makeCompletion(app, text, raw.completion)
         : raw.version             ? version + "\n"
         : options.gpu == "help"   ? describeGpuTable()
                                   : "";
  if (!page.empty())
    return options;
  if (!findGpuRow(options.gpu))
    return Error("--gpu: found `" + options.gpu +
                 "`, which is no row of the GPU table; known are:\n" +
                 describeGpuTable());
  if (options.files.empty())
    return Error("no file: give PTX");
  if (Error error = readAll(raw, options))
    return error;
  return options;
}
