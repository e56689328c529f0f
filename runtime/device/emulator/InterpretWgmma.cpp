// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wgmma: products of four warps with operands in shared memory.
//
// Warp w of a warpgroup computes rows 16w to 16w+15 of D by itself, when the
// instruction is issued, which is one of the times that PTX allows; fences and
// waits have nothing left to do. The order of a sum is that of mma.sync
// (TensorCore.cpp), from D or from zero.
//
// A descriptor names 16-byte pieces ("chunks") of eight elements in 16 bits.
// K-major, chunk c of row r (c: 0 or 1, as K is 32 bytes):
//   no swizzle    start + r%8 * 16 + r/8 * stride + c * lead
//   W bytes wide  start + r%8 * W + r/8 * stride + c * 16
// Transposed, chunk u of row k (eight elements along M or N):
//   no swizzle    start + k%8 * 16 + k/8 * lead + u * stride
//   W bytes wide  start + k%8 * W + k/8 * stride + u%(W/16) * 16
//                 + u/(W/16) * lead
// The swizzle then XORs address bits 7, 8, 9 (as many as W has) onto bits 4, 5,
// 6, counted from where the pattern starts (the base offset).
#include "runtime/device/emulator/Observer.h"
#include "runtime/device/emulator/Product.h"
#include "runtime/device/emulator/TensorForms.h"
#include "runtime/device/emulator/check/CheckKind.h"

using namespace llrt::emu;

namespace {

struct Descriptor {
  uint32_t start, lead, stride, base, width; ///< width 0: no swizzle

