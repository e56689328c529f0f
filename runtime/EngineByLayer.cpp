// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// @prefill with a look at the residual stream after every layer.
#include "runtime/Engine.h"

using namespace llrt;

Error Engine::prefillByLayer(KvCache::Sequence sequence,
                             const std::vector<int32_t> &ids,
                             const ResidualHandler &handler, StepOutput &out) {
  residualHandler = &handler;
  Error error = prefill(sequence, ids, Rows::Last, out);
  residualHandler = nullptr;
  return error;
}

Error Engine::showResidual(int32_t layer, uint64_t rows) {
  const uint64_t hidden = plan().hidden_size;
  const DeviceAddress first =
      buffers[LLAMAC_BUFFER_WORKSPACE] + plan().residual_offset;
  std::vector<float> values(rows * hidden);
  auto copy = [&](bool toDevice) {
    for (uint64_t row = 0; row < rows; ++row) {
      float *host = &values[row * hidden];
      const DeviceAddress there =
          first + row * plan().residual_stride * sizeof(float);
      const uint64_t bytes = hidden * sizeof(float);
      if (Error error = toDevice
                            ? device.copyToDevice(there, host, bytes, stream)
                            : device.copyToHost(host, there, bytes, stream))
        return error;
    }
    return device.synchronize(stream);
  };
  if (Error error = copy(/*toDevice=*/false))
    return error;
  if (Error error = (*residualHandler)(layer, values))
    return error;
  return copy(/*toDevice=*/true);
}
