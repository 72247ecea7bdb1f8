#include "readers/data_yaml.h"

#include <charconv>
#include <sstream>

#include "corpus/plain_text.h"
#include "readers/yolo_labels.h"

namespace smearscope::corpus {
namespace {

constexpr std::size_t most_classes = 10000;

// A scalar, with its key where it is of a map.
struct Item {
  std::string key, text;
};

// Reads scalars from a text without comments.
class Scanner {
 public:
  explicit Scanner(const std::string& text) : text_(text) {}

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool at_end() {
    skip_space();
    return at_ >= text_.size();
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_dash() {  // of a list: with space after it
    skip_space();
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
    return (next == ' ' || next == '\t' || next == '\n') && take('-');
  }
  // Up to one of `ends` or the end of the line; quotes go further.
  std::string scalar(const char* ends) {
    skip_space();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return quoted(text_[at_++]);
    const std::size_t first = at_;
    const std::string stops = std::string(ends) + "\n";
    while (at_ < text_.size() && stops.find(text_[at_]) == std::string::npos) ++at_;
    std::size_t last = at_;
    while (last > first && (text_[last - 1] == ' ' || text_[last - 1] == '\t')) --last;
    return text_.substr(first, last - first);
  }

 private:
  // Single quotes are doubled inside, double quotes have a backslash before them.
  std::string quoted(char quote) {
    std::string result;
    for (; at_ < text_.size(); ++at_) {
      const bool has_next = at_ + 1 < text_.size();
      if (quote == '"' && text_[at_] == '\\' && has_next) {
        result += text_[++at_];
      } else if (text_[at_] != quote) {
        result += text_[at_];
      } else if (quote == '\'' && has_next && text_[at_ + 1] == quote) {
        result += text_[++at_];
      } else {
        ++at_;
        return result;
      }
    }
    throw Error("a quote is not closed");
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

std::vector<Item> in_brackets(Scanner& scanner, bool is_map) {
  const char close = is_map ? '}' : ']';
  std::vector<Item> items;
  while (!scanner.take(close)) {
    Item item;
    if (is_map) {
      item.key = scanner.scalar(":,}");
      if (!scanner.take(':')) throw Error("'" + shown(item.key) + "' has no value");
    }
    item.text = scanner.scalar(is_map ? ",}" : ",]");
    items.push_back(std::move(item));
    if (scanner.take(',')) continue;
    if (!scanner.take(close)) throw Error(std::string("'") + close + "' or ',' is missing");
    break;
  }
  return items;
}

std::vector<Item> in_lines(Scanner& scanner) {
  std::vector<Item> items;
  while (!scanner.at_end()) {
    Item item;
    if (!scanner.take_dash()) {
      item.key = scanner.scalar(":");
      if (!scanner.take(':')) throw Error("'" + shown(item.key) + "' is neither 'number: name' nor '- name'");
    }
    item.text = scanner.scalar("");
    items.push_back(std::move(item));
  }
  return items;
}

// The value of a key, which begins in its line or in the lines after it.
std::vector<Item> items_of(const std::string& value) {
  Scanner scanner(value);
  if (scanner.at_end()) return {};
  const bool begins_below = value.find_first_not_of(" \t") == value.find('\n');
  std::vector<Item> items;
  if (scanner.take('[')) {
    items = in_brackets(scanner, false);
  } else if (scanner.take('{')) {
    items = in_brackets(scanner, true);
  } else if (begins_below) {
    items = in_lines(scanner);
  } else {
    items.push_back({"", scanner.scalar("")});
  }
  if (!scanner.at_end()) throw Error("text after the value");
  return items;
}

std::string without_comment(const std::string& line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote) {
      if (quote == '"' && line[i] == '\\')
        ++i;
      else if (line[i] == quote)
        quote = 0;
    } else if ((line[i] == '\'' || line[i] == '"') &&
               (i == 0 || std::string(" \t[{,:").find(line[i - 1]) != std::string::npos)) {
      quote = line[i];
    } else if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) {
      return line.substr(0, i);
    }
  }
  return line;
}

std::vector<std::string> texts(const std::vector<Item>& items) {
  std::vector<std::string> result;
  for (const Item& item : items) {
    if (!item.text.empty()) result.push_back(item.text);
  }
  return result;
}

std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) {
    std::size_t number = names.size();
    if (!item.key.empty()) {
      const char* end = item.key.data() + item.key.size();
      if (std::from_chars(item.key.data(), end, number).ptr != end)
        throw Error("'" + shown(item.key) + "' is no number of a class");
    }
    if (number >= most_classes) throw Error("more than 10,000 classes");
    if (number >= names.size()) names.resize(number + 1);
    if (!names[number].empty()) throw Error("class " + std::to_string(number) + " has two names");
    check_class_name(item.text);
    names[number] = item.text;
  }
  return names;
}

void set_key(DataYaml& yaml, const std::string& key, const std::string& value) {
  if (key == "train") yaml.train = texts(items_of(value));
  if (key == "val" || key == "valid") yaml.val = texts(items_of(value));
  if (key == "test") yaml.test = texts(items_of(value));
  if (key == "names") yaml.names = names_of(items_of(value));
}

}  // namespace

DataYaml parse_data_yaml(const std::string& text, const std::string& where) {
  DataYaml yaml;
  std::string key, value;
  int number = 0, key_line = 0;
  const auto finish = [&] {
    try {
      set_key(yaml, key, value);
    } catch (const Error& problem) {
      throw Error(where + ": line " + std::to_string(key_line) + ": " + key + ": " + problem.what());
    }
  };
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    line = without_comment(line);
    const std::size_t colon = line.find(':');
    const bool begins_key =
        !line.empty() && std::isalpha(static_cast<unsigned char>(line[0])) && colon != std::string::npos;
    if (begins_key) {
      finish();
      key = line.substr(0, colon);
      value = line.substr(colon + 1) + "\n";
      key_line = number;
    } else {
      value += line + "\n";
    }
  }
  finish();
  return yaml;
}

}  // namespace smearscope::corpus
