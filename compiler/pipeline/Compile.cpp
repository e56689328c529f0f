// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a command line to an output: checkpoint, defaults, phases, emission.
#include "compiler/pipeline/CompileRequest.h"

#include "compiler/emit/Assemble.h"
#include "compiler/emit/EmitExecutable.h"
#include "compiler/emit/EmitKernels.h"
#include "compiler/emit/EmitPTX.h"
#include "compiler/emit/OutputFile.h"
#include "compiler/emit/Passport.h"
#include "compiler/emit/PlanWriter.h"
#include "compiler/emit/SelftestWriter.h"
#include "compiler/emit/WeightsFile.h"
#include "compiler/import/ChatTemplateText.h"
#include "compiler/import/ImportLlama.h"
#include "compiler/pipeline/Dump.h"
#include "compiler/pipeline/Maxima.h"
#include "compiler/pipeline/Phases.h"
#include "compiler/pipeline/Registration.h"
#include "runtime/ByteTable.h"
#include "runtime/PositionScheme.h"
#include "runtime/ProgressBar.h"
#include "runtime/device/cuda/GpuHere.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

namespace mlir::llama {
namespace {

class Compiler {
public:
  explicit Compiler(const CompileRequest &request)
      : request(request), dump(request.dumpDir) {}

  llrt::Error run() {
    if (llrt::Error error = chooseGpu())
      return error;
    if (llrt::Error error = open())
      return error;
    if (llrt::Error error = choose())
      return error;
    if (llrt::Error error = dump.open())
      return error;
    return build();
  }

private:
  void warn(const std::string &text) {
    if (!request.quiet)
      llvm::errs() << "llamac: warning: " << text << "\n";
  }
  void note(const std::string &text) {
    if (!request.quiet)
      llvm::errs() << "llamac: " << text << "\n";
  }
  template <typename Step> auto timed(const char *name, Step step) {
    auto start = std::chrono::steady_clock::now();
    auto result = step();
    if (request.timePhases)
      llvm::errs() << llvm::format("llamac: %-8s %8.3f s\n", name,
                                   std::chrono::duration<double>(
                                       std::chrono::steady_clock::now() - start)
                                       .count());
    return result;
  }

  llrt::Error chooseGpu() {
    if (request.gpu != "native") {
      gpu = llrt::findGpuRow(request.gpu);
      return llrt::Error::success();
    }
    const char *instead =
        "; name a row instead, `llamac --gpu help` lists them";
    llrt::Result<llrt::FoundGpu> found = llrt::findGpuHere();
    if (!found)
      return llrt::Error("--gpu native: " + found.error().message() + instead);
    std::string why;
    gpu = llrt::matchGpuRow(*found, why);
    if (!gpu)
      return llrt::Error("--gpu native: " + why + instead);
    note("--gpu native: " + found->name + " is compiled for as " + gpu->name);
    return llrt::Error::success();
  }

  llrt::Error open() {
    bool text = request.stage != Stage::Exe;
    OpenOptions options;
    options.needWeights = !request.noWeights;
    options.ropeFactor = request.ropeFactor;
    auto opened =
        timed("open", [&] { return openCheckpoint(request.model, options); });
    if (!opened)
      return opened.error();
    checkpoint = std::move(*opened);
    for (const std::string &warning : checkpoint.warnings)
      warn(warning);
    for (const std::string &text : checkpoint.notes)
      if (request.verbose)
        note(text);
    output = !request.output.empty()         ? request.output
             : request.stage == Stage::Cubin ? "./" + checkpoint.name + ".cubin"
             : text                          ? "-"
                                             : "./" + checkpoint.name;
    if (!text && output == "-")
      return llrt::Error("-o -: an executable does not go to stdout; name a "
                         "file");
    if (request.splitWeights && (text || !checkpoint.hasWeights))
      return llrt::Error(std::string("--split-weights: ") +
                         (text ? "--emit makes no executable"
                               : request.model + " has no weights"));
    // Fail before the work where the output cannot be.
    if (text)
      return llrt::Error::success();
    if (llrt::Error error = checkOutputPath(output))
      return error;
    return request.splitWeights ? checkOutputPath(getWeightsPath(output))
                                : llrt::Error::success();
  }

