// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// printf, assert, alloca and the addresses of functions.
#include "runtime/device/emulator/SystemCalls.h"
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/Scheduler.h"

#include <mutex>

using namespace llrt::emu;

namespace {

constexpr size_t longestText = 64 << 10;

/// One lane's memory, checked as its loads are.
class LaneMemory {
public:
  LaneMemory(const Inst *inst, Warp &warp, int lane)
      : inst(inst), warp(warp), lane(lane) {}

  template <class T> T read(Space space, uint64_t address) {
    T value;
    std::memcpy(&value, at(space, address, sizeof(T), AccessKind::Load),
                sizeof(T));
    return value;
  }
  template <class T> T generic(uint64_t address) {
    return read<T>(Space::Generic, address);
  }
  void *at(Space space, uint64_t address, uint32_t bytes, AccessKind kind) {
    uint64_t all[32] = {};
    all[lane] = address;
    Addresses host;
    resolveEach(inst, warp, 1u << lane, space, kind, bytes, all, host);
    return reinterpret_cast<void *>(host.at[lane]);
  }
  std::string text(uint64_t address) {
    std::string result;
    for (; result.size() < longestText; ++address) {
      char c = generic<char>(address);
      if (!c)
        return result;
      result += c;
    }
    fault(inst, lane, "a text without an end");
  }

private:
  const Inst *inst;
  Warp &warp;
  int lane;
};

/// The values of a printf, one behind the other, each at a multiple of its
/// size.
class Values {
public:
  Values(LaneMemory &memory, uint64_t address)
      : memory(memory), address(address) {}
  template <class T> T next() {
    address = (address + sizeof(T) - 1) & ~uint64_t(sizeof(T) - 1);
    T value = memory.generic<T>(address);
    address += sizeof(T);
    ++count;
    return value;
  }
  int taken() const { return count; }

private:
  LaneMemory &memory;
  uint64_t address;
  int count = 0;
};

template <class... T>
void appendFormatted(std::string &out, const std::string &form, T... values) {
  char small[512];
  int size = std::snprintf(small, sizeof small, form.c_str(), values...);
  if (size < 0 || static_cast<size_t>(size) > longestText)
    return;
  if (static_cast<size_t>(size) < sizeof small) {
    out.append(small, static_cast<size_t>(size));
    return;
  }
  std::string large(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(large.data(), large.size(), form.c_str(), values...);
  out.append(large.data(), static_cast<size_t>(size));
}

/// One conversion: `form` is "%-8.3" with the stars filled in, without length.
void convert(std::string &out, LaneMemory &memory, Values &values,
             std::string form, bool wide, char conversion) {
  switch (conversion) {
  case 'd':
  case 'i':
    form += "lld";
    return appendFormatted(out, form,
                           wide ? static_cast<long long>(values.next<int64_t>())
                                : values.next<int32_t>());
  case 'u':
  case 'o':
  case 'x':
  case 'X':
    form += std::string("ll") + conversion;
    return appendFormatted(
        out, form,
        wide ? static_cast<unsigned long long>(values.next<uint64_t>())
             : values.next<uint32_t>());
  case 'c':
    return appendFormatted(out, form + "c", values.next<int32_t>());
  case 's': {
    uint64_t address = values.next<uint64_t>();
    std::string text = address ? memory.text(address) : "(null)";
    return appendFormatted(out, form + "s", text.c_str());
  }
  case 'p':
    return appendFormatted(out, form + "p",
                           reinterpret_cast<void *>(values.next<uint64_t>()));
  default:
    return appendFormatted(out, form + conversion, values.next<double>());
  }
}

int format(std::string &out, LaneMemory &memory, const std::string &text,
           Values &values) {
  for (size_t at = 0; at < text.size() && out.size() < longestText; ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    size_t begin = at++;
    std::string form = "%";
    bool wide = false;
    for (; at < text.size(); ++at) {
      char c = text[at];
      if (c == '*')
        form += std::to_string(std::min(values.next<int32_t>(), 4096));
      else if (std::strchr("-+ #0.", c) || (c >= '0' && c <= '9'))
        form += c;
      else if (c == 'l' || c == 'j' || c == 'z' || c == 't')
        wide = true;
      else if (c != 'h')
        break;
    }
    if (at < text.size() && text[at] == '%' && form == "%")
      out += '%';
    else if (at < text.size() && form.size() < 32 &&
             std::strchr("diuoxXcspfFeEgGaA", text[at]))
      convert(out, memory, values, form, wide, text[at]);
    else // not a conversion: printed as it stands
      out += text.substr(begin, at - begin + 1);
  }
  return values.taken();
}

} // namespace

const Inst *llrt::emu::runPrint(const Inst *inst, Warp &warp, uint32_t mask) {
  std::string out;
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    LaneMemory memory(inst, warp, lane);
    uint64_t text = memory.read<uint64_t>(Space::Local, inst->op[0]);
    Values values(memory, memory.read<uint64_t>(Space::Local, inst->op[1]));
    int32_t taken = text ? format(out, memory, memory.text(text), values) : -1;
    if (inst->imm)
      std::memcpy(memory.at(Space::Local, inst->op[2], 4, AccessKind::Store),
                  &taken, 4);
  }
  static std::mutex lock;
  std::lock_guard<std::mutex> guard(lock);
  std::fwrite(out.data(), 1, out.size(), stdout);
  warp.block->effects += 1;
  return inst + 1;
}

