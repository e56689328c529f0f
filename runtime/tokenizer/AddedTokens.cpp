// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sorted list is a trie: each further byte narrows a range of it.
#include "runtime/tokenizer/AddedTokens.h"

#include "runtime/Utf8.h"
#include "runtime/tokenizer/UnicodeClasses.h"

#include <algorithm>

using namespace llrt;

namespace {

constexpr std::string_view lowerBlock = "\xE2\x96\x81"; // U+2581

std::string replaceSpaces(std::string_view text) {
  std::string result;
  for (char c : text)
    if (c == ' ')
      result += lowerBlock;
    else
      result += c;
  return result;
}

bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         text.substr(text.size() - end.size()) == end;
}

/// Where the character before `end` starts.
size_t stepBack(std::string_view text, size_t end) {
  do
    --end;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80);
  return end;
}

/// Where the white space at the end of text[from, to) starts.
size_t skipSpacesBack(std::string_view text, size_t from, size_t to) {
  while (to > from) {
    size_t at = stepBack(text, to);
    if (!isSpace(readCodePoint(text, at).value))
      break;
    to = at;
  }
  return to;
}

/// Where the white space from `at` on ends.
size_t skipSpaces(std::string_view text, size_t at) {
  while (at < text.size()) {
    CodePoint c = readCodePoint(text, at);
    if (!isSpace(c.value))
      break;
    at += c.length;
  }
  return at;
}

bool isAlone(std::string_view text, size_t start, size_t end) {
  if (start > 0 && isWordPart(readCodePoint(text, stepBack(text, start)).value))
    return false;
  return end == text.size() || !isWordPart(readCodePoint(text, end).value);
}

} // namespace

TokenFinder::TokenFinder(std::vector<AddedToken> tokens) {
  std::map<std::string, AddedToken> byText;
  for (AddedToken &token : tokens)
    if (!token.text.empty())
      byText.emplace(token.text, std::move(token));
  for (auto &[text, token] : byText)
    sorted.push_back(std::move(token));
  for (const AddedToken &token : sorted)
    ++starts[static_cast<unsigned char>(token.text[0]) + 1];
  for (size_t byte = 0; byte < 256; ++byte)
    starts[byte + 1] += starts[byte];
}

std::optional<int32_t> TokenFinder::find(std::string_view text) const {
  auto at = std::lower_bound(
      sorted.begin(), sorted.end(), text,
      [](const AddedToken &a, std::string_view b) { return a.text < b; });
  if (at == sorted.end() || at->text != text)
    return std::nullopt;
  return at->id;
}

const AddedToken *TokenFinder::match(std::string_view text) const {
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

std::vector<TextPart> TokenFinder::split(std::string_view text,
                                         SpecialTokens special) const {
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
    size_t start = at, end = at + token->text.size();
    at = end;
    if (special == SpecialTokens::Plain && token->flags & LLAMAC_ADDED_SPECIAL)
      continue;
    if (token->flags & LLAMAC_ADDED_SINGLE_WORD && !isAlone(text, start, end))
      continue;
    // What the token before took, this one does not.
    if (start < given)
      start = given;
    if (token->flags & LLAMAC_ADDED_LEFT_STRIP)
      start = skipSpacesBack(text, given, start);
    if (token->flags & LLAMAC_ADDED_RIGHT_STRIP)
      end = skipSpaces(text, end);
    giveText(start);
    parts.push_back({std::string(), token->id});
    given = std::max(given, end);
  }
  giveText(text.size());
  return parts;
}

AddedTokens::AddedTokens(const std::vector<AddedToken> &tokens, bool normalizes,
                         bool prefix)
    : normalizes(normalizes), prefix(normalizes && prefix) {
  std::vector<AddedToken> first, second;
  for (const AddedToken &token : tokens) {
    flags.emplace(token.id, token.flags);
    if (!(token.flags & LLAMAC_ADDED_NORMALIZED)) {
      first.push_back(token);
      continue;
    }
    second.push_back(token);
    if (normalizes)
      second.back().text = (this->prefix ? std::string(lowerBlock) : "") +
                           replaceSpaces(token.text);
  }
  plain = TokenFinder(std::move(first));
  normalized = TokenFinder(std::move(second));
}