  llrt::Error checkPooling() {
    const int64_t before = checkpoint.config.kvHeads;
    if (!request.poolKvHeads || before % *request.poolKvHeads == 0)
      return llrt::Error::success();
    std::string divisors;
    for (int64_t divisor = 1; divisor <= before; ++divisor)
      if (before % divisor == 0)
        divisors += (divisors.empty() ? "" : ", ") + std::to_string(divisor);
    return llrt::Error("--pool-kv-heads " +
                       std::to_string(*request.poolKvHeads) + ": " +
                       checkpoint.path + " has " + std::to_string(before) +
                       (before == checkpoint.config.heads
                            ? " heads, each with a key and a value of its own"
                            : " KV heads") +
                       ", which do not form that many groups of one size; "
                       "it takes one of " +
                       divisors);
  }

  PhaseOptions getPhaseOptions() const {
    return {gpu->name, request.blocks.value_or(0),
            request.poolKvHeads.value_or(0)};
  }

  llrt::Error choose() {
    options.dtype = request.dtype.value_or(chooseDType(checkpoint));
    options.maxBatch = request.maxBatch.value_or(defaultMaxBatch);
    int64_t trained = checkpoint.config.maxPositionEmbeddings;
    if (llrt::Error error = checkPooling())
      return error;
    Config compiled = checkpoint.config;
    compiled.kvHeads = request.poolKvHeads.value_or(compiled.kvHeads);
    int64_t fits = getLargestSeqLen(compiled, options.dtype, options.maxBatch,
                                    gpu->memoryBytes);
    options.maxSeqLen = request.maxSeqLen.value_or(
        fits == 0 ? trained : std::min(trained, fits));
    if (options.maxSeqLen > trained && !request.allowLong)
      return llrt::Error(
          "--max-seq-len " + std::to_string(options.maxSeqLen) +
          ": the config's \"max_position_embeddings\" is " +
          std::to_string(trained) +
          "; a longer context needs --allow-long, and the model was not "
          "trained for it");
    // Later stages know the exact bytes.
    if (options.maxSeqLen > fits && request.stage < Stage::Ptx)
      warn("the weights and " + std::to_string(options.maxBatch) +
           " sequences of " + std::to_string(options.maxSeqLen) +
           " tokens do not fit the " +
           std::to_string(gpu->memoryBytes / 1'000'000'000) + " GB of " +
           gpu->name);
    note(std::string("--gpu ") + gpu->name + " --dtype " +
         getName(options.dtype) + " --max-seq-len " +
         std::to_string(options.maxSeqLen) + " --max-batch " +
         std::to_string(options.maxBatch));
    return llrt::Error::success();
  }

  /// The exact bytes against the row's memory: an executable that could never
  /// run as it was asked for is refused; shapes and texts are only warned of.
  llrt::Error checkMemory(const LlamacPlanHeader &plan) {
    llrt::ByteTable table =
        llrt::ByteTable::of(plan, plan.max_seq_len, plan.max_batch);
    note("device memory at these maxima: " + table.text() + " of " +
         llrt::readableBytes(gpu->memoryBytes) + " on " + gpu->name);
    uint64_t usable = llrt::usableMemory(gpu->memoryBytes);
    if (table.total() <= usable)
      return llrt::Error::success();
    auto asked = [&](uint64_t context, uint64_t batch) {
      return "--max-seq-len " + std::to_string(context) + " --max-batch " +
             std::to_string(batch);
    };
    std::string text =
        asked(plan.max_seq_len, plan.max_batch) + " does not fit the " +
        llrt::readableBytes(gpu->memoryBytes) + " of " + gpu->name + ": " +
        table.text() + ", " + llrt::readableBytes(table.total() - usable) +
        " too many; ";
    uint64_t batch = plan.max_batch;
    uint64_t fits = llrt::largestContext(plan, batch, usable);
    if (fits == 0)
      fits = llrt::largestContext(plan, batch = 1, usable);
    text += fits ? "the largest context that fits is " + std::to_string(fits) +
                       " tokens: " + asked(fits, batch)
                 : std::string("no context fits: choose a larger GPU (--gpu "
                               "help) or a smaller model");
    if (request.stage == Stage::Exe && checkpoint.hasWeights)
      return llrt::Error(text);
    warn(text);
    return llrt::Error::success();
  }

  llrt::Error build() {
    DialectRegistry registry;
    registerAllLlamacDialects(registry);
    registerEmitPTXTranslations(registry);
    MLIRContext context(registry, MLIRContext::Threading::DISABLED);
    std::string diagnostics;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      llvm::raw_string_ostream stream(diagnostics);
      stream << "\n  " << diagnostic.getLocation() << ": " << diagnostic;
    });
    auto failed = [&](const char *phase) {
      return llrt::Error(std::string("the phase `") + phase +
                         "` failed; this is a fault of llamac:" + diagnostics);
    };
    OwningOpRef<ModuleOp> module;
    LaunchPlan plan;
    std::vector<PackedStream> streams;
    std::string ptx;
    for (int i = 0; i <= static_cast<int>(request.stage); ++i) {
      Stage stage = static_cast<Stage>(i);
      const char *name = stageNames[i];
      if (stage == Stage::Exe)
        return timed(name, [&] { return emit(plan, ptx, streams); });
      if (stage == Stage::Cubin) {
        if (llrt::Error error = timed(name, [&] { return makeCubin(ptx); }))
          return error;
        if (stage == request.stage)
          return writeImages(assembly.cubin, stage);
        continue;
      }
      LogicalResult result = timed(name, [&]() -> LogicalResult {
        if (stage == Stage::Llama) {
          module = importLlama(context, checkpoint, options);
          return checkStage(*module, stage);
        }
        if (stage == Stage::Ptx) {
          FailureOr<std::string> text = emitPTX(*module, *gpu);
          if (succeeded(text))
            ptx = std::move(*text);
          return text;
        }
        return runPhase(*module, stage, getPhaseOptions(), &dump);
      });
      if (result.failed()) {
        if (llrt::Error error =
                dump.write(stage, printModule(*module), "-failed"))
          return error;
        return failed(name);
      }
      if (stage == Stage::Tiled && request.stage >= Stage::Ptx) {
        // What the executable needs of this stage, before it is lowered.
        streams = getPackingPlan(*module);
        pooled = getPooledTensors(*module);
        if (buildLaunchPlan(*module, checkpoint, *gpu, plan).failed())
          return failed(name);
        if (request.verbose)
          noteSizes(plan);
        if (llrt::Error error = checkMemory(plan.header))
          return error;
      }
      if (stage != request.stage && !dump)
        continue;
      std::string text = stage == Stage::Ptx ? ptx : printModule(*module);
      if (llrt::Error error = dump.write(stage, text))
        return error;
      if (stage == request.stage)
        return stage == Stage::Ptx ? writeImages(text, stage)
                                   : writeText(output, text);
    }
    llvm_unreachable("the loop ends at request.stage");
  }

