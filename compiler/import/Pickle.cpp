// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pickle machine (Lib/pickletools.py of CPython describes each
// instruction): a stack, marks on it, and a memo. Values live in one deque and
// point to each other, so that no depth and no cycle costs a recursion.
#include "compiler/import/Pickle.h"
#include "compiler/import/LittleEndian.h"

#include <cstdio>
#include <unordered_map>

namespace mlir::llama {
namespace {

/// Far more than the state dict of any Llama has; a program of instructions
/// that each make a value would otherwise take 50 times its own size.
constexpr size_t maxPickleBytes = 16 << 20, maxValues = 1 << 20;

struct KnownGlobal {
  const char *name;
  enum Role { Dictionary, RebuildTensor, RebuildParameter, StorageType } role;
  const char *type = nullptr; // of a storage's elements
  unsigned bytes = 0;         // of one
};

/// Everything that a state dict names. Nothing here is Python code that runs:
/// the roles are built in.
const KnownGlobal knownGlobals[] = {
    {"collections.OrderedDict", KnownGlobal::Dictionary},
    {"torch._utils._rebuild_tensor_v2", KnownGlobal::RebuildTensor},
    {"torch._utils._rebuild_parameter", KnownGlobal::RebuildParameter},
    {"torch.BFloat16Storage", KnownGlobal::StorageType, "bfloat16", 2},
    {"torch.HalfStorage", KnownGlobal::StorageType, "float16", 2},
    {"torch.FloatStorage", KnownGlobal::StorageType, "float32", 4},
    {"torch.DoubleStorage", KnownGlobal::StorageType, "float64", 8},
    {"torch.LongStorage", KnownGlobal::StorageType, "int64", 8},
    {"torch.IntStorage", KnownGlobal::StorageType, "int32", 4},
    {"torch.ShortStorage", KnownGlobal::StorageType, "int16", 2},
    {"torch.CharStorage", KnownGlobal::StorageType, "int8", 1},
    {"torch.ByteStorage", KnownGlobal::StorageType, "uint8", 1},
    {"torch.BoolStorage", KnownGlobal::StorageType, "bool", 1},
};

class Machine {
public:
  Machine(std::string_view bytes, const std::string &name, Pickle &pickle)
      : bytes(bytes.substr(0, maxPickleBytes)), name(name), pickle(pickle) {}

  llrt::Error run() {
    while (fault.empty()) {
      uint8_t code = uint8_t(number(1));
      if (!fault.empty())
        break;
      if (code == '.') {
        PickleValue *root = pop();
        if (!fault.empty())
          break;
        pickle.root = root;
        pickle.size = at;
        return llrt::Error::success();
      }
      step(code);
    }
    return llrt::Error(name + ": " + fault);
  }

private:
  using Kind = PickleValue::Kind;

  void fail(const std::string &text) {
    if (fault.empty())
      fault = text;
  }
  void malformed() {
    fail("the pickle is wrong at byte " + std::to_string(at) +
         "; is the file damaged?");
  }

  //===- Reading instructions ---------------------------------------------===//

  std::string_view take(uint64_t count) {
    if (count > bytes.size() - at) {
      fail(bytes.size() == maxPickleBytes
               ? "the pickle is longer than the " +
                     std::to_string(maxPickleBytes >> 20) +
                     " MB that a state dict may need"
               : std::string("the pickle is cut"));
      return {};
    }
    std::string_view part = bytes.substr(at, count);
    at += count;
    return part;
  }
  uint64_t number(unsigned count) {
    std::string_view part = take(count);
    return readLittle(reinterpret_cast<const uint8_t *>(part.data()),
                      unsigned(part.size()));
  }
  int64_t signedNumber(unsigned count) {
    uint64_t value = number(count);
    unsigned unused = 64 - 8 * count;
    return count == 0 ? 0 : int64_t(value << unused) >> unused;
  }
  std::string_view line() {
    size_t end = bytes.find('\n', at);
    if (end == std::string_view::npos || end - at > 1000) {
      malformed();
      return {};
    }
    std::string_view text = bytes.substr(at, end - at);
    at = end + 1;
    return text;
  }

  //===- Stack and memo ---------------------------------------------------===//

