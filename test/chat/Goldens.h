// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of make_goldens.py.
#ifndef LLAMAC_TEST_CHAT_GOLDENS_H
#define LLAMAC_TEST_CHAT_GOLDENS_H

#include "runtime/Dialog.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace goldens {

/// test/chat/NAME.json
inline nlohmann::json read(const std::string &name) {
  std::ifstream file(LLAMAC_SOURCE_DIR "/test/chat/" + name + ".json");
  EXPECT_TRUE(file) << name;
  return nlohmann::json::parse(file);
}

/// Those of texts.json: the plain ones, then the special ones.
inline std::vector<llrt::Dialog> readDialogs(const nlohmann::json &texts) {
  std::vector<llrt::Dialog> dialogs;
  for (const nlohmann::json &messages : texts["dialogs"]) {
    llrt::Result<llrt::Dialog> dialog =
        llrt::readDialog(messages, "dialog " + std::to_string(dialogs.size()));
    EXPECT_TRUE(dialog) << dialog.error().message();
    dialogs.push_back(*dialog);
  }
  return dialogs;
}

} // namespace goldens

#endif
