// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines as they come: each one is there when its newline is, however many more
// are on their way.
#ifndef LLAMAC_RUNTIME_LINEREADER_H
#define LLAMAC_RUNTIME_LINEREADER_H

#include "runtime/Result.h"

#include <optional>
#include <string>

namespace llrt {

class LineReader {
public:
  /// `descriptor` stays the caller's; messages call it `name`.
  LineReader(int descriptor, std::string name)
      : descriptor(descriptor), name(std::move(name)) {}
  /// The next line less its \n or \r\n; nothing at the end. A last line needs
  /// no newline.
  Error next(std::optional<std::string> &line);

private:
  int descriptor;
  std::string name;
  std::string held; ///< read, and not given yet
  bool ended = false;
};

} // namespace llrt

#endif
