// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The normal form, and the hashes of the templates that are known.
//
//     {%- if not date_string is defined %}        {% if not date_string is
//     defined
//         {%- set date_string = "26 Jul 2024" %}  {% set date_string = '26 Jul
//         2024'
//     {%- endif %}                                {% endif
//     {%- if tools is not none %}             ->
//         {{- "Environment: ipython\n" }}
//     {%- endif %}
//     {{- message.content | trim }}               {{ message [ 'content' ] |
//     trim
#include "compiler/import/ChatTemplateText.h"

#include "compiler/import/JinjaTokens.h"
#include "compiler/import/Json.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace mlir::llama {
namespace {

/// hashChatTemplate of the published texts, from tokenizer_config.json of these
/// repositories.
struct Known {
  uint64_t hash;
  LlamacChatTemplate which;
};
const Known knownTemplates[] = {
    // meta-llama/Llama-2-7b-chat-hf; codellama/CodeLlama-7b-Instruct-hf
    {0x01adecbcf82ab2b3, LLAMAC_CHAT_LLAMA2},
    // LlamaTokenizer.default_chat_template of transformers 4.34 to 4.43, which
    // older folders of the same models were saved with
    {0xe2530fcbf03fe5fe, LLAMAC_CHAT_LLAMA2},
    // meta-llama/Meta-Llama-3-8B-Instruct, both revisions
    {0x5fbb7de541953fff, LLAMAC_CHAT_LLAMA3},
    // meta-llama/Llama-3.1-8B-Instruct, meta-llama/Llama-3.3-70B-Instruct
    {0xad11b9202ed3025b, LLAMAC_CHAT_LLAMA31},
    // meta-llama/Llama-3.2-1B-Instruct
    {0x12db9c41f3bb541c, LLAMAC_CHAT_LLAMA31},
    // TinyLlama/TinyLlama-1.1B-Chat-v1.0
    {0xeec0c2e7dc799997, LLAMAC_CHAT_TINYLLAMA},
};

using Tokens = std::vector<JinjaToken>;

enum class Truth { No, Yes, Unknown };

Truth negate(Truth truth) {
  return truth == Truth::No    ? Truth::Yes
         : truth == Truth::Yes ? Truth::No
                               : Truth::Unknown;
}

/// On one line, and with no ' inside.
std::string quote(const std::string &text) {
  std::string quoted =
      Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string result = "'";
  for (size_t i = 1; i + 1 < quoted.size(); ++i)
    result +=
        quoted[i] == '\'' ? std::string("\\u0027") : std::string(1, quoted[i]);
  return result + "'";
}

bool isWord(const Tokens &tokens, size_t i, const char *word) {
  return i < tokens.size() && !tokens[i].isString && tokens[i].text == word;
}

/// Separated by spaces. x.y is x['y'], and x.strip() is x | trim.
std::string spell(const Tokens &tokens, size_t from, size_t to) {
  std::string text;
  auto add = [&](const std::string &word) {
    text += (text.empty() ? "" : " ") + word;
  };
  for (size_t i = from; i < to; ++i) {
    if (isWord(tokens, i, ".") && i + 3 < to &&
        isWord(tokens, i + 1, "strip") && isWord(tokens, i + 2, "(") &&
        isWord(tokens, i + 3, ")")) {
      add("| trim");
      i += 3;
    } else if (isWord(tokens, i, ".") && i + 1 < to &&
               !isWord(tokens, i + 2, "(")) {
      add("[ " + quote(tokens[++i].text) + " ]");
    } else {
      add(tokens[i].isString ? quote(tokens[i].text) : tokens[i].text);
    }
  }
  return text;
}

/// What apply_chat_template gives a template, and plain messages hold: `tools`
/// is None, and a message has a role and a content.
Truth truthOfAtom(const std::string &atom) {
  for (const char *no :
       {"custom_tools is defined", "builtin_tools is defined",
        "tools_in_user_message is defined", "tools is not none", "tools",
        "'tool_calls' in message", "message [ 'tool_calls' ]",
        "message [ 'tool_calls' ] is defined",
        "message [ 'role' ] == 'ipython'", "message [ 'role' ] == 'tool'",
        "false == true"})
    if (atom == no)
      return Truth::No;
  for (const char *yes : {"add_generation_prompt", "tools is none",
                          "tools is defined", "strftime_now is defined"})
    if (atom == yes)
      return Truth::Yes;
  return Truth::Unknown;
}

/// and, or, not and parentheses over atoms.
class Condition {
public:
  Condition(const Tokens &tokens, size_t from, size_t to)
      : tokens(tokens), at(from), end(to) {}