  explicit Descriptor(uint64_t bits)
      : start(static_cast<uint32_t>(bits & 0x3fff) << 4),
        lead(static_cast<uint32_t>(bits >> 16 & 0x3fff) << 4),
        stride(static_cast<uint32_t>(bits >> 32 & 0x3fff) << 4),
        base(bits >> 49 & 7) {
    static const uint32_t widths[4] = {0, 128, 64, 32};
    width = widths[bits >> 62];
  }
  uint32_t swizzled(uint32_t address) const {
    if (!width)
      return address;
    uint32_t row = (address >> 7) - base;
    return address ^ (row & (width / 16 - 1)) << 4;
  }
  uint32_t alongK(uint32_t row, uint32_t chunk) const {
    return swizzled(start + row % 8 * (width ? width : 16) + row / 8 * stride +
                    chunk * (width ? 16 : lead));
  }
  uint32_t acrossK(uint32_t k, uint32_t unit) const {
    if (!width)
      return start + k % 8 * 16 + k / 8 * lead + unit * stride;
    uint32_t wide = width / 16;
    return swizzled(start + k % 8 * width + k / 8 * stride + unit % wide * 16 +
                    unit / wide * lead);
  }
};

/// What Inst::imm holds.
struct Form {
  uint16_t n;
  uint8_t elementA, elementB, sum;
  bool registersA : 1, negateA : 1, negateB : 1, transposeA : 1, transposeB : 1,
      saturate : 1;
};
static_assert(sizeof(Form) <= 8, "fits Inst::imm");

/// Rows of 32 bytes along K. `rows`: how many, from `first`.
void readRows(const Inst *inst, Warp &warp, uint64_t bits, bool transposed,
              uint32_t first, uint32_t rows, char *out) {
  Descriptor descriptor(bits);
  auto at = [&](uint32_t address) {
    if (address < sharedStart || address - sharedStart > warp.sharedBytes ||
        warp.sharedBytes - (address - sharedStart) < 16)
      fault(inst, -1, CheckKind::OutOfBounds,
            "the matrix descriptor leads to shared address " +
                std::to_string(address) + ", outside the block's " +
                std::to_string(warp.sharedBytes) + " bytes, which start at " +
                std::to_string(sharedStart));
    const char *host = warp.shared + (address - sharedStart);
    if (Observer *observer = warp.observer()) {
      AsyncEvent event{AsyncKind::Wgmma, AsyncGroup::Wgmma, inst, &warp, -1};
      event.read = host;
      event.readBytes = 16;
      observer->asyncIssued(event);
    }
    return host;
  };
  if (!transposed) {
    for (uint32_t row = 0; row < rows; ++row)
      for (uint32_t chunk = 0; chunk < 2; ++chunk)
        std::memcpy(out + row * 32 + chunk * 16,
                    at(descriptor.alongK(first + row, chunk)), 16);
    return;
  }
  for (uint32_t k = 0; k < 16; ++k)
    for (uint32_t unit = 0; unit < rows / 8; ++unit) {
      uint16_t piece[8];
      std::memcpy(piece, at(descriptor.acrossK(k, first / 8 + unit)), 16);
      for (uint32_t i = 0; i < 8; ++i)
        std::memcpy(out + (unit * 8 + i) * 32 + k * 2, &piece[i], 2);
    }
}

/// Register g of a fragment of 8 rows: chunk g of each.
void fragmentOf(const char *rows, unsigned chunk, uint32_t *words) {
  for (unsigned row = 0; row < 8; ++row)
    std::memcpy(words + row * 4, rows + row * 32 + chunk * 16, 16);
}

/// The bits that negate both elements (or the one) of a word.
uint32_t signsOf(Element element) {
  return element == Element::TF32           ? 0x80000000u
         : llrt::emu::bitsOf(element) == 16 ? 0x80008000u
                                            : 0x80808080u;
}

/// Eight columns at a time through mma.sync's product.
template <class T>
void multiplyFragments(const Inst *inst, Warp &warp, const Form &form,
                       const uint32_t (*a)[32], const char *b, bool fromZero) {
  const uint32_t *left[4] = {a[0], a[1], a[2], a[3]};
  bool half = static_cast<Sum>(form.sum) == Sum::F16;
  for (unsigned tile = 0; tile < form.n / 8u; ++tile) {
    alignas(32) uint32_t right[2][32];
    for (unsigned g = 0; g < 2; ++g)
      fragmentOf(b + tile * 8 * 32, g, right[g]);
    const uint32_t *rightOf[2] = {right[0], right[1]};
    alignas(32) float sums[4][32] = {};
    if (half) {
      for (unsigned h = 0; h < 2 && !fromZero; ++h) {
        const uint32_t *word = warp.in<uint32_t>(inst->extra[tile * 2 + h]);
        for (unsigned i = 0; i < 32; ++i) {
          sums[h * 2][i] = toFloat(Half{static_cast<uint16_t>(word[i])});
          sums[h * 2 + 1][i] =
              toFloat(Half{static_cast<uint16_t>(word[i] >> 16)});
        }
      }
      const float *c[4] = {sums[0], sums[1], sums[2], sums[3]};
      float *d[4] = {sums[0], sums[1], sums[2], sums[3]};
      Product<T, 2>::run(left, rightOf, c, d);
      for (unsigned h = 0; h < 2; ++h) {
        uint32_t *word = warp.out<uint32_t>(inst->extra[tile * 2 + h]);
        for (unsigned i = 0; i < 32; ++i)
          word[i] =
              static_cast<uint32_t>(fromFloat<Half>(sums[h * 2 + 1][i]).bits)
                  << 16 |
              fromFloat<Half>(sums[h * 2][i]).bits;
      }
      continue;
    }
    const float *c[4];
    float *d[4];
    for (unsigned i = 0; i < 4; ++i) {
      d[i] = warp.out<float>(inst->extra[tile * 4 + i]);
      c[i] = fromZero ? sums[i] : d[i];
    }
    Product<T, 2>::run(left, rightOf, c, d);
  }
}

/// fp8 and integers: through matrices of elements.
void multiplyElements(const Inst *inst, Warp &warp, const Form &form,
                      const uint32_t (*a)[32], const char *b, bool fromZero) {
  auto elementA = static_cast<Element>(form.elementA);
  auto elementB = static_cast<Element>(form.elementB);
  auto sum = static_cast<Sum>(form.sum);
  unsigned bits = llrt::emu::bitsOf(elementA), parts = 32 / bits;
  Shape shape = {16, form.n, 256 / bits};
  uint32_t keep = (1u << bits) - 1;
  std::vector<uint64_t> left(16 * shape.k), right(size_t(form.n) * shape.k),
      sums(16u * form.n);
  for (unsigned reg = 0; reg < 4; ++reg)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned part = 0; part < parts; ++part)
        left[(lane / 4 + reg % 2 * 8) * shape.k + reg / 2 * 4 * parts +
             lane % 4 * parts + part] = a[reg][lane] >> (part * bits) & keep;
  for (unsigned n = 0; n < form.n; ++n)
    for (unsigned word = 0; word < 8; ++word) {
      uint32_t value;
      std::memcpy(&value, b + n * 32 + word * 4, 4);
      for (unsigned part = 0; part < parts; ++part)
        right[n * shape.k + word * parts + part] =
            value >> (part * bits) & keep;
    }
  bool half = sum == Sum::F16;
  auto each = [&](auto visit) {
    for (unsigned tile = 0; tile < form.n / 8u; ++tile)
      for (unsigned slot = 0; slot < 4; ++slot)
        for (unsigned lane = 0; lane < 32; ++lane) {
          uint32_t operand = half ? inst->extra[tile * 2 + slot / 2]
                                  : inst->extra[tile * 4 + slot];
          visit(warp.out<uint32_t>(operand)[lane], half ? slot % 2 * 16 : 0,
                sums[(lane / 4 + slot / 2 * 8) * form.n + tile * 8 +
                     lane % 4 * 2 + slot % 2]);
        }
  };
  if (!fromZero)
    each([&](uint32_t &word, unsigned shift, uint64_t &value) {
      value = half ? word >> shift & 0xffff : word;
    });
  multiply(shape, elementA, elementB, sum, form.saturate, true, left.data(),
           right.data(), sums.data(), sums.data());
  each([&](uint32_t &word, unsigned shift, uint64_t &value) {
    word = half ? (word & ~(0xffffu << shift)) | static_cast<uint32_t>(value)
                                                     << shift
                : static_cast<uint32_t>(value);
  });
}

