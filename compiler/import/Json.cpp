// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A SAX handler that builds the document and stops at the first fault.
#include "compiler/import/Json.h"

#include <vector>

namespace mlir::llama {
namespace {

class Builder : public nlohmann::json_sax<Json> {
public:
  Builder(unsigned maxDepth) : maxDepth(maxDepth) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string &) override {
    return add(value);
  }
  bool string(std::string &value) override { return add(std::move(value)); }
  bool binary(Json::binary_t &) override { return false; }
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string &name) override {
    if (stack.back()->contains(name)) {
      fault = "the key \"" + name + "\" occurs twice";
      return false;
    }
    pending = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    fault = "is not JSON: wrong or cut at byte " + std::to_string(position);
    return false;
  }

  Json root;
  std::string fault;

private:
  Json *place(Json value) {
    if (stack.empty()) {
      root = std::move(value);
      return &root;
    }
    Json &parent = *stack.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[pending] = std::move(value));
  }
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (stack.size() >= maxDepth) {
      fault = "is nested deeper than " + std::to_string(maxDepth) + " levels";
      return false;
    }
    stack.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    stack.pop_back();
    return true;
  }

  unsigned maxDepth;
  std::vector<Json *> stack;
  std::string pending;
};

} // namespace

llrt::Result<Json> parseJsonObject(std::string_view text,
                                   const std::string &name, unsigned maxDepth) {
  Builder builder(maxDepth);
  if (!Json::sax_parse(text.begin(), text.end(), &builder))
    return llrt::Error(name + ": " + builder.fault);
  if (!builder.root.is_object())
    return llrt::Error(name + ": is " + describeJson(builder.root) +
                       ", expected a JSON object");
  return std::move(builder.root);
}

std::string describeJson(const Json &value) {
  if (value.is_null())
    return "null";
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60)
    text = text.substr(0, 57) + "...";
  return std::string("the ") + value.type_name() + " " + text;
}

} // namespace mlir::llama
