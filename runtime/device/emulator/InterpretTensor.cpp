// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mma.sync of fp8, integers and f64, and wmma. Not for speed: fragments are
// taken apart into matrices of elements and put together again.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/Product.h"
#include "runtime/device/emulator/TensorForms.h"

using namespace llrt::emu;

namespace {

/// mma.sync and wmma.mma: what Inst::extra begins with; the operands follow.
struct Form {
  uint32_t m, n, k, elementA, elementB, sum, saturate, bitAnd;
  uint32_t wmma; ///< fragments in wmma's order
  uint32_t registersA, registersB, registersC;
};
constexpr unsigned formWords = sizeof(Form) / 4;

/// Where slot `slot` of lane `lane` lies in a matrix. A slot is an element.
struct Place {
  unsigned row, column;
};

/// A of mma: rows x k; B is n x k (transposed).
Place placeOfFactor(unsigned rows, unsigned perRegister, unsigned slot,
                    unsigned lane) {
  unsigned reg = slot / perRegister, part = slot % perRegister;
  unsigned halves = rows == 16 ? 2 : 1;
  return {lane / 4 + 8 * (reg % halves),
          reg / halves * 4 * perRegister + lane % 4 * perRegister + part};
}
Place placeOfSum(unsigned slot, unsigned lane) {
  return {lane / 4 + 8 * (slot / 2), lane % 4 * 2 + slot % 2};
}
/// wmma leaves the order open. Here: elements of the row-major matrix, one a
/// lane, slot after slot; slots that are too many repeat it.
Place placeInWmma(unsigned rows, unsigned columns, unsigned slot,
                  unsigned lane) {
  unsigned index = (slot * 32 + lane) % (rows * columns);
  return {index / columns, index % columns};
}

struct Fragment {
  unsigned rows, columns, registers, perRegister, bits;
  bool factor; ///< A or B
};

Place placeOf(const Form &form, const Fragment &fragment, unsigned slot,
              unsigned lane) {
  if (form.wmma)
    return placeInWmma(fragment.rows, fragment.columns, slot, lane);
  return fragment.factor
             ? placeOfFactor(fragment.rows, fragment.perRegister, slot, lane)
             : placeOfSum(slot, lane);
}

uint64_t laneValue(Warp &warp, uint32_t operand, unsigned lane, bool wide) {
  return wide ? warp.in<uint64_t>(operand)[lane]
              : warp.in<uint32_t>(operand)[lane];
}

void gather(const Form &form, const Fragment &fragment, Warp &warp,
            const uint32_t *operands, uint64_t *matrix) {
  uint64_t keep =
      fragment.bits == 64 ? ~uint64_t(0) : (uint64_t(1) << fragment.bits) - 1;
  unsigned slots = fragment.registers * fragment.perRegister;
  unsigned needed = fragment.rows * fragment.columns / 32;
  for (unsigned slot = 0; slot < std::min(slots, needed); ++slot)
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint64_t word = laneValue(warp, operands[slot / fragment.perRegister],
                                lane, fragment.bits == 64);
      Place place = placeOf(form, fragment, slot, lane);
      matrix[place.row * fragment.columns + place.column] =
          word >> (slot % fragment.perRegister * (fragment.bits & 63)) & keep;
    }
}

void scatter(const Form &form, const Fragment &fragment, Warp &warp,
             const uint32_t *operands, const uint64_t *matrix) {
  for (unsigned reg = 0; reg < fragment.registers; ++reg)
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint64_t word = 0;
      for (unsigned part = 0; part < fragment.perRegister; ++part) {
        Place place =
            placeOf(form, fragment, reg * fragment.perRegister + part, lane);
        word |= matrix[place.row * fragment.columns + place.column]
                << (part * (fragment.bits & 63));
      }
      if (fragment.bits == 64)
        warp.out<uint64_t>(operands[reg])[lane] = word;
      else
        warp.out<uint32_t>(operands[reg])[lane] = static_cast<uint32_t>(word);
    }
}

unsigned perRegister(unsigned bits) { return bits >= 32 ? 1 : 32 / bits; }
unsigned sumBits(Sum sum) {
  return sum == Sum::F64 ? 64 : sum == Sum::F16 ? 16 : 32;
}

