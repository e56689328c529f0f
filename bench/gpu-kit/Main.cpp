// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// gpu-kit PART [--device cuda[:N]|emulator] [--quick] [--kernels FOLDER] ...:
// the parts of the GPU kit that are programs. run.sh calls it.
#include "bench/gpu-kit/Kit.h"

#include "runtime/GpuTable.h"

#include <cstdio>
#include <fstream>
#include <iterator>

using namespace llrt;
using namespace llrt::kit;

void llrt::kit::emitRow(const Json &row) {
  std::string text =
      row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void llrt::kit::note(const std::string &text) {
  std::fprintf(stderr, "%s\n", text.c_str());
}

Result<std::unique_ptr<Device>> llrt::kit::openDevice(const Options &options,
                                                      const std::string &gpu) {
  if (options.emulator) {
    const GpuRow *row = findGpuRow(gpu);
    if (!row)
      return Error("no row " + gpu + " in the GPU table");
    return createEmulatorDevice(emulatedGpu(*row));
  }
  return createCudaDevice(options.ordinal);
}

static Result<std::string> readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    return Error(path + ": cannot be read; --kernels names its folder");
  return text;
}

Result<std::string> llrt::kit::readKernels(const Options &options,
                                           const std::string &file) {
  return readFile(options.kernels + "/" + file);
}

Result<Module *> llrt::kit::loadKernels(const Options &options, Device &device,
                                        const std::string &name) {
  const std::string stem = options.kernels + "/" + name;
  if (!device.isEmulator()) {
    Result<std::string> cubin = readFile(stem + ".cubin");
    if (!cubin)
      return cubin.error();
    if (Result<Module *> module = device.loadModule(*cubin, stem + ".cubin"))
      return module;
    note(stem + ".cubin does not load here; taking the PTX");
  }
  Result<std::string> ptx = readFile(stem + ".ptx");
  if (!ptx)
    return ptx.error();
  return device.loadModule(*ptx, stem + ".ptx");
}

LaunchShape llrt::kit::makeShape(uint32_t blocks, uint32_t threads,
                                 uint32_t sharedBytes) {
  LaunchShape shape;
  shape.grid.x = blocks;
  shape.block.x = threads;
  shape.dynamicSharedBytes = sharedBytes;
  return shape;
}

static int usage() {
  std::fprintf(
      stderr,
      "usage: gpu-kit PART [--device cuda[:N]|emulator] [--quick] [--kernels "
      "FOLDER] ARGUMENTS\n"
      "parts: conformance            what Device promises, on this device\n"
      "       programs               the CUDA programs of the emulator's tests\n"
      "       products               tensor cores on random numbers\n"
      "       probes [NAME]...       stream, exchange, reduce, clusters, "
      "launch\n"
      "       models FOLDER          the compiled test models in it, against "
      "the reference\n"
      "       shape EXE CONFIG.json  a model without weights on random ones, "
      "against the reference\n"
      "       machine                one row about the device\n"
      "       report FOLDER          results.json and results.md from the rows "
      "in it\n");
  return 2;
}

int main(int count, char **arguments) {
  Options options;
  std::string part = count > 1 ? arguments[1] : "";
  for (int i = 2; i < count; ++i) {
    const std::string argument = arguments[i];
    const bool more = i + 1 < count;
    if (argument == "--quick") {
      options.quick = true;
    } else if (argument == "--kernels" && more) {
      options.kernels = arguments[++i];
    } else if (argument == "--device" && more) {
      const std::string device = arguments[++i];
      options.emulator = device == "emulator";
      if (device.rfind("cuda:", 0) == 0)
        options.ordinal = std::atoi(device.c_str() + 5);
      else if (device != "cuda" && !options.emulator)
        return usage();
    } else if (argument.rfind("--", 0) == 0) {
      return usage();
    } else {
      options.arguments.push_back(argument);
    }
  }
  const struct {
    const char *name;
    Result<int> (*run)(const Options &);
  } parts[] = {{"conformance", runConformance}, {"programs", runPrograms},
               {"products", runProducts},       {"probes", runProbes},
               {"models", runModels},           {"shape", runShape},
               {"machine", runMachine},         {"report", runReport}};
  for (const auto &entry : parts) {
    if (part != entry.name)
      continue;
    Result<int> failures = entry.run(options);
    if (failures)
      return *failures ? 1 : 0;
    note("gpu-kit " + part + ": " + failures.error().message());
    emitRow({{"part", part}, {"error", failures.error().message()}});
    return 1;
  }
  return usage();
}