  Truth evaluate(unsigned depth = 0) {
    Truth truth = readAnd(depth);
    while (at < end && isWord(tokens, at, "or")) {
      ++at;
      Truth other = readAnd(depth);
      truth = truth == Truth::Yes || other == Truth::Yes ? Truth::Yes
              : truth == Truth::No && other == Truth::No ? Truth::No
                                                         : Truth::Unknown;
    }
    return at < end ? Truth::Unknown : truth;
  }

private:
  Truth readAnd(unsigned depth) {
    Truth truth = readNot(depth);
    while (at < end && isWord(tokens, at, "and")) {
      ++at;
      Truth other = readNot(depth);
      truth = truth == Truth::No || other == Truth::No     ? Truth::No
              : truth == Truth::Yes && other == Truth::Yes ? Truth::Yes
                                                           : Truth::Unknown;
    }
    return truth;
  }
  Truth readNot(unsigned depth) {
    bool negated = false;
    for (; at < end && isWord(tokens, at, "not"); ++at)
      negated = !negated;
    Truth truth = readAtom(depth);
    return negated ? negate(truth) : truth;
  }
  Truth readAtom(unsigned depth) {
    size_t start = at, open = 0, firstClose = end;
    for (; at < end; ++at) {
      if (isWord(tokens, at, "(")) {
        ++open;
      } else if (isWord(tokens, at, ")")) {
        if (open == 0)
          break;
        if (--open == 0 && firstClose == end)
          firstClose = at;
      } else if (open == 0 &&
                 (isWord(tokens, at, "and") || isWord(tokens, at, "or"))) {
        break;
      }
    }
    if (isWord(tokens, start, "(") && at > start && firstClose == at - 1)
      return depth < 16
                 ? Condition(tokens, start + 1, at - 1).evaluate(depth + 1)
                 : Truth::Unknown;
    return truthOfAtom(spell(tokens, start, at));
  }

  const Tokens &tokens;
  size_t at, end;
};

/// Lines, of which texts next to each other are one.
class Form {
public:
  void addText(const std::string &text) {
    if (lines.empty() || !lines.back().isText)
      lines.push_back({true, ""});
    lines.back().text += text;
  }
  void addTag(const std::string &text) { lines.push_back({false, text}); }
  void append(const Form &other) {
    for (const Line &line : other.lines)
      line.isText ? addText(line.text) : addTag(line.text);
  }
  std::string text() const {
    std::string all;
    for (const Line &line : lines)
      all += (line.isText ? quote(line.text) : line.text) + "\n";
    return all;
  }

private:
  struct Line {
    bool isText;
    std::string text;
  };
  std::vector<Line> lines;
};

class Simplifier {
public:
  explicit Simplifier(const std::vector<JinjaPiece> &pieces) : pieces(pieces) {}
  /// False where blocks do not match, or are too deep.
  bool run(Form &form) { return readBody(form, 0) && at == pieces.size(); }

private:
  /// Up to the statement that ends it, which is left.
  bool readBody(Form &form, unsigned depth);
  bool readIf(Form &form, unsigned depth);
  bool isStatement(const char *word) const {
    return at < pieces.size() && pieces[at].kind == JinjaPiece::Statement &&
           isWord(pieces[at].tokens, 0, word);
  }

  const std::vector<JinjaPiece> &pieces;
  size_t at = 0;
};

} // namespace

/// Constants of the variables that only the branches for tools read.
static bool setsToolVariable(const Tokens &tokens) {
  std::string text = spell(tokens, 0, tokens.size());
  return text == "set tools = none" ||
         text == "set tools_in_user_message = true";
}