/// op[0]: scale-d, aux bit 0: negated, bit 1: always; op[2..5]: A or (op[2])
/// its descriptor; op[6]: B's; extra: D; imm: Form.
const Inst *runWgmma(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!wholeWarp(inst, warp, mask))
    return nullptr;
  Form form;
  std::memcpy(&form, &inst->imm, sizeof form);
  if (warp.block->warps.size() < warp.index / 4 * 4 + 4)
    fault(inst, -1,
          "wgmma in a group of fewer than four warps (the block has " +
              std::to_string(warp.block->warps.size()) + ")");
  bool accumulates =
      inst->aux & 2 || ((warp.predicates[inst->op[0]] & 1) != (inst->aux & 1));
  auto element = static_cast<Element>(form.elementA);
  alignas(32) uint32_t a[4][32];
  if (form.registersA) {
    for (unsigned i = 0; i < 4; ++i)
      std::memcpy(a[i], warp.in<uint32_t>(inst->op[2 + i]), sizeof a[i]);
  } else {
    char rows[16 * 32];
    readRows(inst, warp, warp.in<uint64_t>(inst->op[2])[0], form.transposeA,
             warp.index % 4 * 16, 16, rows);
    for (unsigned i = 0; i < 4; ++i)
      fragmentOf(rows + i % 2 * 8 * 32, i / 2, a[i]);
  }
  if (form.negateA != form.negateB)
    for (auto &reg : a)
      for (uint32_t &word : reg)
        word ^= signsOf(element);
  char b[256 * 32];
  readRows(inst, warp, warp.in<uint64_t>(inst->op[6])[0], form.transposeB, 0,
           form.n, b);
  if (element == Element::BF16)
    multiplyFragments<Brain>(inst, warp, form, a, b, !accumulates);
  else if (element == Element::F16)
    multiplyFragments<Half>(inst, warp, form, a, b, !accumulates);
  else if (element == Element::TF32)
    multiplyFragments<float>(inst, warp, form, a, b, !accumulates);
  else
    multiplyElements(inst, warp, form, a, b, !accumulates);
  return inst + 1;
}

/// Orders registers and shared memory between wgmmas; all are done at issue.
const Inst *runWgmmaOrder(const Inst *inst, Warp &warp, uint32_t mask) {
  return wholeWarp(inst, warp, mask) ? inst + 1 : nullptr;
}

bool takeScale(Decoding &d, const Operand &operand) {
  if (operand.kind != Operand::Integer ||
      (operand.value != 1 && operand.value != ~uint64_t(0)))
    d.fail("a scale of 1 or -1 is expected");
  return operand.value != 1;
}

