// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What runtime/device/Device.h promises, checked alike on the emulator and on
// the driver: memory, copies, order of streams, launches, messages.
#include "bench/gpu-kit/Kit.h"

#include <cstring>
#include <numeric>

using namespace llrt;
using namespace llrt::kit;

namespace {

/// One check after the other; a failed one says what it found.
class Conformance {
public:
  Conformance(Device &device, Module *module, Stream *stream)
      : device(device), module(module), stream(stream) {}

  int run() {
    check("memory is aligned, copied and freed", &Conformance::memory);
    check("constants of several staging pieces", &Conformance::constants);
    check("memory that is not there is refused", &Conformance::tooMuch);
    check("a stream keeps its order", &Conformance::order);
    check("events measure", &Conformance::events);
    check("arguments of every size", &Conformance::arguments);
    check("grids and blocks in three dimensions", &Conformance::shapes);
    check("shared memory up to 227 KB", &Conformance::sharedMemory);
    check("a cooperative grid meets", &Conformance::cooperative);
    check("a cooperative grid that is too large is refused",
          &Conformance::tooCooperative);
    check("clusters of 8 and 16 pass numbers on", &Conformance::clusters);
    check("two modules live together", &Conformance::modules);
    check("what does not assemble is refused with the reason",
          &Conformance::badModule);
    check("resources of a kernel", &Conformance::resources);
    return failures;
  }

private:
  void check(const char *name, Error (Conformance::*test)()) {
    Error error = (this->*test)();
    note(std::string(error ? "FAILED  " : "ok      ") + name +
         (error ? ": " + error.message() : ""));
    Json row = {{"part", "correctness"}, {"check", name}, {"ok", !error}};
    if (error)
      row["found"] = error.message();
    emitRow(row);
    failures += error ? 1 : 0;
  }

  /// Memory with words of `byte`.
  Result<DeviceAddress> make(uint64_t words, uint8_t byte = 0) {
    Result<DeviceAddress> address = device.allocate(words * 4, "conformance");
    if (!address)
      return address;
    if (Error error = device.fill(*address, byte, words * 4))
      return error;
    return address;
  }
  Result<std::vector<uint32_t>> read(DeviceAddress from, size_t words) {
    std::vector<uint32_t> values(words);
    if (Error error = device.synchronize(stream))
      return error;
    if (Error error = device.copyToHost(values.data(), from, words * 4))
      return error;
    return values;
  }
  static Error differs(size_t index, uint64_t found, uint64_t expected) {
    return Error("value " + std::to_string(index) + " is " +
                 std::to_string(found) + ", expected " +
                 std::to_string(expected));
  }
  /// Values [0, words) of memory by a rule.
  Error expect(DeviceAddress from, size_t words,
               const std::function<uint32_t(size_t)> &rule) {
    Result<std::vector<uint32_t>> values = read(from, words);
    if (!values)
      return values.error();
    for (size_t i = 0; i < words; ++i)
      if ((*values)[i] != rule(i))
        return differs(i, (*values)[i], rule(i));
    return Error::success();
  }

