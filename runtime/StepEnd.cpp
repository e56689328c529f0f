// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One launch and one event a step.
#include "runtime/StepEnd.h"

using namespace llrt;

Result<std::unique_ptr<StepEnd>> StepEnd::create(Device &device, Stream *stream,
                                                 Module *module,
                                                 uint32_t mostRows,
                                                 bool programmatic) {
  std::unique_ptr<StepEnd> result(
      new StepEnd(device, stream, mostRows, programmatic));
  Result<Kernel *> kernel = device.findKernel(module, "advance");
  if (!kernel)
    return kernel.error();
  result->kernel = *kernel;
  for (Event *&end : result->ends) {
    Result<Event *> event = device.createEvent();
    if (!event)
      return event.error();
    end = *event;
  }
  Result<DeviceAddress> shared = device.allocateShared(
      2 * uint64_t(mostRows) * sizeof(int32_t), "chosen tokens");
  if (!shared)
    return shared.error();
  result->shared = *shared;
  return result;
}

StepEnd::~StepEnd() {
  if (shared)
    (void)static_cast<bool>(device.release(shared));
}

Error StepEnd::launch(DeviceAddress next, DeviceAddress tokens,
                      DeviceAddress positions, uint32_t rows) {
  const void *arguments[] = {&next,   &tokens, &positions,
                             &shared, &rows,   &mostRows};
  LaunchShape shape;
  shape.block.x = 64;
  shape.programmatic = programmatic;
  return device.launch(kernel, shape, arguments, 6, stream);
}

Error StepEnd::mark() { return device.record(ends[marked++ % 2], stream); }

Error StepEnd::wait() { return device.wait(ends[waited++ % 2]); }

int32_t StepEnd::chosen(uint32_t row, int32_t position) const {
  auto *values = reinterpret_cast<const volatile int32_t *>(shared);
  return values[(position % 2 ? mostRows : 0) + row];
}