  PickleValue *make(Kind kind, int64_t integer = 0,
                    std::string_view text = {}) {
    if (pickle.values.size() == maxValues)
      fail("the pickle has more than the " + std::to_string(maxValues) +
           " values that a state dict may need");
    if (!fault.empty())
      return &none;
    PickleValue &value = pickle.values.emplace_back();
    value.kind = kind;
    value.integer = integer;
    value.text = text;
    return &value;
  }
  void push(PickleValue *value) { stack.push_back(value); }
  PickleValue *pop() {
    size_t floor = marks.empty() ? 0 : marks.back();
    if (stack.size() <= floor) {
      malformed();
      return &none;
    }
    PickleValue *value = stack.back();
    stack.pop_back();
    return value;
  }
  PickleValue *top(Kind kind) {
    size_t floor = marks.empty() ? 0 : marks.back();
    if (stack.size() > floor && stack.back()->kind == kind)
      return stack.back();
    malformed();
    return &none;
  }
  /// What lies above the last mark; the mark goes.
  std::vector<PickleValue *> popToMark() {
    if (marks.empty()) {
      malformed();
      return {};
    }
    std::vector<PickleValue *> items(stack.begin() + marks.back(), stack.end());
    stack.resize(marks.back());
    marks.pop_back();
    return items;
  }
  void pushTuple(size_t count) {
    PickleValue *tuple = make(Kind::Tuple);
    tuple->items.resize(count);
    while (count-- != 0)
      tuple->items[count] = pop();
    if (fault.empty())
      push(tuple);
  }
  void addTo(Kind kind, const std::vector<PickleValue *> &items) {
    PickleValue *container = top(kind);
    if (kind == Kind::Dict && items.size() % 2 != 0)
      malformed();
    if (fault.empty())
      container->items.insert(container->items.end(), items.begin(),
                              items.end());
  }
  void remember(uint64_t index) {
    size_t floor = marks.empty() ? 0 : marks.back();
    if (stack.size() <= floor)
      return malformed();
    if (memo.size() >= maxValues)
      return fail("the pickle remembers more than " +
                  std::to_string(maxValues) + " values");
    memo[index] = stack.back();
  }
  void recall(uint64_t index) {
    auto found = memo.find(index);
    if (found == memo.end())
      return malformed();
    push(found->second);
  }

  //===- What a name stands for -------------------------------------------===//

  void pushGlobal(std::string_view module, std::string_view member) {
    if (!fault.empty())
      return;
    std::string full = std::string(module) + "." + std::string(member);
    for (size_t i = 0; i < std::size(knownGlobals); ++i)
      if (full == knownGlobals[i].name)
        return push(make(Kind::Global, int64_t(i)));
    for (char &c : full)
      if (c < ' ' || c > '~')
        c = '?';
    fail("the pickle names \"" + full +
         "\", which no state dict of tensors needs; llamac runs nothing that a "
         "checkpoint names: save the model's state dict alone, or as "
         "safetensors");
  }

  const KnownGlobal *getGlobal(const PickleValue &value) {
    if (value.kind == Kind::Global)
      return &knownGlobals[value.integer];
    malformed();
    return nullptr;
  }

  void reduce() {
    PickleValue *arguments = pop();
    const KnownGlobal *function = getGlobal(*pop());
    if (!fault.empty())
      return;
    const std::vector<PickleValue *> &items = arguments->items;
    bool isTuple = arguments->kind == Kind::Tuple;
    auto has = [&](size_t index, Kind kind) {
      return isTuple && index < items.size() && items[index]->kind == kind;
    };
    switch (function->role) {
    case KnownGlobal::Dictionary:
      if (isTuple && items.empty())
        return push(make(Kind::Dict));
      break;
    case KnownGlobal::RebuildTensor:
      // storage, offset, shape, strides, requires_grad, hooks
      if (items.size() == 6 && has(0, Kind::Storage) && has(1, Kind::Int) &&
          has(2, Kind::Tuple) && has(3, Kind::Tuple)) {
        PickleValue *tensor = make(Kind::Tensor, items[1]->integer);
        tensor->items = {items[0], items[2], items[3]};
        return push(tensor);
      }
      break;
    case KnownGlobal::RebuildParameter:
      if (items.size() == 3 && has(0, Kind::Tensor))
        return push(items[0]);
      break;
    case KnownGlobal::StorageType:
      break;
    }
    fail(std::string("the pickle calls \"") + function->name +
         "\" with arguments that no state dict of tensors needs");
  }

  /// ("storage", type, key, place, elements[, None])
  void pushStorage() {
    PickleValue *id = pop();
    if (!fault.empty())
      return;
    const auto &items = id->items;
    bool isStorage =
        id->kind == Kind::Tuple && items.size() >= 5 && items.size() <= 6 &&
        items[0]->kind == Kind::Text && items[0]->text == "storage" &&
        items[1]->kind == Kind::Global &&
        knownGlobals[items[1]->integer].role == KnownGlobal::StorageType &&
        items[2]->kind == Kind::Text && items[4]->kind == Kind::Int &&
        items[4]->integer >= 0 &&
        (items.size() == 5 || items[5]->kind == Kind::None);
    if (!isStorage)
      return fail("the pickle refers to something that is no storage of "
                  "PyTorch's, as torch.save writes it");
    PickleValue *storage =
        make(Kind::Storage, items[4]->integer, items[2]->text);
    storage->items = {items[1]};
    push(storage);
  }

  /// Attributes of a dictionary: state dicts have their modules' versions.
  void build() {
    PickleValue *state = pop();
    PickleValue *object = top(Kind::Dict);
    if (!fault.empty())
      return;
    bool isMetadata = state->kind == Kind::Dict && object->kind == Kind::Dict;
    for (size_t i = 0; i < state->items.size() && isMetadata; i += 2)
      isMetadata = state->items[i]->kind == Kind::Text &&
                   state->items[i]->text == "_metadata";
    if (!isMetadata)
      fail("the pickle gives a dictionary attributes other than PyTorch's "
           "\"_metadata\"");
  }

