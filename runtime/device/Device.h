// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A CUDA-like device: memory, modules, launches, streams, events. Two
// implementations stand behind it: the NVIDIA driver (device/cuda) and the
// emulator (device/emulator). Nothing above this header knows which one runs.
#ifndef LLAMAC_RUNTIME_DEVICE_DEVICE_H
#define LLAMAC_RUNTIME_DEVICE_DEVICE_H

#include "runtime/Result.h"
#include "runtime/device/Profile.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llrt {

struct GpuRow;

/// An address in device memory. 0 is null.
using DeviceAddress = uint64_t;

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

/// Everything about a launch that is not an argument. Both devices enforce it:
/// the emulator refuses what the hardware would.
struct LaunchShape {
  Dim3 grid;
  Dim3 block;
  Dim3 cluster;                    ///< {1,1,1}: no cluster
  uint32_t dynamicSharedBytes = 0; ///< on top of the kernel's static shared memory
  bool cooperative = false;        ///< all blocks resident at once, or refused
  bool programmatic = false;       ///< may start before the previous launch ends
};

/// Opaque; owned by the Device that made it and valid as long as it lives.
struct Module;
struct Kernel;
struct Stream;
struct Event;
/// Launches that were recorded, to be made again at once.
struct Graph;

/// What a kernel takes from the chip, for `--info` and for occupancy.
struct KernelResources {
  uint32_t registers = 0; ///< per thread; 0 where unknown (emulator)
  uint32_t staticSharedBytes = 0;
  uint32_t localBytes = 0; ///< per thread, spills included
  std::vector<uint32_t> parameterBytes; ///< of each; only the emulator knows
};

/// Puts bytes [offset, offset + size) of an upload at `into`. Called from
/// several threads, for different pieces.
using PieceReader = std::function<void(uint64_t offset, uint64_t size, uint8_t *into)>;
/// Called with the number of bytes that are there.
using UploadProgress = std::function<void(uint64_t done)>;

class Device {
public:
  virtual ~Device() = default;

  /// "emulator (sm_90a, 4 SMs)" or "NVIDIA H200 (sm_90, driver 13.0)".
  virtual std::string description() const = 0;
  virtual bool isEmulator() const = 0;
  /// Bytes that allocate() can still give; for messages.
  virtual Result<uint64_t> freeMemory() = 0;

  /// Device memory, 1024-byte aligned, contents undefined until written.
  /// `name` appears in messages and reports. Freed with the Device.
  virtual Result<DeviceAddress> allocate(uint64_t bytes, std::string_view name) = 0;
  /// Device memory that holds a copy of [host, host+bytes) and is never
  /// written. The emulator uses the host memory in place, so it must outlive
  /// the Device.
  virtual Result<DeviceAddress> allocateConstant(const void *host, uint64_t bytes,
                                                 std::string_view name) = 0;
  /// Memory that kernels and the host use at this same address, for small
  /// things: on a GPU it is the host's, pinned. The host may read what a
  /// kernel wrote when it has waited for that. Zeros; freed with the Device,
  /// or by release().
  virtual Result<DeviceAddress> allocateShared(uint64_t bytes, std::string_view name) = 0;
  virtual Error release(DeviceAddress address) = 0;

  /// Fills [to, to + bytes) with what `read` gives for pieces of `pieceBytes`;
  /// done on return. On a GPU reading overlaps the transfer of other pieces.
  /// `progress` may be empty.
  virtual Error upload(DeviceAddress to, uint64_t bytes, uint64_t pieceBytes, const PieceReader &read,
                       const UploadProgress &progress) {
    std::vector<uint8_t> piece(pieceBytes < bytes ? pieceBytes : bytes);
    for (uint64_t at = 0; at < bytes; at += piece.size()) {
      uint64_t size = bytes - at < piece.size() ? bytes - at : piece.size();
      read(at, size, piece.data());
      if (Error error = copyToDevice(to + at, piece.data(), size))
        return error;
      if (progress)
        progress(at + size);
    }
    return Error::success();
  }

  // Stream-ordered unless `stream` is null; a null stream means: done on return.
  virtual Error copyToDevice(DeviceAddress to, const void *from, uint64_t bytes, Stream *stream = nullptr) = 0;
  virtual Error copyToHost(void *to, DeviceAddress from, uint64_t bytes, Stream *stream = nullptr) = 0;
  virtual Error copyOnDevice(DeviceAddress to, DeviceAddress from, uint64_t bytes, Stream *stream = nullptr) = 0;
  virtual Error fill(DeviceAddress to, uint8_t byte, uint64_t bytes, Stream *stream = nullptr) = 0;