bool Simplifier::readBody(Form &form, unsigned depth) {
  if (depth > 32)
    return false;
  while (at < pieces.size()) {
    const JinjaPiece &piece = pieces[at];
    const Tokens &tokens = piece.tokens;
    if (piece.kind == JinjaPiece::Data) {
      form.addText(piece.text);
      ++at;
    } else if (piece.kind == JinjaPiece::Output) {
      if (tokens.size() == 1 && tokens[0].isString)
        form.addText(tokens[0].text);
      else
        form.addTag("{{ " + spell(tokens, 0, tokens.size()));
      ++at;
    } else if (isStatement("elif") || isStatement("else") ||
               isStatement("endif") || isStatement("endfor")) {
      return true;
    } else if (isStatement("if")) {
      if (!readIf(form, depth))
        return false;
    } else if (isStatement("for")) {
      form.addTag("{% " + spell(tokens, 0, tokens.size()));
      ++at;
      if (!readBody(form, depth + 1) || !isStatement("endfor"))
        return false;
      form.addTag("{% endfor");
      ++at;
    } else {
      if (!setsToolVariable(tokens))
        form.addTag("{% " + spell(tokens, 0, tokens.size()));
      ++at;
    }
  }
  return true;
}

/// Branches whose condition is known go, or take the place of the whole.
bool Simplifier::readIf(Form &form, unsigned depth) {
  Form result;
  bool kept = false, settled = false;
  for (;;) {
    const Tokens &tokens = pieces[at].tokens;
    bool isElse = isStatement("else");
    Truth truth =
        isElse ? Truth::Yes : Condition(tokens, 1, tokens.size()).evaluate();
    std::string condition = spell(tokens, 1, tokens.size());
    ++at;
    Form body;
    if (!readBody(body, depth + 1))
      return false;
    if (!settled && truth != Truth::No) {
      settled = truth == Truth::Yes;
      if (!settled)
        result.addTag((kept ? "{% elif " : "{% if ") + condition);
      else if (kept)
        result.addTag("{% else");
      kept |= !settled;
      result.append(body);
    }
    if (isStatement("endif"))
      break;
    if (isElse || !(isStatement("elif") || isStatement("else")))
      return false;
  }
  ++at;
  if (kept)
    result.addTag("{% endif");
  form.append(result);
  return true;
}

std::string normaliseChatTemplate(std::string_view jinja) {
  std::optional<std::vector<JinjaPiece>> pieces = readJinja(jinja);
  Form form;
  if (!pieces || !Simplifier(*pieces).run(form))
    return "";
  return form.text();
}

uint64_t hashChatTemplate(std::string_view jinja) {
  std::string form = normaliseChatTemplate(jinja);
  return XXH3_64bits(form.data(), form.size());
}

LlamacChatTemplate recogniseChatTemplate(std::string_view jinja) {
  uint64_t hash = hashChatTemplate(jinja);
  for (const Known &known : knownTemplates)
    if (known.hash == hash)
      return known.which;
  return LLAMAC_CHAT_UNKNOWN;
}

llrt::Result<std::optional<std::string>>
parseChatTemplate(std::string_view json, const std::string &name) {
  llrt::Result<Json> object = parseJsonObject(json, name);
  if (!object)
    return object.error();
  using Found = std::optional<std::string>;
  auto entry = object->find("chat_template");
  if (entry == object->end() || entry->is_null())
    return Found();
  if (entry->is_string())
    return Found(entry->get<std::string>());
  auto wrong = [&] {
    return llrt::Error(name + ": \"chat_template\" is " + describeJson(*entry) +
                       ", expected a string or a list of {\"name\": NAME, "
                       "\"template\": TEXT}");
  };
  if (!entry->is_array())
    return wrong();
  std::string result;
  for (const Json &one : *entry) {
    if (!one.is_object() || !one.contains("name") || !one["name"].is_string() ||
        !one.contains("template") || !one["template"].is_string())
      return wrong();
    if (one["name"] == "default")
      result = one["template"].get<std::string>();
  }
  return Found(result);
}

} // namespace mlir::llama