  /// The module of runtime/kernels for this model.
  llrt::Result<CudaImages> compileKernels() {
    KernelConstants constants;
    constants.vocabulary = checkpoint.config.vocabSize;
    constants.pieces = getPieceCount(checkpoint);
    llrt::Result<CudaImages> images = timed("kernels", [&] {
      return emitKernels(request.pieces, constants, gpu->chip,
                         /*cubin=*/!assembly.cubin.empty());
    });
    if (!images)
      return images;
    if (llrt::Error error = dump.write(Stage::Ptx, images->ptx, ".kernels"))
      return error;
    if (!images->cubin.empty())
      if (llrt::Error error =
              dump.write(Stage::Cubin, images->cubin, ".kernels"))
        return error;
    return images;
  }

  /// A spill is slow, not wrong.
  void warnOfSpills(const std::vector<KernelResources> &kernels) {
    for (const KernelResources &kernel : kernels)
      if (kernel.spillBytes)
        warn("the kernel " + kernel.name + " spills " +
             std::to_string(kernel.spillBytes) + " bytes a thread on " +
             gpu->chip);
  }

  /// Nothing to assemble with is an error only where a cubin is asked for.
  llrt::Error makeCubin(const std::string &ptx) {
    llrt::Result<Assembly> made = assemble(request.pieces, ptx, gpu->chip);
    if (!made)
      return llrt::Error(
          made.error().message() +
          "\nkernels.ptx is what this writes: llamac " + request.model +
          " --gpu " + gpu->name + " --dtype " + getName(options.dtype) +
          " --max-seq-len " + std::to_string(options.maxSeqLen) +
          " --max-batch " + std::to_string(options.maxBatch) +
          (request.blocks ? " --blocks " + std::to_string(*request.blocks)
                          : "") +
          (request.poolKvHeads
               ? " --pool-kv-heads " + std::to_string(*request.poolKvHeads)
               : "") +
          (request.noWeights ? " --no-weights" : "") +
          " --emit=ptx -o kernels.ptx");
    assembly = std::move(*made);
    warnOfSpills(assembly.kernels);
    if (!assembly.cubin.empty())
      return dump.write(Stage::Cubin, assembly.cubin);
    if (request.stage == Stage::Cubin)
      return llrt::Error(assembly.missing);
    warn(assembly.missing + "; the executable carries PTX only, which the "
                            "driver assembles at every start");
    return llrt::Error::success();
  }

