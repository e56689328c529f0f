// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Host to device through pinned buffers: while one piece is on its way, threads
// read the next ones.
//
//   reader of buffer b:   wait until b is free; read piece; b is ready
//   the calling thread:   wait until b is ready; copy on b's stream;
//                         wait for the oldest copy under way; its buffer is
//                         free
//
// Piece i goes through buffer i % count, so copies are given to the driver in
// order. Only the calling thread talks to the driver: a context belongs to a
// thread.
#ifndef LLAMAC_RUNTIME_DEVICE_CUDA_STAGEDUPLOAD_H
#define LLAMAC_RUNTIME_DEVICE_CUDA_STAGEDUPLOAD_H

#include "runtime/device/Device.h"
#include "runtime/device/cuda/CudaApi.h"

namespace llrt::cuda {

struct UploadRequest {
  DevicePointer to = 0;
  uint64_t bytes = 0, pieceBytes = 0;
  unsigned readers = 1; ///< threads, and buffers where there is more than one
};

Error stagedUpload(const Api &api, const UploadRequest &request,
                   const PieceReader &read, const UploadProgress &progress);

} // namespace llrt::cuda

#endif