  void step(uint8_t code) {
    switch (code) {
    case 0x80: // PROTO
      if (number(1) > 5)
        malformed();
      return;
    case 0x95: // FRAME: how much is read at once
      number(8);
      return;
    case '(':
      return marks.push_back(stack.size());
    case 'N':
      return push(&none);
    case 0x88:
      return push(&yes);
    case 0x89:
      return push(&no);
    case 'J':
      return push(make(Kind::Int, signedNumber(4)));
    case 'K':
      return push(make(Kind::Int, int64_t(number(1))));
    case 'M':
      return push(make(Kind::Int, int64_t(number(2))));
    case 0x8a: { // LONG1
      unsigned count = unsigned(number(1));
      if (count > 8)
        return fail("the pickle has a number of more than 64 bits");
      return push(make(Kind::Int, signedNumber(count)));
    }
    case 'G':
      number(8);
      return push(make(Kind::Float));
    case 'X': // BINUNICODE, and its shorter and longer forms
      return push(make(Kind::Text, 0, take(number(4))));
    case 0x8c:
      return push(make(Kind::Text, 0, take(number(1))));
    case 0x8d:
      return push(make(Kind::Text, 0, take(number(8))));
    case ')':
      return push(make(Kind::Tuple));
    case 't': {
      std::vector<PickleValue *> items = popToMark();
      PickleValue *tuple = make(Kind::Tuple);
      if (fault.empty())
        tuple->items = std::move(items);
      return push(tuple);
    }
    case 0x85:
    case 0x86:
    case 0x87: // TUPLE1, 2, 3
      return pushTuple(code - 0x84);
    case ']':
      return push(make(Kind::List));
    case 'a': {
      PickleValue *item = pop();
      return addTo(Kind::List, {item});
    }
    case 'e':
      return addTo(Kind::List, popToMark());
    case '}':
      return push(make(Kind::Dict));
    case 's': {
      PickleValue *value = pop(), *key = pop();
      return addTo(Kind::Dict, {key, value});
    }
    case 'u':
      return addTo(Kind::Dict, popToMark());
    case 'c': {
      std::string_view module = line();
      return pushGlobal(module, line());
    }
    case 0x93: { // STACK_GLOBAL
      PickleValue *member = pop(), *module = pop();
      if (member->kind != Kind::Text || module->kind != Kind::Text ||
          member->text.size() > 1000 || module->text.size() > 1000)
        return malformed();
      return pushGlobal(module->text, member->text);
    }
    case 'R':
      return reduce();
    case 'b':
      return build();
    case 'Q':
      return pushStorage();
    case 'q':
      return remember(number(1));
    case 'r':
      return remember(number(4));
    case 0x94: // MEMOIZE
      return remember(memo.size());
    case 'h':
      return recall(number(1));
    case 'j':
      return recall(number(4));
    }
    char text[8];
    std::snprintf(text, sizeof text, "0x%02x", code);
    fail(std::string("the pickle has the instruction ") + text + " at byte " +
         std::to_string(at - 1) +
         ", which no state dict of tensors needs; llamac does not run it");
  }

  std::string_view bytes;
  const std::string &name;
  Pickle &pickle;
  size_t at = 0;
  std::string fault;
  std::vector<PickleValue *> stack;
  std::vector<size_t> marks;
  std::unordered_map<uint64_t, PickleValue *> memo;
  // One of each, whatever their number.
  PickleValue &none = pickle.values.emplace_back();
  PickleValue &yes =
      pickle.values.emplace_back(PickleValue{PickleValue::Bool, 1, {}, {}});
  PickleValue &no =
      pickle.values.emplace_back(PickleValue{PickleValue::Bool, 0, {}, {}});
};

} // namespace

llrt::Result<Pickle> parsePickle(std::string_view bytes,
                                 const std::string &name) {
  Pickle pickle;
  if (llrt::Error error = Machine(bytes, name, pickle).run())
    return error;
  return pickle;
}

const char *getStorageTypeName(const PickleValue &storage) {
  return knownGlobals[storage.items[0]->integer].type;
}
unsigned getStorageElementBytes(const PickleValue &storage) {
  return knownGlobals[storage.items[0]->integer].bytes;
}

const char *describePickle(const PickleValue &value) {
  switch (value.kind) {
  case PickleValue::None:
    return "None";
  case PickleValue::Bool:
    return "a truth value";
  case PickleValue::Int:
  case PickleValue::Float:
    return "a number";
  case PickleValue::Text:
    return "a string";
  case PickleValue::Tuple:
    return "a tuple";
  case PickleValue::List:
    return "a list";
  case PickleValue::Dict:
    return "a dictionary";
  case PickleValue::Global:
    return "a type";
  case PickleValue::Storage:
    return "a storage";
  case PickleValue::Tensor:
    return "a tensor";
  }
  return "a value";
}

} // namespace mlir::llama
