// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads numbers, flags and ids from one JSON object of untrusted origin.
#ifndef LLAMAC_COMPILER_IMPORT_CONFIGREADER_H
#define LLAMAC_COMPILER_IMPORT_CONFIGREADER_H

#include "compiler/import/Json.h"

#include <cmath>
#include <cstdint>
#include <vector>

namespace mlir::llama {

/// Reads one file's object; the first fault sticks.
class ConfigReader {
public:
  ConfigReader(const Json &object, std::string name)
      : object(object), name(std::move(name)) {}

  const Json *find(const char *key) const {
    auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
  }
  void fail(std::string text) {
    if (fault.empty())
      fault = name + ": " + std::move(text);
  }
  void expected(const char *key, const Json &found, const std::string &what) {
    fail(std::string("\"") + key + "\" is " + describeJson(found) +
         ", expected " + what);
  }

  /// A count in [low, high]. Absent: `otherwise`, or an error where that is 0.
  int64_t count(const char *key, int64_t low, int64_t high,
                int64_t otherwise = 0) {
    const Json *value = find(key);
    if (!value) {
      if (otherwise == 0)
        fail(std::string("the key \"") + key + "\" is missing");
      return otherwise ? otherwise : low;
    }
    bool inside = value->is_number_unsigned()
                      ? value->get<uint64_t>() >= uint64_t(low) &&
                            value->get<uint64_t>() <= uint64_t(high)
                      : false;
    if (!inside) {
      expected(key, *value,
               "a whole number from " + std::to_string(low) + " to " +
                   std::to_string(high));
      return low;
    }
    return static_cast<int64_t>(value->get<uint64_t>());
  }

  double real(const char *key, double low, double high, const char *range,
              double otherwise) {
    const Json *value = find(key);
    if (!value) {
      if (std::isnan(otherwise))
        fail(std::string("the key \"") + key + "\" is missing");
      return otherwise;
    }
    double number = value->is_number() ? value->get<double>() : low - 1;
    if (!(number >= low && number <= high)) {
      expected(key, *value, range);
      return low;
    }
    return number;
  }

  bool boolean(const char *key, bool otherwise) {
    const Json *value = find(key);
    if (!value)
      return otherwise;
    if (!value->is_boolean()) {
      expected(key, *value, "true or false");
      return otherwise;
    }
    return value->get<bool>();
  }

  /// -1 and null mean none; `into` gets the rest.
  void tokenIds(const char *key, int64_t limit, std::vector<int64_t> &into) {
    const Json *value = find(key);
    if (!value)
      return;
    std::vector<Json> ids = value->is_array() ? value->get<std::vector<Json>>()
                                              : std::vector<Json>{*value};
    for (const Json &id : ids) {
      if (id.is_number_integer() && id == -1)
        continue;
      if (!id.is_number_unsigned() || id.get<uint64_t>() >= uint64_t(limit))
        return expected(key, *value,
                        "token ids below the vocabulary's " +
                            std::to_string(limit));
      into.push_back(static_cast<int64_t>(id.get<uint64_t>()));
    }
  }

  const Json &object;
  std::string name;
  std::string fault;
};

} // namespace mlir::llama

#endif
