// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C functions of llamac/emulator.h over the emulator's Device.
#include "runtime/library/llamac/emulator.h"

#include "runtime/GpuTable.h"
#include "runtime/ProfileReport.h"
#include "runtime/device/Device.h"

#include <cstdlib>
#include <cstring>
#include <exception>

using namespace llrt;

struct llamac_emulator {
  const GpuRow *row;
  std::unique_ptr<Device> device;
  std::vector<std::string> names; ///< those that kernel_name() has given
};

namespace {

thread_local std::string lastError;

template <class T> T failed(std::string message, T value) {
  lastError = std::move(message);
  return value;
}
int status(const Error &error) {
  return error ? failed(error.message(), -1) : 0;
}

/// Nothing is thrown into C: `work`, or `value` where memory ran out.
template <class T, class Work> T guarded(T value, Work work) {
  try {
    return work();
  } catch (const std::exception &error) {
    return failed(std::string("emulator: ") + error.what(), value);
  }
}

Dim3 dimensions(const uint32_t extents[3]) {
  return {extents[0], extents[1], extents[2]};
}

} // namespace

int llamac_emulator_api_version(void) { return LLAMAC_EMULATOR_API_VERSION; }

void llamac_emulator_options_init(llamac_emulator_options *options) {
  *options = {};
  options->size = sizeof *options;
  options->gpu = "h200";
}

const char *llamac_emulator_last_error(void) { return lastError.c_str(); }

llamac_emulator *llamac_emulator_create(const llamac_emulator_options *asked) {
  llamac_emulator *none = nullptr;
  return guarded(none, [&]() -> llamac_emulator * {
    llamac_emulator_options options;
    llamac_emulator_options_init(&options);
    if (asked) {
      if (asked->size != sizeof options)
        return failed("emulator: the options have " +
                          std::to_string(asked->size) + " bytes, expected " +
                          std::to_string(sizeof options) +
                          "; call llamac_emulator_options_init, and build "
                          "with the library's own header",
                      none);
      options = *asked;
    }
    const GpuRow *row = options.gpu ? findGpuRow(options.gpu) : nullptr;
    if (!row)
      return failed("emulator: found the GPU `" +
                        std::string(options.gpu ? options.gpu : "") +
                        "`, expected a row of the table:\n" +
                        describeGpuTable(),
                    none);
    EmulatorOptions wanted;
    wanted.check = options.check;
    if (options.has_schedule)
      wanted.schedule = options.schedule;
    wanted.profile = options.profile;
    wanted.threads = options.threads;
    Result<std::unique_ptr<Device>> device =
        createEmulatorDevice(emulatedGpu(*row), wanted);
    if (!device)
      return failed(device.error().message(), none);
    return new llamac_emulator{row, std::move(*device), {}};
  });
}

void llamac_emulator_destroy(llamac_emulator *emulator) { delete emulator; }

llamac_module *llamac_emulator_load(llamac_emulator *emulator, const char *ptx,
                                    size_t bytes, const char *name) {
  llamac_module *none = nullptr;
  return guarded(none, [&] {
    Result<Module *> module =
        emulator->device->loadModule(std::string_view(ptx, bytes), name);
    return module ? reinterpret_cast<llamac_module *>(*module)
                  : failed(module.error().message(), none);
  });
}

llamac_kernel *llamac_emulator_find_kernel(llamac_emulator *emulator,
                                           llamac_module *module,
                                           const char *name) {
  llamac_kernel *none = nullptr;
  return guarded(none, [&] {
    Result<Kernel *> kernel =
        emulator->device->findKernel(reinterpret_cast<Module *>(module), name);
    return kernel ? reinterpret_cast<llamac_kernel *>(*kernel)
                  : failed(kernel.error().message(), none);
  });
}

const char *llamac_emulator_kernel_name(llamac_emulator *emulator,
                                        llamac_module *module, size_t i) {
  const char *none = nullptr;
  return guarded(none, [&]() -> const char * {
    emulator->names =
        emulator->device->kernelNames(reinterpret_cast<Module *>(module));
    return i < emulator->names.size()
               ? emulator->names[i].c_str()
               : failed("emulator: the module has " +
                            std::to_string(emulator->names.size()) + " kernels",
                        none);
  });
}

uint64_t llamac_emulator_allocate(llamac_emulator *emulator, uint64_t bytes,
                                  const char *name) {
  return guarded(uint64_t(0), [&] {
    Result<DeviceAddress> address = emulator->device->allocate(bytes, name);
    return address ? *address : failed(address.error().message(), uint64_t(0));
  });
}

int llamac_emulator_release(llamac_emulator *emulator, uint64_t address) {
  return guarded(-1,
                 [&] { return status(emulator->device->release(address)); });
}

int llamac_emulator_write(llamac_emulator *emulator, uint64_t to,
                          const void *from, uint64_t bytes) {
  return guarded(-1, [&] {
    return status(emulator->device->copyToDevice(to, from, bytes));
  });
}

int llamac_emulator_read(llamac_emulator *emulator, void *to, uint64_t from,
                         uint64_t bytes) {
  return guarded(-1, [&] {
    return status(emulator->device->copyToHost(to, from, bytes));
  });
}

int llamac_emulator_fill(llamac_emulator *emulator, uint64_t to, uint8_t byte,
                         uint64_t bytes) {
  return guarded(
      -1, [&] { return status(emulator->device->fill(to, byte, bytes)); });
}

int llamac_emulator_launch(llamac_emulator *emulator, llamac_kernel *kernel,
                           const llamac_launch *launch,
                           const void *const *arguments,
                           size_t argument_count) {
  return guarded(-1, [&] {
    LaunchShape shape;
    shape.grid = dimensions(launch->grid);
    shape.block = dimensions(launch->block);
    shape.cluster = dimensions(launch->cluster);
    shape.dynamicSharedBytes = launch->dynamic_shared_bytes;
    shape.cooperative = launch->cooperative;
    return status(emulator->device->launch(reinterpret_cast<Kernel *>(kernel),
                                           shape, arguments, argument_count));
  });
}

uint64_t llamac_emulator_warp_instructions(const llamac_emulator *emulator) {
  return emulator->device->counters()->warpInstructions;
}

char *llamac_emulator_profile(const llamac_emulator *emulator, int json) {
  char *none = nullptr;
  return guarded(none, [&] {
    std::vector<KernelProfile> kernels = emulator->device->profile();
    std::string text = json ? profileJson(kernels, *emulator->row)
                            : profileTable(kernels, *emulator->row);
    char *copy = strdup(text.c_str());
    return copy ? copy : failed("emulator: out of memory", none);
  });
}

void llamac_emulator_free(char *text) { std::free(text); }