/// extra: Form, then A, B, C, D.
const Inst *runWideMma(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!wholeWarp(inst, warp, mask))
    return nullptr;
  Form form;
  std::memcpy(&form, inst->extra, sizeof form);
  auto elementA = static_cast<Element>(form.elementA);
  auto elementB = static_cast<Element>(form.elementB);
  auto sum = static_cast<Sum>(form.sum);
  unsigned bits = llrt::emu::bitsOf(elementA);
  Fragment a = {form.m, form.k, form.registersA, perRegister(bits), bits, true};
  Fragment b = {form.n, form.k, form.registersB, perRegister(bits), bits, true};
  Fragment c = {form.m,          form.n,
                form.registersC, perRegister(sumBits(sum)),
                sumBits(sum),    false};
  std::vector<uint64_t> left(form.m * form.k), right(form.n * form.k),
      sums(form.m * form.n);
  const uint32_t *operands = inst->extra + formWords;
  gather(form, a, warp, operands, left.data());
  operands += form.registersA;
  gather(form, b, warp, operands, right.data());
  operands += form.registersB;
  gather(form, c, warp, operands, sums.data());
  operands += form.registersC;
  multiply({form.m, form.n, form.k}, elementA, elementB, sum, form.saturate,
           form.bitAnd, left.data(), right.data(), sums.data(), sums.data());
  scatter(form, c, warp, operands, sums.data());
  return inst + 1;
}

void setForm(Decoding &d, const Form &form) {
  uint32_t words[formWords];
  std::memcpy(words, &form, sizeof form);
  for (unsigned i = 0; i < formWords; ++i)
    d.setExtra(i, words[i]);
}

/// Operands D, A, B, C.
void bindProduct(Decoding &d, Form form) {
  auto elementA = static_cast<Element>(form.elementA);
  auto sum = static_cast<Sum>(form.sum);
  bool wide = elementA == Element::F64, wideSum = sum == Sum::F64;
  d.expectOperands(4, 4);
  d.mayStop();
  d.emit(runWideMma);
  d.extra(formWords + form.registersA + form.registersB + 2 * form.registersC);
  setForm(d, form);
  Operand single[4];
  const Operand &to = vectorOf(d, 0, form.registersC, single[0]);
  const Operand &a = vectorOf(d, 1, form.registersA, single[1]);
  const Operand &b = vectorOf(d, 2, form.registersB, single[2]);
  const Operand &c = vectorOf(d, 3, form.registersC, single[3]);
  unsigned slot = 8 + formWords;
  for (const Operand &each : a.elements)
    d.use(slot++, each, wide ? Type::F64 : Type::B32);
  for (const Operand &each : b.elements)
    d.use(slot++, each, wide ? Type::F64 : Type::B32);
  for (const Operand &each : c.elements)
    d.use(slot++, each,
          wideSum           ? Type::F64
          : sum == Sum::F32 ? Type::F32
                            : Type::B32);
  for (const Operand &each : to.elements)
    d.def(slot++, each, wideSum ? 64 : 32);
}

bool takeSum(Decoding &d, Sum &sum) {
  std::string_view name = d.takeOneOf({"f32", "f16", "s32", "f64"});
  sum = name == "f32"   ? Sum::F32
        : name == "f16" ? Sum::F16
        : name == "s32" ? Sum::S32
                        : Sum::F64;
  return !name.empty();
}

bool takeShape(Decoding &d, std::initializer_list<std::string_view> shapes,
               Form &form) {
  std::string_view name = d.takeOneOf(shapes);
  return !name.empty() && std::sscanf(std::string(name).c_str(), "m%un%uk%u",
                                      &form.m, &form.n, &form.k) == 3;
}

bool matches(const Form &form, unsigned m,
             std::initializer_list<unsigned> depths) {
  for (unsigned k : depths)
    if (form.m == m && form.k == k)
      return true;
  return false;
}

