// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a config may ask for and does not get, by name. docs/scope.md is the
// list for readers; test/import/scope-cases.json has a case for each of its
// rows.
#ifndef LLAMAC_COMPILER_IMPORT_OUTOFSCOPE_H
#define LLAMAC_COMPILER_IMPORT_OUTOFSCOPE_H

#include "compiler/import/Json.h"

#include <string>

namespace mlir::llama {

/// What another architecture has that a Llama has not, to follow "the
/// architecture is ..": ": it has a mixture of experts, which ..". "" for one
/// that is not known here.
std::string describeArchitecture(const std::string &name);

/// The message for a key of config.json that belongs to something else than a
/// Llama: ".. asks for .., which ..; if ..". "" for any other key, and where
/// the value says that it is not there (null, false, 0).
std::string refuseForeignKey(const std::string &key, const Json &value);

/// The message for a "quantization_config", which names its method.
std::string refuseQuantization(const Json &value);

/// The message for a folder with the adapter_config.json `text`.
std::string refuseAdapter(const std::string &path, std::string_view text);

} // namespace mlir::llama

#endif
