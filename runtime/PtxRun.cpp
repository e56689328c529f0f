// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Command line -> device and buffers -> launch -> what was asked of the result.
#include "runtime/PtxRun.h"

#include "runtime/MappedFile.h"
#include "runtime/OptionChecks.h"
#include "runtime/PtxRunOptions.h"

#include <cinttypes>
#include <cstdio>

using namespace llrt;

namespace {

using Bytes = std::vector<uint8_t>;

Error annotated(const std::string &what, const Error &error) {
  return Error(what + ": " + error.message());
}

/// One device with the program's modules and buffers.
class PtxSession {
public:
  PtxSession(const PtxRunOptions &options, const GpuRow &row)
      : options(options), row(row) {}

  Error open(std::optional<uint64_t> schedule);
  /// Allocates, copies, launches, and copies back.
  Error run();

  const PtxRunOptions &options;
  const GpuRow &row;
  std::unique_ptr<Device> device;
  std::vector<Module *> modules;
  std::vector<Bytes> results; ///< by argument; empty for scalars

private:
  Result<Kernel *> findKernel();
  Error checkParameters(Kernel *kernel);
};

} // namespace

Error PtxSession::open(std::optional<uint64_t> schedule) {
  EmulatorOptions wanted = options.emulator.options(/*checkDefault=*/true);
  if (schedule)
    wanted.schedule = schedule;
  wanted.threads = options.threads;
  Result<std::unique_ptr<Device>> made =
      createEmulatorDevice(emulatedGpu(row), wanted);
  if (!made)
    return made.error();
  device = std::move(*made);
  for (const std::string &path : options.files) {
    Result<std::unique_ptr<const MappedFile>> file = MappedFile::open(path);
    if (!file)
      return file.error();
    Result<Module *> module = device->loadModule((*file)->text(), path);
    if (!module)
      return module.error();
    modules.push_back(*module);
  }
  return Error::success();
}

/// The kernel asked for; without a name the only one.
Result<Kernel *> PtxSession::findKernel() {
  std::string known;
  Kernel *found = nullptr;
  unsigned count = 0, matches = 0;
  for (Module *module : modules)
    for (const std::string &name : device->kernelNames(module)) {
      ++count;
      known += (known.empty() ? "" : ", ") + name;
      if (!options.kernel.empty() && name != options.kernel)
        continue;
      Result<Kernel *> kernel = device->findKernel(module, name);
      if (!kernel)
        return kernel.error();
      found = *kernel;
      ++matches;
    }
  std::string there = count ? known : "none";
  if (matches == 1)
    return found;
  if (options.kernel.empty())
    return Error("--kernel: none is named, and the files have " +
                 std::to_string(count) + ": " + there);
  return Error("--kernel: found `" + options.kernel + "`" +
               (matches ? " in several files" : "") + ", expected one of " +
               there);
}

Error PtxSession::checkParameters(Kernel *kernel) {
  Result<KernelResources> resources = device->resources(kernel);
  if (!resources)
    return resources.error();
  const std::vector<uint32_t> &sizes = resources->parameterBytes;
  if (sizes.size() != options.arguments.size())
    return Error("--arg: found " + std::to_string(options.arguments.size()) +
                 ", expected one for each of the kernel's " +
                 std::to_string(sizes.size()) + " parameters");
  for (size_t i = 0; i < sizes.size(); ++i) {
    const PtxArgument &argument = options.arguments[i];
    uint64_t size = argument.isBuffer() ? 8 : argument.bytes.size();
    if (size != sizes[i])
      return Error("--arg " + options.texts[i] + ": has " +
                   std::to_string(size) + " bytes" +
                   (argument.isBuffer() ? " (an address)" : "") +
                   ", but the kernel's parameter " + std::to_string(i) +
                   " has " + std::to_string(sizes[i]));
  }
  return Error::success();
}

Error PtxSession::run() {
  Result<Kernel *> kernel = findKernel();
  if (!kernel)
    return kernel.error();
  if (Error error = checkParameters(*kernel))
    return error;
  std::vector<DeviceAddress> addresses;
  std::vector<const void *> pointers;
  addresses.reserve(options.arguments.size());
  for (const PtxArgument &argument : options.arguments) {
    if (!argument.isBuffer()) {
      addresses.push_back(0);
      pointers.push_back(argument.bytes.data());
      continue;
    }
    Result<DeviceAddress> address =
        device->allocate(argument.size(), argument.name);
    if (!address)
      return address.error();
    addresses.push_back(*address);
    pointers.push_back(&addresses.back());
    if (argument.initialised)
      if (Error error = device->copyToDevice(*address, argument.bytes.data(),
                                             argument.size()))
        return error;
  }
  for (uint32_t i = 0; i < options.repeat; ++i)
    if (Error error = device->launch(*kernel, options.shape, pointers.data(),
                                     pointers.size()))
      return error;
  for (size_t i = 0; i < addresses.size(); ++i) {
    results.emplace_back();
    if (!options.arguments[i].isBuffer())
      continue;
    results[i].resize(options.arguments[i].size());
    if (Error error = device->copyToHost(results[i].data(), addresses[i],
                                         results[i].size()))
      return error;
  }
  return Error::success();
}