/// The shapes that PTX has for an element type.
bool hasMma(const Form &form, Element element) {
  switch (element) {
  case Element::E4M3:
  case Element::E5M2:
    return matches(form, 16, {16, 32});
  case Element::S8:
  case Element::U8:
    return matches(form, 16, {16, 32}) || matches(form, 8, {16});
  case Element::S4:
  case Element::U4:
    return matches(form, 16, {32, 64}) || matches(form, 8, {32});
  case Element::B1:
    return matches(form, 16, {128, 256}) || matches(form, 8, {128});
  case Element::F64:
    return matches(form, 16, {4, 8, 16}) || matches(form, 8, {4});
  default:
    return false;
  }
}

} // namespace

bool llrt::emu::decodeWideMma(Decoding &d) {
  std::string_view opcode = d.statement.opcode;
  bool known = false;
  for (const char *name :
       {".e4m3", ".e5m2", ".s8", ".u8", ".s4", ".u4", ".b1", ".f64"})
    known |= opcode.find(name) != std::string_view::npos;
  if (!known)
    return false;
  Form form{};
  if (!takeShape(d,
                 {"m16n8k4", "m16n8k8", "m16n8k16", "m16n8k32", "m16n8k64",
                  "m16n8k128", "m16n8k256", "m8n8k4", "m8n8k16", "m8n8k32",
                  "m8n8k128"},
                 form) ||
      !d.take("row") || !d.take("col"))
    d.unsupported();
  bool kind = d.take("kind::f8f6f4");
  form.saturate = d.take("satfinite");
  Sum sum, sumC;
  Element a, b;
  if (!takeSum(d, sum) || !takeElement(d, a) || !takeElement(d, b) ||
      !takeSum(d, sumC) || sum != sumC || !hasMma(form, a) ||
      llrt::emu::bitsOf(a) != llrt::emu::bitsOf(b) ||
      isInteger(a) != isInteger(b))
    d.unsupported();
  bool fits = a == Element::F64 ? sum == Sum::F64
              : isInteger(a)    ? sum == Sum::S32
                                : sum == Sum::F32 || sum == Sum::F16;
  if (!fits || (form.saturate && (!isInteger(a) || a == Element::B1)) ||
      (kind && (a > Element::E5M2 || form.k != 32)))
    d.unsupported();
  if (a == Element::F64)
    d.take("rn");
  if (a == Element::B1) {
    form.bitAnd = d.take("and");
    if ((!form.bitAnd && !d.take("xor")) || !d.take("popc"))
      d.unsupported();
  }
  form.elementA = static_cast<uint32_t>(a);
  form.elementB = static_cast<uint32_t>(b);
  form.sum = static_cast<uint32_t>(sum);
  unsigned lanePart = 32 * perRegister(llrt::emu::bitsOf(a));
  form.registersA = form.m * form.k / lanePart;
  form.registersB = form.n * form.k / lanePart;
  form.registersC = form.m * form.n / (32 * perRegister(sumBits(sum)));
  bindProduct(d, form);
  return true;
}

