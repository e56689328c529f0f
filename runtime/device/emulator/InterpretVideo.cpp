// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of bytes (dp4a, dp2a) and the video instructions: vadd vsub vabsdiff
// vmin vmax vset vshl vshr vmad on parts of words, and their SIMD forms on two
// halves or four bytes. Seldom met, so one lane at a time.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"

using namespace llrt::emu;

namespace {

int64_t extended(uint32_t value, unsigned bits, bool isSignedType) {
  uint64_t kept = value & ((uint64_t(1) << bits) - 1);
  uint64_t sign = uint64_t(1) << (bits - 1);
  return static_cast<int64_t>(isSignedType ? (kept ^ sign) - sign : kept);
}

// --- dp4a, dp2a ---

/// aux bit 0: a signed, 1: b signed, 2: dp2a, 3: its upper half of b.
const Inst *runDotProduct(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  bool two = inst->aux & 4;
  unsigned bits = two ? 16 : 8, count = two ? 2 : 4;
  uint32_t r[32];
  for (unsigned i = 0; i < 32; ++i) {
    uint32_t right = inst->aux & 8 ? b[i] >> 16 : b[i];
    int64_t sum = 0;
    for (unsigned k = 0; k < count; ++k)
      sum += extended(a[i] >> (bits * k), bits, inst->aux & 1) *
             extended(right >> (8 * k), 8, inst->aux & 2);
    r[i] = c[i] + static_cast<uint32_t>(sum);
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

bool takeSignedness(Decoding &d) {
  Type type = d.takeType();
  if (type != Type::U32 && type != Type::S32)
    d.unsupported();
  return type == Type::S32;
}

template <bool Two> void decodeDotProduct(Decoding &d) {
  std::string_view half;
  if (Two && (half = d.takeOneOf({"lo", "hi"})).empty())
    d.unsupported();
  bool signedA = takeSignedness(d), signedB = takeSignedness(d);
  d.expectOperands(4, 4);
  d.emit(runDotProduct);
  d.inst().aux = static_cast<uint32_t>(signedA) |
                 static_cast<uint32_t>(signedB) << 1 |
                 static_cast<uint32_t>(Two) << 2 |
                 static_cast<uint32_t>(half == "hi") << 3;
  d.def(0, d.operand(0), 32);
  for (unsigned i = 1; i <= 3; ++i)
    d.use(i, d.operand(i), Type::B32);
}

// --- video ---

enum class Video : uint8_t {
  Add,
  Sub,
  AbsDiff,
  Min,
  Max,
  Average,
  Set,
  ShiftLeft,
  ShiftRight,
  Mad
};
enum class Second : uint8_t { None, Add, Min, Max, Merge };
enum class Relation : uint8_t { Eq, Ne, Lt, Le, Gt, Ge };

/// What an instruction is, in Inst::extra.
struct Form {
  uint32_t kind, parts; ///< parts: 1, 2 or 4
  uint32_t signedA, signedB, signedD, saturate, wrap, relation, second;
  uint32_t pickA, pickB; ///< a nibble a part: its place in {b, a}, or for
                         ///< parts == 1: 8 | byte, 4 | half, or 0
  uint32_t maskD;        ///< parts that are written
  uint32_t scale, negateProduct, negateC, plusOne;
};
constexpr unsigned formWords = sizeof(Form) / 4;

int64_t clamped(int64_t value, unsigned bits, bool isSignedType) {
  int64_t high = (int64_t(1) << (bits - isSignedType)) - 1;
  int64_t low = isSignedType ? -high - 1 : 0;
  return value < low ? low : value > high ? high : value;
}

bool holds(Relation relation, int64_t a, int64_t b) {
  switch (relation) {
  case Relation::Eq:
    return a == b;
  case Relation::Ne:
    return a != b;
  case Relation::Lt:
    return a < b;
  case Relation::Le:
    return a <= b;
  case Relation::Gt:
    return a > b;
  case Relation::Ge:
    return a >= b;
  }
  return false;
}

int64_t combined(const Form &form, int64_t a, int64_t b) {
  switch (static_cast<Video>(form.kind)) {
  case Video::Add:
    return a + b;
  case Video::Sub:
    return a - b;
  case Video::AbsDiff:
    return a < b ? b - a : a - b;
  case Video::Min:
    return a < b ? a : b;
  case Video::Max:
    return a > b ? a : b;
  case Video::Average:
    return (a + b + (a + b >= 0)) >> 1;
  case Video::Set:
    return holds(static_cast<Relation>(form.relation), a, b);
  case Video::ShiftLeft:
  case Video::ShiftRight: {
    // The distance is unsigned, clamped to 32 or taken modulo 32.
    uint64_t by = static_cast<uint32_t>(b);
    by = form.wrap ? by & 31 : by > 32 ? 32 : by;
    return static_cast<Video>(form.kind) == Video::ShiftLeft
               ? static_cast<int64_t>(static_cast<uint64_t>(a) << by)
               : a >> by;
  }
  case Video::Mad:
    break;
  }
  return 0;
}

uint32_t onParts(const Form &form, uint32_t a, uint32_t b, uint32_t c) {
  unsigned bits = 32 / form.parts;
  uint64_t both = uint64_t(b) << 32 | a;
  uint32_t kept = static_cast<uint32_t>((uint64_t(1) << bits) - 1);
  uint32_t result = static_cast<Second>(form.second) == Second::Add ? c : 0;
  for (unsigned i = 0; i < form.parts; ++i) {
    auto part = [&](uint32_t picks, bool isSignedType) {
      unsigned at = (picks >> (4 * i) & 15) * bits;
      return extended(static_cast<uint32_t>(both >> at), bits, isSignedType);
    };
    int64_t value = combined(form, part(form.pickA, form.signedA),
                             part(form.pickB, form.signedB));
    if (form.saturate)
      value = clamped(value, bits, form.signedD);
    bool written = form.maskD >> i & 1;
    if (static_cast<Second>(form.second) == Second::Add)
      result += written ? static_cast<uint32_t>(value) : 0;
    else
      result |=
          ((written ? static_cast<uint32_t>(value) : c >> (bits * i)) & kept)
          << (bits * i);
  }
  return result;
}

int64_t selected(uint32_t value, uint32_t pick, bool isSignedType) {
  if (pick & 8)
    return extended(value >> (pick & 3) * 8, 8, isSignedType);
  if (pick & 4)
    return extended(value >> (pick & 1) * 16, 16, isSignedType);
  return extended(value, 32, isSignedType);
}

uint32_t onWords(const Form &form, uint32_t a, uint32_t b, uint32_t c) {
  int64_t left = selected(a, form.pickA, form.signedA);
  int64_t right = selected(b, form.pickB, form.signedB);
  if (static_cast<Video>(form.kind) == Video::Mad) {
    __int128 product = static_cast<__int128>(left) * right;
    __int128 addend = extended(c, 32, form.signedD);
    product = form.negateProduct ? -product : product;
    __int128 sum = product + (form.negateC ? -addend : addend) +
                   static_cast<int>(form.plusOne);
    int64_t value = static_cast<int64_t>(sum >> form.scale);
    return static_cast<uint32_t>(
        form.saturate ? clamped(value, 32, form.signedD) : value);
  }
  int64_t value = combined(form, left, right);
  if (form.saturate)
    value = clamped(value, 32, form.signedD);
  uint32_t result = static_cast<uint32_t>(value);
  bool less = form.signedD
                  ? static_cast<int32_t>(result) < static_cast<int32_t>(c)
                  : result < c;
  switch (static_cast<Second>(form.second)) {
  case Second::None:
    return result;
  case Second::Add:
    return result + c;
  case Second::Min:
    return less ? result : c;
  case Second::Max:
    return less ? c : result;
  case Second::Merge: {
    unsigned bits = form.maskD & 8 ? 8 : 16;
    unsigned at = (form.maskD & (form.maskD & 8 ? 3 : 1)) * bits;
    uint32_t field = ((1u << bits) - 1) << at;
    return (c & ~field) | (result << at & field);
  }
  }
  return result;
}

/// op[0]: d, op[1..3]: a, b, c.
const Inst *runVideo(const Inst *inst, Warp &warp, uint32_t mask) {
  Form form;
  std::memcpy(&form, inst->extra, sizeof form);
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  uint32_t r[32] = {};
  for (unsigned i = 0; i < 32; ++i)
    if (mask >> i & 1)
      r[i] = form.parts == 1 ? onWords(form, a[i], b[i], c[i])
                             : onParts(form, a[i], b[i], c[i]);
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

/// "b2" or "h1" of a word; 0: the whole word.
uint32_t wordPick(Decoding &d, std::string_view selector) {
  if (selector.empty())
    return 0;
  if (selector.size() == 2 && selector[0] == 'b' && selector[1] >= '0' &&
      selector[1] <= '3')
    return 8u | static_cast<uint32_t>(selector[1] - '0');
  if (selector == "h0" || selector == "h1")
    return 4u | static_cast<uint32_t>(selector[1] - '0');
  d.fail("'." + std::string(selector) + "' selects no part of a word");
}

/// "h10", "b7654": the last digit is part 0.
uint32_t partPicks(Decoding &d, std::string_view selector, unsigned parts,
                   uint32_t otherwise) {
  if (selector.empty())
    return otherwise;
  if (selector.size() != parts + 1 || selector[0] != (parts == 2 ? 'h' : 'b'))
    d.fail("'." + std::string(selector) + "' selects no parts of words");
  uint32_t picks = 0;
  for (unsigned i = 0; i < parts; ++i) {
    uint32_t digit = static_cast<uint32_t>(selector[parts - i] - '0');
    if (digit >= 2 * parts)
      d.fail("'." + std::string(selector) + "' selects no parts of words");
    picks |= digit << (4 * i);
  }
  return picks;
}

/// The parts that "h1" or "b310" names: written ones.
uint32_t partMask(Decoding &d, std::string_view selector, unsigned parts) {
  if (selector.empty())
    return (1u << parts) - 1;
  uint32_t mask = 0;
  for (char c : selector.substr(1)) {
    uint32_t digit = static_cast<uint32_t>(c - '0');
    if (digit >= parts)
      d.fail("'." + std::string(selector) + "' is no mask of parts");
    mask |= 1u << digit;
  }
  return mask;
}

void bindVideo(Decoding &d, const Form &form) {
  d.emit(runVideo);
  d.extra(formWords);
  uint32_t words[formWords];
  std::memcpy(words, &form, sizeof form);
  for (unsigned i = 0; i < formWords; ++i)
    d.setExtra(i, words[i]);
  auto whole = [&](size_t i) {
    Operand operand = d.operand(i);
    operand.selector = {};
    operand.negated = false;
    return operand;
  };
  d.def(0, whole(0), 32);
  for (unsigned i = 1; i <= 3; ++i)
    i < d.operands() ? d.use(i, whole(i), Type::B32)
                     : d.constantLanes(i, 0, 32);
}

template <Video Kind, unsigned Parts> void decodeVideo(Decoding &d) {
  Form form{};
  form.kind = static_cast<uint32_t>(Kind);
  form.parts = Parts;
  constexpr bool sets = Kind == Video::Set;
  constexpr bool shifts = Kind == Video::ShiftLeft || Kind == Video::ShiftRight;
  form.signedD = sets ? 0 : takeSignedness(d);
  form.signedA = takeSignedness(d);
  form.signedB = takeSignedness(d);
  if (shifts && form.signedB)
    d.unsupported();
  if (sets) {
    static const char *const names[] = {"eq", "ne", "lt", "le", "gt", "ge"};
    std::string_view name = d.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge"});
    if (name.empty())
      d.unsupported();
    while (name != names[form.relation])
      ++form.relation;
  } else {
    form.saturate = d.take("sat");
  }
  if (shifts) {
    form.wrap = d.take("wrap");
    if (!form.wrap && !d.take("clamp"))
      d.unsupported();
  }
  std::string_view second =
      Parts == 1 ? d.takeOneOf({"add", "min", "max"}) : d.takeOneOf({"add"});
  form.second = static_cast<uint32_t>(second == "add"   ? Second::Add
                                      : second == "min" ? Second::Min
                                      : second == "max" ? Second::Max
                                                        : Second::None);
  size_t least = Parts > 1 || !second.empty() ? 4 : 3;
  d.expectOperands(least, 4);
  if (Parts == 1) {
    form.pickA = wordPick(d, d.operand(1).selector);
    form.pickB = wordPick(d, d.operand(2).selector);
    form.maskD = wordPick(d, d.operand(0).selector);
    if (form.maskD || (d.operands() == 4 && second.empty())) {
      if (!second.empty() || !form.maskD || d.operands() != 4)
        d.unsupported();
      form.second = static_cast<uint32_t>(Second::Merge);
    }
  } else {
    form.pickA =
        partPicks(d, d.operand(1).selector, Parts, Parts == 2 ? 0x10 : 0x3210);
    form.pickB =
        partPicks(d, d.operand(2).selector, Parts, Parts == 2 ? 0x32 : 0x7654);
    form.maskD = partMask(d, d.operand(0).selector, Parts);
  }
  bindVideo(d, form);
}

void decodeVideoMad(Decoding &d) {
  Form form{};
  form.kind = static_cast<uint32_t>(Video::Mad);
  form.parts = 1;
  form.signedD = takeSignedness(d);
  form.signedA = takeSignedness(d);
  form.signedB = takeSignedness(d);
  form.saturate = d.take("sat");
  form.plusOne = d.take("po");
  form.scale = d.take("shr7") ? 7 : d.take("shr15") ? 15 : 0;
  d.expectOperands(4, 4);
  form.pickA = wordPick(d, d.operand(1).selector);
  form.pickB = wordPick(d, d.operand(2).selector);
  bindVideo(d, form);
}

} // namespace

void llrt::emu::addVideoInstructions(InstructionTable &table) {
  table["dp4a"] = decodeDotProduct<false>;
  table["dp2a"] = decodeDotProduct<true>;
  table["vadd"] = decodeVideo<Video::Add, 1>;
  table["vsub"] = decodeVideo<Video::Sub, 1>;
  table["vabsdiff"] = decodeVideo<Video::AbsDiff, 1>;
  table["vmin"] = decodeVideo<Video::Min, 1>;
  table["vmax"] = decodeVideo<Video::Max, 1>;
  table["vset"] = decodeVideo<Video::Set, 1>;
  table["vshl"] = decodeVideo<Video::ShiftLeft, 1>;
  table["vshr"] = decodeVideo<Video::ShiftRight, 1>;
  table["vmad"] = decodeVideoMad;
  table["vadd2"] = decodeVideo<Video::Add, 2>;
  table["vsub2"] = decodeVideo<Video::Sub, 2>;
  table["vavrg2"] = decodeVideo<Video::Average, 2>;
  table["vabsdiff2"] = decodeVideo<Video::AbsDiff, 2>;
  table["vmin2"] = decodeVideo<Video::Min, 2>;
  table["vmax2"] = decodeVideo<Video::Max, 2>;
  table["vset2"] = decodeVideo<Video::Set, 2>;
  table["vadd4"] = decodeVideo<Video::Add, 4>;
  table["vsub4"] = decodeVideo<Video::Sub, 4>;
  table["vavrg4"] = decodeVideo<Video::Average, 4>;
  table["vabsdiff4"] = decodeVideo<Video::AbsDiff, 4>;
  table["vmin4"] = decodeVideo<Video::Min, 4>;
  table["vmax4"] = decodeVideo<Video::Max, 4>;
  table["vset4"] = decodeVideo<Video::Set, 4>;
}
