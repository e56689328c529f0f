// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The end of a decode step: the kernel that feeds the choices to the next step
// (kernels/Advance.cu) and the way by which they come to the host. Two steps
// may be underway: while the host reads the choices of one, the device works on
// the next.
#ifndef LLAMAC_RUNTIME_STEPEND_H
#define LLAMAC_RUNTIME_STEPEND_H

#include "runtime/View.h"
#include "runtime/device/Device.h"

#include <array>
#include <memory>

namespace llrt {

class StepEnd {
public:
  /// `module` holds the entry `advance`; steps have at most `mostRows` rows.
  /// `programmatic`: the GPU can start a kernel before the one before ends.
  static Result<std::unique_ptr<StepEnd>> create(Device &device, Stream *stream,
                                                 Module *module,
                                                 uint32_t mostRows,
                                                 bool programmatic);
  ~StepEnd();
  /// The kernel, once what was chosen is at `next`; it can be recorded. The
  /// arrays are of int32 [rows], on the device.
  Error launch(DeviceAddress next, DeviceAddress tokens,
               DeviceAddress positions, uint32_t rows);
  /// All of a step has been given to the device.
  Error mark();
  /// Waits for the oldest step that was marked and not waited for.
  Error wait();
  /// What that step chose for its row `row`, which stood at `position`.
  int32_t chosen(uint32_t row, int32_t position) const;

private:
  StepEnd(Device &device, Stream *stream, uint32_t mostRows, bool programmatic)
      : device(device), stream(stream), mostRows(mostRows),
        programmatic(programmatic) {}

  Device &device;
  Stream *stream;
  uint32_t mostRows;
  bool programmatic;
  Kernel *kernel = nullptr;
  std::array<Event *, 2> ends{};
  uint32_t marked = 0, waited = 0; ///< steps so far
  DeviceAddress shared = 0;        ///< int32 [2][mostRows]
};

} // namespace llrt

#endif