namespace {

// --- wmma ---

/// wmma.load and wmma.store keep in extra, beside the registers.
struct Transfer {
  uint32_t rows, columns, bits, registers, columnMajor, hasStride, space;
};
constexpr unsigned transferWords = sizeof(Transfer) / 4;

/// op[0]: address, op[1]: stride in elements.
template <bool Store, class A>
const Inst *runTransfer(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!wholeWarp(inst, warp, mask))
    return nullptr;
  Transfer form;
  std::memcpy(&form, inst->extra, sizeof form);
  const uint32_t *operands = inst->extra + transferWords;
  const A *base = warp.in<A>(inst->op[0]);
  unsigned parts = perRegister(form.bits), bytes = (form.bits + 7) / 8;
  uint64_t lead = form.columnMajor ? form.rows : form.columns;
  for (unsigned reg = 0; reg < form.registers; ++reg) {
    uint64_t words[32] = {};
    for (unsigned part = 0; part < parts; ++part) {
      if (Store && reg * parts + part >= form.rows * form.columns / 32)
        break;
      uint64_t address[32];
      unsigned low[32]; // of an element within its byte
      for (unsigned lane = 0; lane < 32; ++lane) {
        Place at =
            placeInWmma(form.rows, form.columns, reg * parts + part, lane);
        uint64_t stride =
            form.hasStride ? warp.in<uint32_t>(inst->op[1])[lane] : lead;
        uint64_t element = form.columnMajor ? at.column * stride + at.row
                                            : at.row * stride + at.column;
        address[lane] = static_cast<A>(base[lane] + static_cast<A>(inst->imm) +
                                       element * form.bits / 8);
        low[lane] = element * form.bits % 8;
        if (Store) {
          uint32_t operand = operands[reg];
          words[lane] = laneValue(warp, operand, lane, form.bits == 64) >>
                        (part * (form.bits & 63));
        }
      }
      Addresses host;
      resolveEach(inst, warp, mask, static_cast<Space>(form.space),
                  Store ? AccessKind::Store : AccessKind::Load, bytes, address,
                  host);
      for (unsigned lane = 0; lane < 32; ++lane) {
        void *at = reinterpret_cast<void *>(host.at[lane]);
        if (Store) {
          std::memcpy(at, &words[lane], bytes);
          continue;
        }
        uint64_t value = 0;
        std::memcpy(&value, at, bytes);
        if (form.bits < 8)
          value = value >> low[lane] & ((1u << form.bits) - 1);
        words[lane] |= value << (part * (form.bits & 63));
      }
    }
    if (Store)
      continue;
    for (unsigned lane = 0; lane < 32; ++lane)
      if (form.bits == 64)
        warp.out<uint64_t>(operands[reg])[lane] = words[lane];
      else
        warp.out<uint32_t>(operands[reg])[lane] =
            static_cast<uint32_t>(words[lane]);
  }
  if (Store)
    warp.block->effects += 1;
  return inst + 1;
}

/// Registers of a fragment; 0: PTX has none.
unsigned wmmaRegisters(char matrix, const Form &form, unsigned bits) {
  unsigned elements = matrix == 'a'   ? form.m * form.k
                      : matrix == 'b' ? form.n * form.k
                                      : form.m * form.n;
  return elements / (32 * perRegister(bits));
}

bool hasWmma(const Form &form, Element element) {
  unsigned key = form.m * 10000 + form.n * 100 + form.k;
  bool square = key == 161616 || key == 320816 || key == 83216;
  switch (element) {
  case Element::F16:
  case Element::BF16:
  case Element::S8:
  case Element::U8:
    return square;
  case Element::TF32:
    return key == 161608;
  case Element::F64:
    return key == 80804;
  case Element::S4:
  case Element::U4:
    return form.m == 8 && form.n == 8 && form.k == 32;
  case Element::B1:
    return form.m == 8 && form.n == 8 && form.k == 128;
  default:
    return false;
  }
}

const std::initializer_list<std::string_view> wmmaShapes = {
    "m16n16k16", "m32n8k16", "m8n32k16", "m16n16k8",
    "m8n8k4",    "m8n8k32",  "m8n8k128"};

