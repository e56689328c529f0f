// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// JSON from untrusted files: bounded depth, no duplicate keys, no exceptions.
#ifndef LLAMAC_COMPILER_IMPORT_JSON_H
#define LLAMAC_COMPILER_IMPORT_JSON_H

#include "runtime/Result.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace mlir::llama {

using Json = nlohmann::json;

/// Parses one JSON object. `name` opens every message. Besides what JSON
/// forbids, it refuses a key that occurs twice in one object (readers disagree
/// on which of the two counts) and nesting deeper than `maxDepth`.
llrt::Result<Json> parseJsonObject(std::string_view text,
                                   const std::string &name,
                                   unsigned maxDepth = 32);

/// "the number 3", "the string \"x\"", ..., cut short where long.
std::string describeJson(const Json &value);

} // namespace mlir::llama

#endif
