// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What torch.save writes (torch/serialization.py):
//
//   NAME/data.pkl      a pickle: the dictionary, with storages by key
//   NAME/data/KEY      the bytes of each storage
//   NAME/byteorder     "little" (since 2.1)
//   NAME/version, ...  notes
//
// in a zip archive that compresses nothing. Before 1.6 it was one row of bytes:
// pickles of a magic number, of the version, of the machine, of the dictionary
// and of the list of keys, then for each key its count of elements in 8 bytes
// and the elements.
#include "compiler/import/TorchFile.h"
#include "compiler/import/LittleEndian.h"
#include "compiler/import/Pickle.h"
#include "compiler/import/ZipArchive.h"

#include <cstring>
#include <set>

namespace mlir::llama {
namespace {

using Kind = PickleValue::Kind;

/// The pickle of 0x1950a86a20f9469cfc6c.
constexpr uint8_t legacyMagic[] = {0x80, 2,    0x8a, 10,   0x6c,
                                   0xfc, 0x9c, 0x46, 0xf9, 0x20,
                                   0x6a, 0xa8, 0x50, 0x19, '.'};

/// The bytes of one storage.
struct StorageBytes {
  const uint8_t *bytes;
  uint64_t size;
};

std::string quote(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

/// One file, in whichever form.
class TorchReader {
public:
  TorchReader(const uint8_t *bytes, uint64_t size, const std::string &name)
      : bytes(bytes), size(size), name(name) {}

  llrt::Error readZip();
  llrt::Error readLegacy();
  std::map<std::string, Tensor> tensors;

private:
  llrt::Error fail(const std::string &text) const {
    return llrt::Error(name + ": " + text);
  }
  std::string_view text(uint64_t at, uint64_t count) const {
    return {reinterpret_cast<const char *>(bytes) + at, size_t(count)};
  }

  llrt::Error readDictionary(const PickleValue &root);
  llrt::Error readTensor(const std::string &tensorName,
                         const PickleValue &value);
  llrt::Error readLegacyStorages(const Pickle &keys, uint64_t at);
  llrt::Result<Pickle> readNext(uint64_t &at) const;

  const uint8_t *bytes;
  uint64_t size;
  const std::string &name;
  std::map<std::string, StorageBytes, std::less<>> storages;
  std::set<std::string, std::less<>> used; // keys of storages
};

/// Elements of a row-major tensor have these strides; those of sizes of 1 can
/// be anything.
bool isRowMajor(const std::vector<int64_t> &shape, const PickleValue &strides) {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- != 0;) {
    if (shape[i] != 1 && strides.items[i]->integer != expected)
      return false;
    expected *= shape[i];
  }
  return true;
}

llrt::Error TorchReader::readTensor(const std::string &tensorName,
                                    const PickleValue &value) {
  auto bad = [&](const std::string &what) {
    return fail("tensor " + quote(tensorName) + ": " + what);
  };
  const PickleValue &storage = *value.items[0], &sizes = *value.items[1],
                    &strides = *value.items[2];
  Tensor tensor;
  std::string type = getStorageTypeName(storage);
  if (type == "bfloat16")
    tensor.dtype = DType::BF16;
  else if (type == "float16")
    tensor.dtype = DType::F16;
  else if (type == "float32")
    tensor.dtype = DType::F32;
  else
    return bad("its type is " + type +
               ", expected float32, float16 or bfloat16");
  if (sizes.items.size() > 8 || strides.items.size() != sizes.items.size())
    return bad("has " + std::to_string(sizes.items.size()) + " sizes and " +
               std::to_string(strides.items.size()) +
               " strides, expected up to 8 of each");
  uint64_t bytesOfIt = getBytes(tensor.dtype);
  for (size_t i = 0; i < sizes.items.size(); ++i) {
    const PickleValue &extent = *sizes.items[i];
    if (extent.kind != Kind::Int || extent.integer < 0 ||
        strides.items[i]->kind != Kind::Int)
      return bad("its shape or its strides hold no size");
    tensor.shape.push_back(extent.integer);
    if (__builtin_mul_overflow(bytesOfIt, uint64_t(extent.integer), &bytesOfIt))
      return bad("its shape overflows");
  }
  auto found = storages.find(storage.text);
  if (found == storages.end())
    return bad("its storage " + quote(storage.text) +
               " is not in the file; is it cut?");
  const StorageBytes &from = found->second;
  uint64_t stored, begin, end;
  if (__builtin_mul_overflow(uint64_t(storage.integer),
                             uint64_t(getBytes(tensor.dtype)), &stored) ||
      stored != from.size)
    return bad("its storage " + quote(storage.text) + " has " +
               std::to_string(from.size) + " bytes, expected " +
               std::to_string(storage.integer) + " elements of " + type +
               "; is the file cut?");
  if (value.integer < 0 ||
      __builtin_mul_overflow(uint64_t(value.integer),
                             uint64_t(getBytes(tensor.dtype)), &begin) ||
      __builtin_add_overflow(begin, bytesOfIt, &end) || end > from.size)
    return bad("ends past its storage " + quote(storage.text) + " of " +
               std::to_string(from.size) + " bytes");
  if (bytesOfIt && !isRowMajor(tensor.shape, strides))
    return bad("is a view that is not row major (a transposed or sliced "
               "tensor), which llamac does not read; save it after "
               ".contiguous()");
  tensor.bytes = from.bytes + begin;
  tensor.size = bytesOfIt;
  used.insert(found->first);
  if (!tensors.emplace(tensorName, std::move(tensor)).second)
    return fail("the name " + quote(tensorName) + " occurs twice");
  return llrt::Error::success();
}

llrt::Error TorchReader::readDictionary(const PickleValue &root) {
  if (root.kind != Kind::Dict)
    return fail(std::string("holds ") + describePickle(root) +
                ", expected a state dict: a dictionary of tensors");
  for (size_t i = 0; i < root.items.size(); i += 2) {
    const PickleValue &key = *root.items[i], &value = *root.items[i + 1];
    if (key.kind != Kind::Text)
      return fail(std::string("a key of its dictionary is ") +
                  describePickle(key) + ", expected the name of a tensor");
    if (value.kind != Kind::Tensor)
      return fail("its entry " + quote(key.text) + " is " +
                  describePickle(value) +
                  ", expected a tensor; save the model's state dict alone");
    if (llrt::Error error = readTensor(std::string(key.text), value))
      return error;
  }
  for (auto &[key, unused] : storages)
    if (!used.count(key))
      return fail("the storage " + quote(key) + " belongs to no tensor");
  return llrt::Error::success();
}

llrt::Error TorchReader::readZip() {
  llrt::Result<std::map<std::string, ZipEntry>> entries =
      parseZip(bytes, size, name);
  if (!entries)
    return entries.error();
  // The folder's name is what the file was once called.
  std::string folder;
  const ZipEntry *dictionary = nullptr;
  for (auto &[file, entry] : *entries) {
    size_t slash = file.rfind('/');
    if (slash == std::string::npos || file.substr(slash + 1) != "data.pkl")
      continue;
    if (dictionary)
      return fail("has two entries data.pkl, \"" + folder +
                  "data.pkl\" and \"" + file + "\"");
    folder = file.substr(0, slash + 1);
    dictionary = &entry;
  }
  if (!dictionary)
    return fail("is a zip archive without data.pkl, which torch.save writes");
  for (auto &[file, entry] : *entries) {
    if (file.compare(0, folder.size(), folder) != 0)
      return fail("the entry " + quote(file) + " is not in the folder of " +
                  quote(folder + "data.pkl"));
    std::string part = file.substr(folder.size());
    if (part.compare(0, 5, "data/") == 0)
      storages[part.substr(5)] = {bytes + entry.offset, entry.size};
    else if (part == "constants.pkl" || part.compare(0, 5, "code/") == 0)
      return fail("is a TorchScript program, which llamac does not run; save "
                  "the model's state dict");
    else if (part == "byteorder" && text(entry.offset, entry.size) != "little")
      return fail("its byte order is not little endian");
    else if (part != "byteorder" && part != "data.pkl" && part != "version" &&
             part[0] != '.')
      return fail("the entry " + quote(file) +
                  " is not known to llamac as one of torch.save's");
  }
  llrt::Result<Pickle> pickle =
      parsePickle(text(dictionary->offset, dictionary->size),
                  name + ": " + folder + "data.pkl");
  if (!pickle)
    return pickle.error();
  return readDictionary(*pickle->root);
}

/// The pickle at `at`, which moves past it.
llrt::Result<Pickle> TorchReader::readNext(uint64_t &at) const {
  llrt::Result<Pickle> pickle = parsePickle(text(at, size - at), name);
  if (pickle)
    at += pickle->size;
  return pickle;
}

llrt::Error TorchReader::readLegacyStorages(const Pickle &keys, uint64_t at) {
  if (keys.root->kind != Kind::List)
    return fail("has no list of its storages; is it cut?");
  for (const PickleValue *key : keys.root->items) {
    if (key->kind != Kind::Text)
      return fail("its list of storages holds something that is no key");
    auto found = storages.find(key->text);
    if (found == storages.end())
      return fail("the storage " + quote(key->text) + " belongs to no tensor");
    StorageBytes &storage = found->second;
    if (storage.bytes)
      return fail("its list of storages names " + quote(key->text) + " twice");
    if (size - at < 8)
      return fail("ends before the storage " + quote(key->text) +
                  "; is it cut?");
    uint64_t elements = readLittle(bytes + at, 8), count;
    at += 8;
    // Its size is so far that of one element.
    if (__builtin_mul_overflow(elements, storage.size, &count) ||
        count > size - at)
      return fail("ends within the storage " + quote(key->text) +
                  "; is it cut?");
    storage = {bytes + at, count};
    at += count;
  }
  for (auto &[key, storage] : storages)
    if (!storage.bytes)
      return fail("its list of storages lacks " + quote(key));
  if (at != size)
    return fail("the last " + std::to_string(size - at) +
                " bytes belong to no tensor");
  return llrt::Error::success();
}

llrt::Error TorchReader::readLegacy() {
  uint64_t at = sizeof legacyMagic;
  llrt::Result<Pickle> version = readNext(at);
  if (!version)
    return version.error();
  if (version->root->kind != Kind::Int || version->root->integer != 1001)
    return fail("has another version than the 1001 of torch.save's old form");
  llrt::Result<Pickle> machine = readNext(at);
  if (!machine)
    return machine.error();
  bool isLittle = false;
  const PickleValue &facts = *machine->root;
  for (size_t i = 0; facts.kind == Kind::Dict && i < facts.items.size(); i += 2)
    isLittle |= facts.items[i]->text == "little_endian" &&
                facts.items[i + 1]->kind == Kind::Bool &&
                facts.items[i + 1]->integer != 0;
  if (!isLittle)
    return fail("does not say that its byte order is little endian");
  llrt::Result<Pickle> dictionary = readNext(at);
  if (!dictionary)
    return dictionary.error();
  llrt::Result<Pickle> keys = readNext(at);
  if (!keys)
    return keys.error();
  for (const PickleValue &value : dictionary->values)
    if (value.kind == Kind::Storage)
      storages[std::string(value.text)] = {nullptr,
                                           getStorageElementBytes(value)};
  if (llrt::Error error = readLegacyStorages(*keys, at))
    return error;
  return readDictionary(*dictionary->root);
}

} // namespace

llrt::Result<std::map<std::string, Tensor>>
parseTorchFile(const uint8_t *bytes, uint64_t size, const std::string &name) {
  TorchReader reader(bytes, size, name);
  bool isLegacy = size >= sizeof legacyMagic &&
                  std::memcmp(bytes, legacyMagic, sizeof legacyMagic) == 0;
  if (!isLegacy && !isZip(bytes, size))
    return llrt::Error(name + ": is no file of torch.save's (neither a zip "
                              "archive nor its older form); is it a pointer of "
                              "git-lfs, or cut?");
  llrt::Error error = isLegacy ? reader.readLegacy() : reader.readZip();
  if (error)
    return error;
  return std::move(reader.tensors);
}

} // namespace mlir::llama