template <bool Store> void decodeTransfer(Decoding &d) {
  std::string_view matrix =
      Store ? d.takeOneOf({"d"}) : d.takeOneOf({"a", "b", "c"});
  Transfer form{};
  Form shape{};
  bool row = d.take("row");
  if (!d.take("sync") || !d.take("aligned") || matrix.empty() ||
      (!row && !d.take("col")) || !takeShape(d, wmmaShapes, shape))
    d.unsupported();
  Space space = d.takeSpace();
  unsigned bits;
  bool doubled = false;
  if (matrix == "a" || matrix == "b") {
    Element element;
    if (!takeElement(d, element) || !hasWmma(shape, element))
      d.unsupported();
    bits = llrt::emu::bitsOf(element);
    doubled = element == Element::F16;
    if (bits < 8 && row != (matrix == "a"))
      d.unsupported();
  } else {
    Sum sum;
    if (!takeSum(d, sum))
      d.unsupported();
    bits = sumBits(sum);
  }
  form.rows = matrix == "b" ? shape.k : shape.m;
  form.columns = matrix == "a" ? shape.k : shape.n;
  // B is kept as n x k, as the product wants it.
  form.columnMajor = !row;
  if (matrix == "b") {
    std::swap(form.rows, form.columns);
    form.columnMajor = row;
  }
  form.bits = bits;
  form.registers = doubled ? 8 : wmmaRegisters(matrix[0], shape, bits);
  form.hasStride = d.operands() == 3;
  form.space = static_cast<uint32_t>(space);
  d.expectOperands(2, 3);
  d.mayStop();
  const Operand &memory = d.operand(Store ? 0 : 1);
  bool wide = !(memory.kind == Operand::Memory &&
                memory.elements[0].kind == Operand::Register &&
                d.registerBits(memory.elements[0]) == 32);
  d.emit(wide ? runTransfer<Store, uint64_t> : runTransfer<Store, uint32_t>);
  d.extra(transferWords + form.registers);
  uint32_t words[transferWords];
  std::memcpy(words, &form, sizeof form);
  for (unsigned i = 0; i < transferWords; ++i)
    d.setExtra(i, words[i]);
  d.address(0, memory, space);
  d.cachedInterval();
  if (form.hasStride)
    d.use(1, d.operand(2), Type::U32);
  Operand single;
  const Operand &registers = vectorOf(d, Store ? 1 : 0, form.registers, single);
  unsigned width = bits == 64 ? 64 : 32;
  for (unsigned i = 0; i < form.registers; ++i)
    if (Store)
      d.use(8 + transferWords + i, registers.elements[i],
            width == 64 ? Type::B64 : Type::B32);
    else
      d.def(8 + transferWords + i, registers.elements[i], width);
}

void decodeWmmaProduct(Decoding &d) {
  Form form{};
  form.wmma = 1;
  bool popc = d.take("popc");
  if (popc) {
    form.bitAnd = d.take("and");
    if (!form.bitAnd && !d.take("xor"))
      d.unsupported();
  }
  if (!d.take("sync") || !d.take("aligned"))
    d.unsupported();
  // The layouts were the loads' affair: fragments are alike.
  std::string_view first = d.takeOneOf({"row", "col"}),
                   second = d.takeOneOf({"row", "col"});
  if (first.empty() || second.empty() || !takeShape(d, wmmaShapes, form))
    d.unsupported();
  Sum sum, sumC;
  Element a = Element::F16, b;
  if (!takeSum(d, sum))
    d.unsupported();
  // ".f32.f16" is D and C of the f16 product, ".f32.bf16.bf16.f32" names all.
  bool half = d.operands() == 4 && d.operand(1).elements.size() == 8 &&
              d.operand(2).elements.size() == 8;
  if (half) {
    b = a;
  } else if (!takeElement(d, a) || !takeElement(d, b) || a != b) {
    d.unsupported();
  }
  form.saturate = d.take("satfinite");
  if (!takeSum(d, sumC) || !hasWmma(form, a) || popc != (a == Element::B1))
    d.unsupported();
  if (a == Element::F64)
    d.take("rn");
  bool fits = a == Element::F64 ? sum == Sum::F64 && sumC == sum
              : isInteger(a)    ? sum == Sum::S32 && sumC == sum
              : half            ? sum != Sum::S32 && sum != Sum::F64 &&
                                      (sumC == Sum::F16 || sumC == Sum::F32)
                                : sum == Sum::F32 && sumC == sum;
  if (!fits || (half && sum != sumC) || (form.saturate && !isInteger(a)))
    d.unsupported();
  form.elementA = form.elementB = static_cast<uint32_t>(a);
  form.sum = static_cast<uint32_t>(sum);
  unsigned bits = llrt::emu::bitsOf(a);
  form.registersA = half ? 8 : wmmaRegisters('a', form, bits);
  form.registersB = half ? 8 : wmmaRegisters('b', form, bits);
  form.registersC = wmmaRegisters('c', form, sumBits(sum));
  bindProduct(d, form);
}

void decodeWmma(Decoding &d) {
  if (d.take("load"))
    return decodeTransfer<false>(d);
  if (d.take("store"))
    return decodeTransfer<true>(d);
  if (d.take("mma"))
    return decodeWmmaProduct(d);
  d.unsupported();
}

} // namespace

void llrt::emu::addWmmaInstructions(InstructionTable &table) {
  table["wmma"] = decodeWmma;
}