  /// PTX text (the driver assembles it; the emulator decodes it) or, on CUDA
  /// only, a cubin. `name` appears in messages.
  virtual Result<Module *> loadModule(std::string_view image, std::string_view name) = 0;
  virtual Result<Kernel *> findKernel(Module *module, std::string_view name) = 0;
  virtual Result<KernelResources> resources(Kernel *kernel) = 0;
  /// A module's kernels, in its order; only the emulator knows.
  virtual std::vector<std::string> kernelNames(Module *) const { return {}; }

  /// `arguments[i]` points at the i-th kernel parameter's bytes, as for
  /// cuLaunchKernel; their sizes are the kernel's own.
  virtual Error launch(Kernel *kernel, const LaunchShape &shape, const void *const *arguments,
                       size_t argumentCount, Stream *stream = nullptr) = 0;

  /// Whether launches can be recorded (CUDA: as a graph). Where not, who wants
  /// them again makes them again, one by one.
  virtual bool records() const { return false; }
  /// Until endRecording(), what is launched on `stream` is kept with its
  /// arguments' values and not made. Nothing else may be asked of the stream.
  virtual Error beginRecording(Stream *) { return Error("this device records nothing"); }
  /// Valid as long as the Device, or until it is released.
  virtual Result<Graph *> endRecording(Stream *) { return Error("this device records nothing"); }
  virtual Error launch(Graph *, Stream *) { return Error("this device records nothing"); }
  /// Not while it runs.
  virtual void release(Graph *) {}

  virtual Result<Stream *> createStream() = 0;
  virtual Error synchronize(Stream *stream = nullptr) = 0;
  virtual Result<Event *> createEvent() = 0;
  virtual Error record(Event *event, Stream *stream) = 0;
  /// Until all is done that stood before the event when it was recorded.
  virtual Error wait(Event *event) = 0;
  /// Milliseconds between two recorded events. The emulator derives it from
  /// executed instructions and never from a clock.
  virtual Result<double> elapsedMilliseconds(Event *start, Event *end) = 0;

  /// What has been executed so far; null where nothing counts it (CUDA).
  virtual const EmulatorCounters *counters() const { return nullptr; }
  /// With EmulatorOptions::profile: the kernels, in the order of their first
  /// launches.
  virtual std::vector<KernelProfile> profile() const { return {}; }
};

/// The emulator's millisecond, in executed warp instructions.
inline constexpr double emulatedInstructionsPerMillisecond = 1e6;

/// Facts of the chip that the emulator enforces: a row of the GPU table, by
/// emulatedGpu() in runtime/GpuTable.h.
struct EmulatedGpu {
  std::string name = "emulator";
  uint32_t smVersion = 90; ///< 90 for sm_90a
  uint32_t multiprocessors = 4;
  uint32_t sharedBytesPerBlock = 227 * 1024;
  uint32_t sharedBytesPerMultiprocessor = 228 * 1024;
  uint32_t threadsPerMultiprocessor = 2048;
  uint32_t blocksPerMultiprocessor = 32;
  uint64_t memoryBytes = 0; ///< 0: the host's own limit
};

/// What the emulator does beside running programs.
struct EmulatorOptions {
  /// Reports wrong programs (docs/emulator-checks.md): races, use of
  /// uninitialised memory, misuse of barriers and asynchronous copies.
  bool check = false;
  /// Permutes warps and blocks and delays asynchronous copies, by this seed.
  std::optional<uint64_t> schedule;
  /// Counts what kernels do (Device::profile).
  bool profile = false;
  /// Host threads; 0: as many as the machine has cores. Observed programs
  /// (check, schedule, profile) run on one.
  unsigned threads = 0;
};

/// The emulator.
Result<std::unique_ptr<Device>> createEmulatorDevice(const EmulatedGpu &gpu = {}, const EmulatorOptions &options = {});

/// Why there is no usable CUDA device: no driver library at all is not an
/// error for `--device auto`, everything else is.
enum class CudaAbsence { Present, NoDriver, NoDevice, Unusable };
struct CudaProbe {
  CudaAbsence absence = CudaAbsence::NoDriver;
  std::string detail; ///< for the user
};
CudaProbe probeCuda();
/// Device `ordinal` through libcuda.so.1, opened with dlopen. With `row` it must
/// be of that row's architecture; how many multiprocessors it has is its own
/// affair. Null: any.
Result<std::unique_ptr<Device>> createCudaDevice(int ordinal = 0, const GpuRow *row = nullptr);

} // namespace llrt

#endif