  /// `image` to OUT and that of runtime/kernels to OUT.kernels.ptx or .cubin.
  /// Stdout and devices get the first alone.
  llrt::Error writeImages(const std::string &image, Stage stage) {
    namespace fs = llvm::sys::fs;
    fs::file_status status;
    if (output == "-" || (!fs::status(output, status) && fs::exists(status) &&
                          !fs::is_regular_file(status)))
      return writeText(output, image);
    llrt::Result<CudaImages> images = compileKernels();
    if (!images)
      return images.error();
    if (llrt::Error error = writeText(output, image))
      return error;
    bool cubin = stage == Stage::Cubin;
    return writeText(output + (cubin ? ".kernels.cubin" : ".kernels.ptx"),
                     cubin ? images->cubin : images->ptx);
  }

  void noteSizes(const LaunchPlan &plan) {
    const LlamacPlanHeader &header = plan.header;
    note("positions: " + llrt::describePositions(header));
    auto count = [&](LlamacFunction function) {
      return std::to_string(header.functions[function].count);
    };
    note("bytes: " + std::to_string(header.weights_bytes) + " of weights, " +
         std::to_string(header.workspace_bytes) + " of workspace, " +
         std::to_string(header.page_bytes) + " a KV page of " +
         std::to_string(LLAMAC_PAGE_TOKENS) + " tokens");
    note(std::to_string(plan.kernels.size()) +
         " kernels; launches: " + count(LLAMAC_FUNCTION_PREFILL) +
         " of @prefill, " + count(LLAMAC_FUNCTION_DECODE) + " of @decode, " +
         count(LLAMAC_FUNCTION_HEAD) + " of @head");
  }

  /// The one that is asked for, else the checkpoint's where it is known.
  void chooseChatTemplate(LaunchPlan &plan, PassportFacts &facts) {
    LlamacChatTemplate which = LLAMAC_CHAT_NONE;
    if (request.chatTemplate) {
      which = *request.chatTemplate;
      facts.chatTemplateSource = "--chat-template";
    } else if (const auto &own = checkpoint.chatTemplate) {
      which = recogniseChatTemplate(own->text);
      facts.chatTemplateSource = own->source;
      if (which == LLAMAC_CHAT_UNKNOWN)
        warn("the chat template in " + own->source +
             " is none that llamac knows, so the executable takes no dialogs; "
             "where it is the same as one of those, name it with "
             "--chat-template");
    }
    plan.header.chat_template = which;
  }

