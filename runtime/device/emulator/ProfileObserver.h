// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts what kernels do.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_PROFILEOBSERVER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_PROFILEOBSERVER_H

#include "runtime/device/Profile.h"
#include "runtime/device/emulator/Observer.h"

#include <unordered_map>

namespace llrt::emu {

/// Which bytes of global memory have been touched.
class TouchedBytes {
public:
  /// How many of them for the first time.
  uint64_t touch(uint64_t address, uint64_t bytes);
  void clear();

private:
  static constexpr unsigned pageBits = 12;
  struct Page {
    uint64_t words[(1u << pageBits) / 64] = {};
  };
  std::unordered_map<uint64_t, Page> pages;
  uint64_t lastNumber = ~uint64_t(0);
  Page *last = nullptr;
};

class ProfileObserver final : public Observer {
public:
  bool wants(const Note &note) const override { return !note.opcode.empty(); }
  void decoded(Program &program) override;
  void kernelStarts(const Launch &launch) override;
  void before(const Inst *inst, const Note &note, Warp &warp,
              uint32_t mask) override;
  void barrierArrives(const Inst *, Warp &, uint32_t mask, uint32_t number,
                      bool waits) override;
  void clusterPasses(const Inst *, Warp &, uint32_t mask) override;
  void mbarrier(const MbarrierEvent &event) override;
  void asyncIssued(const AsyncEvent &event) override;

  /// In the order of their first launches.
  std::vector<KernelProfile> kernels() const;

private:
  /// What an Inst counts as.
  struct Shape {
    InstructionClass of = InstructionClass::Move;
    uint64_t tensorOperations = 0; ///< of one warp
  };
  struct Kernel {
    std::vector<Shape> shapes; ///< by Inst
    KernelProfile profile;
    size_t order = 0; ///< of its first launch; 0: none
  };
  std::unordered_map<const Program *, Kernel> programs;
  Kernel *running = nullptr;
  const Program *program = nullptr;
  TouchedBytes touched;
  size_t launched = 0;

  void access(const Inst *inst, const Note &note, Warp &warp, uint32_t mask);
  void global(const uint64_t *address, uint32_t mask, uint32_t bytes);
  void shared(const uint64_t *address, uint32_t mask, uint32_t bytes);
};

} // namespace llrt::emu

#endif
