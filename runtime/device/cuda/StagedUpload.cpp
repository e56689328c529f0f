// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Buffers, their readers, and the one thread that talks to the driver.
#include "runtime/device/cuda/StagedUpload.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

using namespace llrt;
using namespace llrt::cuda;

namespace {

class Upload {
public:
  Upload(const Api &api, const UploadRequest &request, const PieceReader &read,
         const UploadProgress &progress)
      : api(api), request(request), read(read), progress(progress) {}
  ~Upload();
  Error run();

private:
  struct Buffer {
    void *memory = nullptr;
    bool pinned = false;
    StreamHandle stream = nullptr;
    enum { Free, Ready } state = Free;
    std::thread reader;
  };

  uint64_t pieces() const {
    return (request.bytes + request.pieceBytes - 1) / request.pieceBytes;
  }
  uint64_t sizeOf(uint64_t piece) const {
    return std::min(request.pieceBytes,
                    request.bytes - piece * request.pieceBytes);
  }
  Error allocate();
  void readPieces(size_t index);
  Error copy(uint64_t piece);
  /// Waits for the copy of `piece` and gives its buffer back.
  Error finish(uint64_t piece);

  const Api &api;
  const UploadRequest &request;
  const PieceReader &read;
  const UploadProgress &progress;
  std::vector<Buffer> buffers;
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
};

} // namespace

Error Upload::allocate() {
  size_t count = std::min<uint64_t>(std::max(2u, request.readers), pieces());
  buffers = std::vector<Buffer>(count);
  for (Buffer &buffer : buffers) {
    buffer.pinned =
        api.memHostAlloc(&buffer.memory,
                         std::min(request.bytes, request.pieceBytes),
                         0) == success;
    // No pinned memory left: the driver copies through buffers of its own.
    if (!buffer.pinned)
      buffer.memory = std::malloc(request.pieceBytes);
    if (!buffer.memory)
      return Error("not enough memory on this machine to bring weights to the "
                   "GPU");
    if (Error error =
            api.check(api.streamCreate(&buffer.stream, 1), "cuStreamCreate"))
      return error;
  }
  return Error::success();
}

Upload::~Upload() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopped = true;
  }
  changed.notify_all();
  for (Buffer &buffer : buffers) {
    if (buffer.reader.joinable())
      buffer.reader.join();
    if (buffer.stream) {
      api.streamSynchronize(buffer.stream);
      api.streamDestroy(buffer.stream);
    }
    if (buffer.pinned)
      api.memFreeHost(buffer.memory);
    else
      std::free(buffer.memory);
  }
}

void Upload::readPieces(size_t index) {
  Buffer &buffer = buffers[index];
  for (uint64_t piece = index; piece < pieces(); piece += buffers.size()) {
    {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock,
                   [&] { return stopped || buffer.state == Buffer::Free; });
      if (stopped)
        return;
    }
    read(piece * request.pieceBytes, sizeOf(piece),
         static_cast<uint8_t *>(buffer.memory));
    {
      std::lock_guard<std::mutex> lock(mutex);
      buffer.state = Buffer::Ready;
    }
    changed.notify_all();
  }
}

Error Upload::copy(uint64_t piece) {
  Buffer &buffer = buffers[piece % buffers.size()];
  {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return buffer.state == Buffer::Ready; });
  }
  if (!buffer.pinned)
    return api.check(api.memcpyHtoD(request.to + piece * request.pieceBytes,
                                    buffer.memory, sizeOf(piece)),
                     "cuMemcpyHtoD");
  return api.check(api.memcpyHtoDAsync(request.to + piece * request.pieceBytes,
                                       buffer.memory, sizeOf(piece),
                                       buffer.stream),
                   "cuMemcpyHtoDAsync");
}

Error Upload::finish(uint64_t piece) {
  Buffer &buffer = buffers[piece % buffers.size()];
  if (Error error = api.check(api.streamSynchronize(buffer.stream),
                              "cuStreamSynchronize"))
    return error;
  {
    std::lock_guard<std::mutex> lock(mutex);
    buffer.state = Buffer::Free;
  }
  changed.notify_all();
  if (progress)
    progress(piece * request.pieceBytes + sizeOf(piece));
  return Error::success();
}

Error Upload::run() {
  if (Error error = allocate())
    return error;
  for (size_t i = 0; i < buffers.size(); ++i)
    buffers[i].reader = std::thread([this, i] { readPieces(i); });
  // All but one buffer may be under way while that one is being read.
  const uint64_t underWay = std::max<size_t>(1, buffers.size() - 1);
  for (uint64_t piece = 0; piece < pieces() + underWay; ++piece) {
    if (piece >= underWay)
      if (Error error = finish(piece - underWay))
        return error;
    if (piece < pieces())
      if (Error error = copy(piece))
        return error;
  }
  return Error::success();
}

Error llrt::cuda::stagedUpload(const Api &api, const UploadRequest &request,
                               const PieceReader &read,
                               const UploadProgress &progress) {
  if (request.bytes == 0)
    return Error::success();
  return Upload(api, request, read, progress).run();
}