  /// Empty where there is to be none, or can be none.
  std::vector<uint8_t> makeSelftestSection(const LlamacPlanHeader &header) {
    if (request.noSelftest || !checkpoint.hasWeights)
      return {};
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    auto seconds = [&] {
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    const uint64_t bytes = getSelftestBytes(checkpoint, header);
    llrt::ProgressBar bar("self-test", bytes, request.quiet);
    bool warned = false;
    auto section = timed("selftest", [&] {
      return makeSelftest(
          checkpoint, header,
          llvm::hardware_concurrency().compute_thread_count(),
          [&](uint64_t done) {
            const double whole = seconds() * double(bytes) / double(done);
            if (whole > 60 && seconds() > 2 && !warned) {
              warned = true;
              bar.clear();
              note("the reference's values for --selftest take some " +
                   std::to_string(int(whole)) +
                   " s here; --no-selftest leaves them out");
            }
            bar.show(done);
          });
    });
    bar.clear();
    if (!section) {
      warn("no values for --selftest: " + section.error().message());
      return {};
    }
    if (request.verbose) {
      std::string text;
      llvm::raw_string_ostream(text)
          << llvm::format("values for --selftest: %.1f KB in %.2f s",
                          double(section->size()) / 1e3, seconds());
      note(text);
    }
    return std::move(*section);
  }

  llrt::Error emit(LaunchPlan &plan, const std::string &ptx,
                   std::vector<PackedStream> &streams) {
    LlamacWeightsPlace place = !checkpoint.hasWeights ? LLAMAC_WEIGHTS_NONE
                               : request.splitWeights ? LLAMAC_WEIGHTS_BESIDE
                                                      : LLAMAC_WEIGHTS_INSIDE;
    PassportFacts facts;
    facts.version = LLAMAC_VERSION;
    facts.gpu = gpu;
    facts.blocks = request.blocks.value_or(0);
    facts.place = place;
    facts.passes = getPassNames(getPhaseOptions());
    chooseChatTemplate(plan, facts);
    if (checkpoint.hasWeights) {
      facts.conversions = describeConversions(checkpoint, streams);
      for (const std::string &conversion : facts.conversions)
        note("converting " + conversion);
    }
    if (request.poolKvHeads) {
      facts.pooledFrom = checkpoint.config.kvHeads;
      // From here on the checkpoint is the model that is compiled.
      poolTensors(checkpoint, pooled, plan.header.kv_heads);
    }
    llrt::Result<CudaImages> kernels = compileKernels();
    if (!kernels)
      return kernels.error();
    if (!assembly.cubin.empty()) {
      facts.resources = assembly.kernels;
      facts.runtimeKernels = readAssemblerLog(kernels->log);
      warnOfSpills(facts.runtimeKernels);
    }
    std::vector<uint8_t> selftest = makeSelftestSection(plan.header);
    // Beside the packing: both read the whole checkpoint.
    SourceHashing hashing(checkpoint);
    llrt::ProgressBar bar("packing", plan.header.weights_bytes, request.quiet);
    ExecutableParts parts{checkpoint,
                          plan,
                          ptx,
                          kernels->ptx,
                          assembly.cubin,
                          kernels->cubin,
                          [&] {
                            hashing.wait();
                            return makePassport(checkpoint, plan, facts);
                          },
                          std::move(streams),
                          std::move(selftest),
                          place,
                          llvm::hardware_concurrency().compute_thread_count(),
                          [&](uint64_t done) { bar.show(done); }};
    WrittenBytes written;
    std::vector<std::string> warnings;
    if (llrt::Error error =
            emitExecutable(request.runtime, output, parts, written, warnings))
      return error;
    bar.clear();
    for (const std::string &warning : warnings)
      warn(checkpoint.weightsPath + ": " + warning);
    std::string text;
    llvm::raw_string_ostream stream(text);
    auto megabytes = [](uint64_t bytes) {
      return llvm::format("%.1f MB", double(bytes) / 1e6);
    };
    stream << "wrote " << output << " (" << megabytes(written.executable)
           << (place == LLAMAC_WEIGHTS_NONE ? ", without weights)" : ")");
    if (place == LLAMAC_WEIGHTS_BESIDE)
      stream << " and " << getWeightsPath(output) << " ("
             << megabytes(written.weightsFile) << ")";
    note(text);
    return llrt::Error::success();
  }

  const CompileRequest &request;
  PhaseDump dump;
  const llrt::GpuRow *gpu = nullptr;
  std::vector<PooledTensor> pooled;
  Assembly assembly;
  Checkpoint checkpoint;
  ImportOptions options;
  std::string output;
};

} // namespace

std::string describeGpus() { return llrt::describeGpuTable(); }

bool isKnownGpu(const std::string &name) { return llrt::findGpuRow(name); }

llrt::Error compile(const CompileRequest &request) {
  return Compiler(request).run();
}

} // namespace mlir::llama