  Error memory() {
    std::vector<uint8_t> bytes(3000001), back(bytes.size());
    for (size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<uint8_t>(i * 2654435761u >> 11);
    Result<DeviceAddress> a = device.allocate(bytes.size(), "a"),
                          b = device.allocate(bytes.size(), "b");
    if (!a || !b)
      return a ? b.error() : a.error();
    if (*a % 1024 || *b % 1024)
      return Error("an address is not 1024-aligned");
    for (Stream *on : {stream, static_cast<Stream *>(nullptr)}) {
      std::fill(back.begin(), back.end(), uint8_t(0));
      Error error = device.copyToDevice(*a, bytes.data(), bytes.size(), on);
      if (!error)
        error = device.copyOnDevice(*b, *a, bytes.size(), on);
      if (!error)
        error = device.fill(*b + 1000, 0x5a, 77, on);
      if (!error)
        error = device.copyToHost(back.data(), *b, bytes.size(), on);
      if (!error)
        error = device.synchronize(on);
      if (error)
        return error;
      for (size_t i = 0; i < bytes.size(); ++i) {
        const uint8_t want = i >= 1000 && i < 1077 ? 0x5a : bytes[i];
        if (back[i] != want)
          return differs(i, back[i], want);
      }
    }
    if (Error error = device.release(*a))
      return error;
    if (!device.release(*a))
      return Error("an address was released twice");
    return device.release(*b);
  }

  /// More than two pieces of the staging that carries weights.
  Error constants() {
    std::vector<uint32_t> constant((80 << 20) / 4 + 13);
    std::iota(constant.begin(), constant.end(), 7u);
    Result<DeviceAddress> address = device.allocateConstant(
        constant.data(), constant.size() * 4, "constants");
    if (!address)
      return address.error();
    if (Error error = expect(*address, constant.size(), [](size_t i) {
          return static_cast<uint32_t>(i + 7);
        }))
      return error;
    return device.release(*address);
  }

  Error tooMuch() {
    // The emulator's memory is the host's: a size that no machine has.
    Result<DeviceAddress> address =
        device.allocate(uint64_t(1) << 46, "far too much");
    if (address)
      return Error("64 TiB were given");
    if (address.error().message().find("far too much") == std::string::npos)
      return Error("the message does not name what it was for: " +
                   address.error().message());
    return Error::success();
  }

  Error order() {
    constexpr uint32_t words = 4096;
    Result<DeviceAddress> data = make(words);
    if (!data)
      return data.error();
    std::vector<uint32_t> start(words, 40), back(words);
    Error error = device.copyToDevice(*data, start.data(), words * 4, stream);
    for (int i = 0; i < 2 && !error; ++i)
      error = launch(device, module, "add_slowly", makeShape(words / 256, 256),
                     stream, *data, words, device.isEmulator() ? 10u : 20000u);
    if (!error)
      error = device.copyToHost(back.data(), *data, words * 4, stream);
    if (!error)
      error = device.synchronize(stream);
    for (size_t i = 0; i < words && !error; ++i)
      if (back[i] != 42)
        error = differs(i, back[i], 42);
    return error;
  }

  Error events() {
    Result<Event *> start = device.createEvent(), end = device.createEvent();
    Result<DeviceAddress> data = make(256);
    if (!start || !end || !data)
      return Error("an event or memory was refused");
    double last = 0;
    for (uint32_t turns : {1000u, 100000u}) {
      if (device.isEmulator())
        turns /= 100;
      Error error = device.record(*start, stream);
      if (!error)
        error = launch(device, module, "add_slowly", makeShape(1, 256), stream,
                       *data, 256u, turns);
      if (!error)
        error = device.record(*end, stream);
      if (error)
        return error;
      Result<double> time = device.elapsedMilliseconds(*start, *end);
      if (!time)
        return time.error();
      if (!(*time > 10 * last) || *time > 10000)
        return Error(std::to_string(turns) + " turns took " +
                     std::to_string(*time) + " ms, the run before " +
                     std::to_string(last));
      last = *time;
    }
    return Error::success();
  }

  Error arguments() {
    Result<DeviceAddress> out = make(14);
    if (!out)
      return out.error();
    struct Three {
      uint32_t x, y, z;
    };
    const float e = 1.5f;
    const double f = -2.25;
    if (Error error =
            launch(device, module, "store_arguments", makeShape(1, 1), stream,
                   *out, uint8_t(200), uint16_t(50000), uint32_t(4000000000u),
                   uint64_t(0x123456789abcdef0u), e, f, Three{1, 2, 3}))
      return error;
    uint64_t expected[7] = {200, 50000, 4000000000u, 0x123456789abcdef0u,
                            0,   0,     321};
    std::memcpy(&expected[4], &e, sizeof e);
    std::memcpy(&expected[5], &f, sizeof f);
    return expect(*out, 14, [&](size_t i) {
      return static_cast<uint32_t>(expected[i / 2] >> (32 * (i % 2)));
    });
  }

  Error shapes() {
    Result<DeviceAddress> out = make(5 * 3 * 2 * 6);
    if (!out)
      return out.error();
    LaunchShape shape;
    shape.grid = {5, 3, 2};
    shape.block = {8, 4, 3};
    if (Error error =
            launch(device, module, "store_shape", shape, stream, *out))
      return error;
    const uint32_t expected[6] = {5, 3, 2, 8, 4, 3};
    if (Error error =
            expect(*out, 180, [&](size_t i) { return expected[i % 6]; }))
      return error;
    // The last block is cut by the count.
    Result<DeviceAddress> index = make(3000, 0xff);
    if (!index)
      return index.error();
    if (Error error = launch(device, module, "store_index", makeShape(3, 1024),
                             stream, *index, 2500u, 100u))
      return error;
    return expect(*index, 3000, [](size_t i) {
      return i < 2500 ? static_cast<uint32_t>(100 + i) : 0xffffffffu;
    });
  }

  Error sharedMemory() {
    // 1 KB is static: 47 KB need not be asked for, 48 KB must be.
    for (uint32_t bytes : {0u, 47u << 10, 48u << 10, 100u << 10, 226u << 10}) {
      const uint32_t words = bytes / 4;
      Result<DeviceAddress> out = make(words + 1);
      if (!out)
        return out.error();
      if (Error error = launch(device, module, "reverse_shared",
                               makeShape(1, 256, bytes), stream, *out, words))
        return Error(std::to_string(bytes) + " bytes: " + error.message());
      if (Error error = expect(*out, words, [&](size_t i) {
            return static_cast<uint32_t>((words - 1 - i) * 3 + 255 - i % 256);
          }))
        return Error(std::to_string(bytes) + " bytes: " + error.message());
    }
    Result<DeviceAddress> out = make(1);
    if (!out)
      return out.error();
    if (!launch(device, module, "reverse_shared", makeShape(1, 256, 228 << 10),
                stream, *out, 0u))
      return Error("a block was given 229 KB");
    return Error::success();
  }

  Error meet(uint32_t blocks, uint32_t sharedBytes) {
    Result<DeviceAddress> arrived = make(1), out = make(blocks);
    if (!arrived || !out)
      return arrived ? out.error() : arrived.error();
    LaunchShape shape = makeShape(blocks, 128, sharedBytes);
    shape.cooperative = true;
    if (Error error =
            launch(device, module, "meet", shape, stream, *arrived, *out))
      return error;
    return expect(*out, blocks, [&](size_t) { return blocks; });
  }
  Error cooperative() {
    // One block a multiprocessor.
    return meet(device.isEmulator() ? 4 : 128, 200 << 10);
  }
  Error tooCooperative() {
    Result<DeviceAddress> arrived = make(1), out = make(1 << 16);
    if (!arrived || !out)
      return arrived ? out.error() : arrived.error();
    LaunchShape shape = makeShape(1 << 16, 128, 200 << 10);
    shape.cooperative = true;
    if (!launch(device, module, "meet", shape, stream, *arrived, *out))
      return Error(
          "65536 blocks of 200 KB were launched as a cooperative grid");
    return device.synchronize(stream);
  }

  Error clusters() {
    for (uint32_t size : {2u, 8u, 16u}) {
      const uint32_t blocks = size * 2;
      Result<DeviceAddress> out = make(blocks);
      if (!out)
        return out.error();
      LaunchShape shape = makeShape(blocks, 128);
      shape.cluster.x = size;
      if (Error error =
              launch(device, module, "pass_right", shape, stream, size, *out))
        return Error("clusters of " + std::to_string(size) + ": " +
                     error.message());
      if (Error error = expect(*out, blocks, [&](size_t i) {
            const size_t first = i / size * size;
            return static_cast<uint32_t>(first + (i - first + size - 1) % size);
          }))
        return Error("clusters of " + std::to_string(size) + ": " +
                     error.message());
    }
    return Error::success();
  }

  Error modules() {
    const char *text = ".version 8.0\n.target sm_80\n.address_size 64\n"
                       ".visible .entry answer(.param .u64 out)\n{\n"
                       ".reg .b64 %rd1;\nld.param.u64 %rd1, [out];\n"
                       "st.global.u32 [%rd1], 42;\nret;\n}\n";
    Result<Module *> other = device.loadModule(text, "other");
    Result<DeviceAddress> out = make(1);
    if (!other || !out)
      return other ? out.error() : other.error();
    if (Error error =
            launch(device, *other, "answer", makeShape(1, 1), stream, *out))
      return error;
    if (device.findKernel(*other, "store_index"))
      return Error("a kernel of one module is found in another");
    return expect(*out, 1, [](size_t) { return 42u; });
  }

  Error badModule() {
    Result<Module *> module = device.loadModule(
        ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry bad()\n"
        "{\n  frobnicate.u32 %r1;\n  ret;\n}\n",
        "a bad module");
    if (module)
      return Error("PTX with an unknown instruction was taken");
    for (const char *word : {"a bad module", "frobnicate"})
      if (module.error().message().find(word) == std::string::npos)
        return Error(std::string("the message lacks `") + word +
                     "`: " + module.error().message());
    return Error::success();
  }

  Error resources() {
    Result<Kernel *> kernel = device.findKernel(module, "reverse_shared");
    if (!kernel)
      return kernel.error();
    Result<KernelResources> found = device.resources(*kernel);
    if (!found)
      return found.error();
    if (found->staticSharedBytes < 1024 || found->staticSharedBytes > 2048)
      return Error("static shared memory is " +
                   std::to_string(found->staticSharedBytes) +
                   ", expected 1024 and at most 1024 more");
    if (!device.isEmulator() && (found->registers < 8 || found->localBytes))
      return Error(std::to_string(found->registers) + " registers and " +
                   std::to_string(found->localBytes) + " bytes of stack");
    return Error::success();
  }

  Device &device;
  Module *module;
  Stream *stream;
  int failures = 0;
};

} // namespace

Result<int> llrt::kit::runConformance(const Options &options) {
  Result<std::unique_ptr<Device>> device = openDevice(options, "emulator");
  if (!device)
    return device.error();
  note("conformance on " + (*device)->description());
  Result<Module *> module = loadKernels(options, **device, "conformance");
  if (!module)
    return module.error();
  Result<Stream *> stream = (*device)->createStream();
  if (!stream)
    return stream.error();
  return Conformance(**device, *module, *stream).run();
}