std::optional<int32_t> AddedTokens::find(std::string_view text) const {
  if (std::optional<int32_t> id = plain.find(text))
    return id;
  if (!normalizes)
    return normalized.find(text);
  return normalized.find((prefix ? std::string(lowerBlock) : "") +
                         replaceSpaces(text));
}

uint32_t AddedTokens::flagsOf(int32_t id) const {
  auto found = flags.find(id);
  return found == flags.end() ? 0 : found->second;
}

std::vector<Segment> AddedTokens::cut(View<TextPart> parts,
                                      SpecialTokens special) const {
  // Texts in a row are one.
  std::vector<TextPart> joined;
  for (const TextPart &part : parts) {
    if (part.id >= 0)
      joined.push_back({std::string(), part.id});
    else if (!joined.empty() && joined.back().id < 0)
      joined.back().text += part.text;
    else
      joined.push_back({part.text, -1});
  }
  for (TextPart &part : joined)
    if (part.id < 0)
      part.text = replaceInvalidUtf8(part.text);
  // Tokens that are given take their white space, too.
  for (size_t i = 0; i < joined.size(); ++i) {
    if (joined[i].id < 0)
      continue;
    uint32_t flags = flagsOf(joined[i].id);
    if (flags & LLAMAC_ADDED_LEFT_STRIP && i > 0 && joined[i - 1].id < 0) {
      std::string &text = joined[i - 1].text;
      text.resize(skipSpacesBack(text, 0, text.size()));
    }
    if (flags & LLAMAC_ADDED_RIGHT_STRIP && i + 1 < joined.size() &&
        joined[i + 1].id < 0) {
      std::string &text = joined[i + 1].text;
      text.erase(0, skipSpaces(text, 0));
    }
  }
  std::vector<Segment> segments;
  std::vector<TextPart> stretch;
  auto finishStretch = [&] {
    cutStretch(stretch, special, segments);
    stretch.clear();
  };
  auto take = [&](TextPart part) {
    if (part.id < 0 || flagsOf(part.id) & LLAMAC_ADDED_NORMALIZED) {
      stretch.push_back(std::move(part));
      return;
    }
    finishStretch();
    segments.push_back({std::string(), part.id, false});
  };
  for (TextPart &part : joined) {
    if (part.id >= 0) {
      take(std::move(part));
      continue;
    }
    for (TextPart &found : plain.split(part.text, special))
      take(std::move(found));
  }
  finishStretch();
  return segments;
}

void AddedTokens::cutStretch(View<TextPart> parts, SpecialTokens special,
                             std::vector<Segment> &segments) const {
  bool normalize = normalizes && !normalized.empty();
  std::string space; // before a token, part of it
  if (normalize && prefix)
    space = lowerBlock;
  std::string rest = parts.empty() ? std::string() : space;
  auto giveText = [&](std::string_view text) {
    if (!text.empty())
      segments.push_back({std::string(text), -1, normalize});
  };
  for (const TextPart &part : parts) {
    if (part.id < 0) {
      rest += normalize ? replaceSpaces(part.text) : part.text;
      std::vector<TextPart> found = normalized.split(rest, special);
      rest.clear();
      if (!found.empty() && found.back().id < 0) {
        rest = std::move(found.back().text);
        found.pop_back();
      }
      for (TextPart &piece : found)
        if (piece.id >= 0)
          segments.push_back({std::string(), piece.id, false});
        else
          giveText(piece.text);
      continue;
    }
    if (endsWith(rest, space))
      rest.resize(rest.size() - space.size());
    giveText(rest);
    rest.clear();
    segments.push_back({std::string(), part.id, false});
  }
  giveText(rest);
}