const Inst *llrt::emu::runAssertionFailure(const Inst *inst, Warp &warp,
                                           uint32_t mask) {
  int lane = __builtin_ctz(mask);
  LaneMemory memory(inst, warp, lane);
  auto text = [&](unsigned i) {
    uint64_t address = memory.read<uint64_t>(Space::Local, inst->op[i]);
    return address ? memory.text(address) : std::string("?");
  };
  fault(inst, lane,
        "assertion '" + text(0) + "' failed, " + text(1) + ":" +
            std::to_string(memory.read<uint32_t>(Space::Local, inst->op[2])) +
            ", in " + text(3));
}

const Inst *llrt::emu::runFunctionIndex(const Inst *inst, Warp &warp,
                                        uint32_t mask) {
  const uint64_t *address = warp.in<uint64_t>(inst->op[1]);
  uint32_t r[32] = {};
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t at = address[lane] - functionWindow;
    if (at % 16 || at / 16 > UINT32_MAX)
      fault(inst, lane, "a call of an address that is no function's");
    r[lane] = static_cast<uint32_t>(at / 16);
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

const Inst *llrt::emu::runBadCall(const Inst *inst, Warp &, uint32_t mask) {
  fault(inst, __builtin_ctz(mask),
        "a call through a pointer of a function that does not fit the "
        "prototype, has no body, or calls itself");
}

const Inst *llrt::emu::runAllocate(const Inst *inst, Warp &warp,
                                   uint32_t mask) {
  uint32_t *taken = warp.out<uint32_t>(inst->op[2]);
  bool wide = inst->aux & 1;
  uint32_t align = static_cast<uint32_t>(inst->imm);
  uint32_t start = warp.worker->launch->program->stackStart;
  uint64_t r[32] = {};
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t size = wide ? warp.in<uint64_t>(inst->op[1])[lane]
                         : warp.in<uint32_t>(inst->op[1])[lane];
    uint32_t begin = (taken[lane] + align - 1) & ~(align - 1);
    if (size > stackBytes || begin + size > stackBytes)
      fault(inst, lane,
            "alloca of " + std::to_string(size) + " bytes: a thread has " +
                std::to_string(stackBytes) + ", of which " +
                std::to_string(taken[lane]) + " are taken");
    taken[lane] = begin + static_cast<uint32_t>(size);
    r[lane] = start + begin;
  }
  if (wide) {
    put(warp.out<uint64_t>(inst->op[0]), r, mask);
  } else {
    uint32_t narrow[32];
    for (unsigned i = 0; i < 32; ++i)
      narrow[i] = static_cast<uint32_t>(r[i]);
    put(warp.out<uint32_t>(inst->op[0]), narrow, mask);
  }
  return inst + 1;
}
