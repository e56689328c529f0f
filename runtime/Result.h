// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How a function says that it failed: one message for the user, or a value.
//
// A message names the file, the field, what was found, what was expected and
// what to do. No exception crosses a public function of runtime/.
#ifndef LLAMAC_RUNTIME_RESULT_H
#define LLAMAC_RUNTIME_RESULT_H

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace llrt {

/// Success, or a message. `if (Error error = f()) return error;`
class [[nodiscard]] Error {
public:
  static Error success() { return Error(); }
  explicit Error(std::string message) : text(std::move(message)) {}
  explicit operator bool() const { return text.has_value(); }
  const std::string &message() const { return *text; }

private:
  Error() = default;
  std::optional<std::string> text;
};

/// A value, or an Error.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : storage(std::move(value)), failure(Error::success()) {}
  Result(Error error) : failure(std::move(error)) {
    assert(failure && "a Result made from success has no value");
  }
  /// True when there is a value.
  explicit operator bool() const { return storage.has_value(); }
  T &operator*() { return *storage; }
  const T &operator*() const { return *storage; }
  T *operator->() { return &*storage; }
  const T *operator->() const { return &*storage; }
  const Error &error() const { return failure; }

private:
  std::optional<T> storage;
  Error failure;
};

} // namespace llrt

#endif