/// Eight values a line, each line with the index of its first.
static void print(const PtxArgument &buffer, const Bytes &bytes, uint64_t from,
                  uint64_t to) {
  std::printf("%s %s", buffer.name.c_str(), buffer.type->name);
  for (size_t i = 0; i < buffer.shape.size(); ++i)
    std::printf("%s%" PRIu64, i ? "x" : "[", buffer.shape[i]);
  std::printf("]\n");
  uint64_t row = buffer.shape.size() > 1 ? buffer.shape.back() : buffer.count;
  for (uint64_t i = from; i < to;) {
    std::printf("%6" PRIu64 ":", i);
    uint64_t end = std::min({to, i + 8, (i / row + 1) * row});
    for (; i < end; ++i)
      std::printf(
          " %s",
          buffer.type->format(elementAt(*buffer.type, bytes, i)).c_str());
    std::printf("\n");
  }
}

/// Two NaNs are equal; an infinity only to itself.
static double difference(const ElementType &type, uint64_t a, uint64_t b) {
  double x = type.valueOf(a), y = type.valueOf(b);
  if (a == b || x == y || (std::isnan(x) && std::isnan(y)))
    return 0;
  double distance = std::fabs(x - y);
  return std::isnan(distance) ? HUGE_VAL : distance;
}

/// Success if `bytes` are as expected, up to `most`; without it, to the bit.
static Error compare(const PtxArgument &buffer, const Bytes &bytes,
                     const Bytes &expected, std::optional<double> most,
                     const std::string &what) {
  uint64_t wrong = 0, first = 0;
  double largest = 0;
  for (uint64_t i = 0; i < buffer.count; ++i) {
    uint64_t found = elementAt(*buffer.type, bytes, i),
             wanted = elementAt(*buffer.type, expected, i);
    double distance = difference(*buffer.type, found, wanted);
    largest = std::max(largest, distance);
    if (most ? distance <= *most : found == wanted)
      continue;
    first = wrong++ ? first : i;
  }
  if (!wrong)
    return Error::success();
  auto text = [&](const Bytes &of) {
    return buffer.type->format(elementAt(*buffer.type, of, first));
  };
  char figures[64];
  std::snprintf(figures, sizeof figures, most ? "%g (--max-diff %g)" : "%g",
                largest, most.value_or(0));
  return Error(what + ": " + std::to_string(wrong) + " of " +
               std::to_string(buffer.count) + " elements differ, by up to " +
               figures + "; the first is " + buffer.name + "[" +
               std::to_string(first) + "]: found " + text(bytes) +
               ", expected " + text(expected));
}

/// The same bits under each of the seeds 1 to --schedules.
static Error runSchedules(const PtxSession &base) {
  for (uint64_t seed = 1; seed <= base.options.schedules; ++seed) {
    std::string name = "--emulator-schedule " + std::to_string(seed);
    PtxSession session(base.options, base.row);
    if (Error error = session.open(seed))
      return annotated(name, error);
    if (Error error = session.run())
      return annotated(name, error);
    for (size_t i = 0; i < base.results.size(); ++i) {
      const PtxArgument &buffer = base.options.arguments[i];
      if (buffer.isBuffer() && session.results[i] != base.results[i])
        if (Error error = compare(buffer, session.results[i], base.results[i],
                                  std::nullopt, name + " against none"))
          return error;
    }
  }
  return Error::success();
}

static Error finish(const PtxSession &session) {
  const PtxRunOptions &options = session.options;
  for (const PtxRunOptions::Print &each : options.prints)
    print(options.arguments[each.argument], session.results[each.argument],
          each.from, each.to);
  for (const PtxRunOptions::Save &each : options.saves)
    if (Error error = saveBuffer(options.arguments[each.argument],
                                 session.results[each.argument], each.path))
      return error;
  for (const PtxRunOptions::Expect &each : options.expects)
    if (Error error = compare(options.arguments[each.argument],
                              session.results[each.argument], each.bytes,
                              options.maxDiff, "--expect " + each.text))
      return error;
  return Error::success();
}

static int work(const PtxRunOptions &options, const std::string &program) {
  const GpuRow &row = *findGpuRow(options.gpu);
  auto failed = [&](const Error &error) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", program.c_str(), error.message().c_str());
    return 1;
  };
  PtxSession session(options, row);
  if (Error error = session.open(std::nullopt))
    return failed(error);
  if (options.list) {
    for (Module *module : session.modules)
      for (const std::string &name : session.device->kernelNames(module))
        std::printf("%s\n", name.c_str());
    return 0;
  }
  Error error = session.run();
  if (options.verbose)
    std::fprintf(stderr, "%s: %s, %" PRIu64 " warp instructions\n",
                 program.c_str(), session.device->description().c_str(),
                 session.device->counters()->warpInstructions);
  // A kernel that went wrong has a profile, too.
  if (Error unwritten = options.emulator.report(*session.device, row);
      unwritten && !error)
    return failed(unwritten);
  if (error)
    return failed(error);
  if (Error error = finish(session))
    return failed(error);
  if (Error error = runSchedules(session))
    return failed(error);
  if (std::fflush(stdout) != 0)
    return failed(Error("standard output cannot be written"));
  return 0;
}

int llrt::runPtx(int argumentCount, char **arguments) {
  std::string program = argumentCount ? arguments[0] : "ptx-run";
  program.erase(0, program.rfind('/') + 1);
  std::string page;
  Result<PtxRunOptions> options = PtxRunOptions::parse(
      program,
      std::vector<std::string>(arguments + (argumentCount ? 1 : 0),
                               arguments + argumentCount),
      page);
  if (!options) {
    std::fprintf(stderr, "%s: %s; --help lists the options\n", program.c_str(),
                 options.error().message().c_str());
    return 2;
  }
  if (!page.empty()) {
    std::fputs(page.c_str(), stdout);
    return std::fflush(stdout) ? 1 : 0;
  }
  return work(*options, program);
}