void decodeProduct(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned"))
    d.unsupported();
  Form form{};
  unsigned n = 0, k = 0;
  for (unsigned each = 8; each <= 256; each += 8)
    for (unsigned depth : {8u, 16u, 32u, 256u})
      if (!n &&
          d.take("m64n" + std::to_string(each) + "k" + std::to_string(depth)))
        n = each, k = depth;
  form.saturate = d.take("satfinite");
  std::string_view type = d.takeOneOf({"f32", "f16", "s32"});
  // ".f16.f16.f16": the first is D's.
  Element a, b;
  if (!n || type.empty() || !takeElement(d, a) || !takeElement(d, b))
    d.unsupported();
  Sum sum = type == "f32" ? Sum::F32 : type == "f16" ? Sum::F16 : Sum::S32;
  bool wide = llrt::emu::bitsOf(a) == 16, fp8 = a <= Element::E5M2;
  bool known = wide || fp8 || a == Element::TF32 || a == Element::S8 ||
               a == Element::U8 || a == Element::B1;
  bool sumFits = isInteger(a)               ? sum == Sum::S32
                 : fp8 || a == Element::F16 ? sum != Sum::S32
                                            : sum == Sum::F32;
  bool pairFits = a == b || (fp8 && b <= Element::E5M2) ||
                  (isInteger(a) && isInteger(b) && a != Element::B1 &&
                   (b == Element::S8 || b == Element::U8));
  if (!known || !sumFits || !pairFits || k * llrt::emu::bitsOf(a) != 256 ||
      (form.saturate && (!isInteger(a) || a == Element::B1)))
    d.unsupported();
  if (isInteger(a) && n != 8 && n != 24 && n % 16)
    d.unsupported();
  if (a == Element::B1 && (!d.take("and") || !d.take("popc")))
    d.unsupported();
  const Operand &first = d.operand(1);
  form.registersA = first.kind == Operand::Vector;
  size_t scales = isInteger(a) ? 0 : 2;
  size_t transposes = !wide ? 0 : form.registersA ? 1 : 2;
  d.expectOperands(4 + scales + transposes, 4 + scales + transposes);
  if (scales) {
    form.negateA = takeScale(d, d.operand(4));
    form.negateB = takeScale(d, d.operand(5));
  }
  for (size_t i = 0; i < transposes; ++i) {
    uint64_t value = d.constant(d.operand(6 + i));
    if (value > 1)
      d.fail("a transposition is 0 or 1");
    if (transposes == 2 && i == 0)
      form.transposeA = value;
    else
      form.transposeB = value;
  }
  form.n = static_cast<uint16_t>(n);
  form.elementA = static_cast<uint8_t>(a);
  form.elementB = static_cast<uint8_t>(b);
  form.sum = static_cast<uint8_t>(sum);
  unsigned registers = sum == Sum::F16 ? n / 4 : n / 2;
  d.mayStop();
  d.emit(runWgmma);
  d.extra(registers);
  std::memcpy(&d.inst().imm, &form, sizeof form);
  const Operand &scale = d.operand(3);
  if (scale.kind == Operand::Integer) {
    d.inst().aux = scale.value ? 2 : 0;
    d.inst().op[0] = 0;
    if (!scale.value)
      d.fail("scale-d is a predicate");
  } else {
    d.inst().aux = scale.negated;
    d.usePredicate(0, scale);
  }
  if (form.registersA) {
    Operand single;
    const Operand &left = vectorOf(d, 1, 4, single);
    for (unsigned i = 0; i < 4; ++i)
      d.use(2 + i, left.elements[i], Type::B32);
  } else {
    d.use(2, first, Type::B64);
  }
  d.use(6, d.operand(2), Type::B64);
  Operand single;
  const Operand &to = vectorOf(d, 0, registers, single);
  for (unsigned i = 0; i < registers; ++i)
    d.defUse(8 + i, to.elements[i], 32);
}

void decodeWgmma(Decoding &d) {
  if (d.take("mma_async"))
    return decodeProduct(d);
  bool waits = d.take("wait_group");
  if (!waits && d.takeOneOf({"fence", "commit_group"}).empty())
    d.unsupported();
  if (!d.take("sync") || !d.take("aligned"))
    d.unsupported();
  d.expectOperands(waits, waits);
  if (waits)
    d.constant(d.operand(0));
  d.mayStop();
  d.emit(runWgmmaOrder);
}

} // namespace

void llrt::emu::addWgmmaInstructions(InstructionTable &table) {
  table["wgmma"] = decodeWgmma;
}
