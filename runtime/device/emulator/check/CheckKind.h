// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reasons for which a program is stopped. Their names are stable: they end
// every report in brackets, and tests and scripts look for them.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_CHECKKIND_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_CHECKKIND_H

#include <cstdint>
#include <string>

namespace llrt::emu {

enum class CheckKind : uint8_t {
  // Found whether checks are on or off:
  OutOfBounds,
  Misaligned,
  Barrier,      ///< a barrier that some threads never reach, or too many do
  MissingLanes, ///< an aligned instruction without all lanes
  Mbarrier,     ///< not initialised, or more or fewer arrivals than it expects
  Deadlock,     ///< nobody can go on
  ClusterExit,  ///< shared memory of a block that has exited
  // With checks:
  Uninitialised,  ///< a value that nobody has written decides something
  SharedRace,     ///< unordered accesses of which one writes, in shared memory
  GlobalRace,     ///< and in global memory
  AsyncReadEarly, ///< the target of a copy that is not known to be over
  AsyncOverwrite, ///< a source or target is reused too early
  ProxyFence,     ///< generic writes, read by the asynchronous proxy unfenced
  WgmmaRegister   ///< a register of a wgmma before it was waited for
};

inline const char *nameOf(CheckKind kind) {
  static const char *const names[] = {
      "out-of-bounds", "misaligned",    "barrier",          "missing-lanes",
      "mbarrier",      "deadlock",      "cluster-exit",     "uninitialised",
      "shared-race",   "global-race",   "async-read-early", "async-overwrite",
      "proxy-fence",   "wgmma-register"};
  return names[static_cast<unsigned>(kind)];
}

/// "what it is about [kind]".
inline std::string withKind(std::string message, CheckKind kind) {
  return std::move(message) + " [" + nameOf(kind) + "]";
}

} // namespace llrt::emu

#endif
