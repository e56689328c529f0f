// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sorted list is a trie: each further byte narrows a range of it.
#include "runtime/tokenizer/AddedTokens.h"

#include <algorithm>

using namespace llrt;

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) {
  for (AddedToken &token : tokens)
    if (!token.text.empty())
      sorted.push_back(std::move(token));
  auto less = [](const AddedToken &a, const AddedToken &b) {
    return a.text < b.text;
  };
  auto equal = [](const AddedToken &a, const AddedToken &b) {
    return a.text == b.text;
  };
  std::stable_sort(sorted.begin(), sorted.end(), less);
  sorted.erase(std::unique(sorted.begin(), sorted.end(), equal), sorted.end());
  for (const AddedToken &token : sorted)
    ++starts[static_cast<unsigned char>(token.text[0]) + 1];
  for (size_t byte = 0; byte < 256; ++byte)
    starts[byte + 1] += starts[byte];
}

std::optional<int32_t> AddedTokens::find(std::string_view text) const {
  auto at = std::lower_bound(
      sorted.begin(), sorted.end(), text,
      [](const AddedToken &a, std::string_view b) { return a.text < b; });
  if (at == sorted.end() || at->text != text)
    return std::nullopt;
  return at->id;
}

const AddedToken *AddedTokens::match(std::string_view text) const {
  auto first = static_cast<unsigned char>(text[0]);
  auto low = sorted.begin() + starts[first];
  auto high = sorted.begin() + starts[first + 1];
  const AddedToken *longest = nullptr;
  for (size_t length = 1; low != high; ++length) {
    if (low->text.size() == length) // a prefix of the others: sorted first
      longest = &*low++;
    if (length == text.size())
      break;
    auto byteAt = [&](const AddedToken &token) {
      return static_cast<unsigned char>(token.text[length]);
    };
    auto byte = static_cast<unsigned char>(text[length]);
    low = std::lower_bound(
        low, high, byte,
        [&](const AddedToken &a, unsigned char b) { return byteAt(a) < b; });
    high = std::upper_bound(
        low, high, byte,
        [&](unsigned char b, const AddedToken &a) { return b < byteAt(a); });
  }
  return longest;
}

std::vector<TextPart> AddedTokens::split(std::string_view text) const {
  std::vector<TextPart> parts;
  size_t given = 0;
  auto giveText = [&](size_t end) {
    if (given < end)
      parts.push_back({std::string(text.substr(given, end - given)), -1});
  };
  for (size_t at = 0; at < text.size();) {
    const AddedToken *token = match(text.substr(at));
    if (!token) {
      ++at;
      continue;
    }
    giveText(at);
    parts.push_back({std::string(), token->id});
    given = at += token->text.size();
  }
  giveText(text.size());
  return parts;
}
