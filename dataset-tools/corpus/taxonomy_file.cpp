// Reading taxonomies; what is done with them is in taxonomy.cpp.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>

#include "corpus/builtin_taxonomies.h"
#include "corpus/plain_text.h"
#include "corpus/taxonomy.h"
#include "toml/parse_toml.h"

namespace smearscope::corpus {
namespace {

using Completeness = Taxonomy::Completeness;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

class Parser {
 public:
  explicit Parser(const std::string& name) { taxonomy_.name = name; }

  Taxonomy parse(const toml::table& document) {
    for (const auto& [key, value] : document) {
      if (key != "class" && key != "source") fail(value, "unknown key '" + std::string(key.str()) + "'");
    }
    const toml::array* classes = document["class"].as_array();
    if (!classes || classes->empty()) throw Error(taxonomy_.name + ": has no [[class]]; is it a taxonomy?");
    for (const toml::node& node : *classes) add_class(table(node, "class"));
    for (const toml::node& node : *classes) set_parent(*node.as_table());
    check_for_circles();
    if (const toml::node* sources = document.get("source")) {
      for (const auto& [kind, node] : table(*sources, "source"))
        add_source(std::string(kind.str()), table(node, "source"));
    }
    return std::move(taxonomy_);
  }

 private:
  [[noreturn]] void fail(const toml::node& node, const std::string& what) const {
    throw Error(taxonomy_.name + ": line " + std::to_string(node.source().begin.line) + ": " +
                in_one_line(what));
  }

  const toml::table& table(const toml::node& node, const std::string& what) const {
    if (!node.is_table()) fail(node, "'" + what + "' is not a table");
    return *node.as_table();
  }

  std::string text(const toml::node& node, const std::string& what) const {
    const auto value = node.value_exact<std::string>();
    if (!value) fail(node, "'" + what + "' is not a text");
    return *value;
  }

  std::vector<std::string> texts(const toml::node& node, const std::string& what) const {
    if (!node.is_array()) fail(node, "'" + what + "' is not a list of names");
    std::vector<std::string> values;
    for (const toml::node& element : *node.as_array()) values.push_back(text(element, what));
    return values;
  }

  int index_of(const toml::node& node, const std::string& name) const {
    for (std::size_t i = 0; i < taxonomy_.classes.size(); ++i) {
      if (taxonomy_.classes[i].name == name) return static_cast<int>(i);
    }
    fail(node, "there is no class '" + name + "'");
  }

  void add_class(const toml::table& entry) {
    const toml::node* name = entry.get("name");
    if (!name || text(*name, "name").empty()) fail(entry, "a class needs a name");
    const int index = static_cast<int>(taxonomy_.classes.size());
    taxonomy_.classes.push_back({text(*name, "name"), -1});
    taxonomy_.general.push_back(entry["general"].value_or(false));
    std::vector<std::string> names{text(*name, "name")};
    for (const auto& [key, value] : entry) {
      if (key == "aliases") {
        for (const std::string& alias : texts(value, "aliases")) names.push_back(alias);
      } else if (key != "name" && key != "parent" && key != "general") {
        fail(value, "unknown key '" + std::string(key.str()) + "'");
      }
    }
    for (const std::string& each : names) {
      if (!taxonomy_.class_of_name.emplace(lower(each), index).second) {
        fail(entry, "the name '" + each + "' is used twice");
      }
    }
  }

  void set_parent(const toml::table& entry) {
    if (const toml::node* parent = entry.get("parent")) {
      const int index = index_of(entry, text(*entry.get("name"), "name"));
      taxonomy_.classes[static_cast<std::size_t>(index)].parent = index_of(*parent, text(*parent, "parent"));
    }
  }

  void check_for_circles() const {
    for (const Class& c : taxonomy_.classes) {
      std::size_t steps = 0;
      for (int at = c.parent; at >= 0; at = taxonomy_.classes[static_cast<std::size_t>(at)].parent) {
        if (++steps > taxonomy_.classes.size()) {
          throw Error(taxonomy_.name + ": class '" + in_one_line(c.name) + "' is above itself");
        }
      }
    }
  }

  void add_source(const std::string& kind, const toml::table& entry) {
    Taxonomy::Source source;
    std::map<int, Completeness> listed;
    for (const auto& [key, value] : entry) {
      if (key == "labels") {
        for (const auto& [label, node] : table(value, "labels")) {
          const std::string name = text(node, std::string(label.str()));
          source.class_of_label[lower(std::string(label.str()))] =
              name.empty() ? Taxonomy::dropped : index_of(node, name);
        }
      } else if (key == "exhaustive" || key == "not_exhaustive") {
        for (const std::string& name : texts(value, std::string(key.str()))) {
          const auto state = key == "exhaustive" ? Completeness::exhaustive : Completeness::not_exhaustive;
          if (!listed.emplace(index_of(value, name), state).second)
            fail(value, "'" + name + "' is listed twice");
        }
      } else {
        fail(value, "unknown key '" + std::string(key.str()) + "'");
      }
    }
    source.completeness = inherited(listed);
    taxonomy_.sources[kind] = std::move(source);
  }

  // A class is as complete as the nearest listed one of it and its ancestors.
  std::vector<Completeness> inherited(const std::map<int, Completeness>& listed) const {
    std::vector<Completeness> all;
    for (std::size_t i = 0; i < taxonomy_.classes.size(); ++i) {
      int at = static_cast<int>(i);
      while (at >= 0 && listed.count(at) == 0) at = taxonomy_.classes[static_cast<std::size_t>(at)].parent;
      all.push_back(at < 0 ? Completeness::unknown : listed.at(at));
    }
    return all;
  }

  Taxonomy taxonomy_;
};

}  // namespace

std::vector<std::string> taxonomy_names() {
  std::vector<std::string> names;
  for (const BuiltinTaxonomy& builtin : builtin_taxonomies) names.push_back(builtin.name);
  return names;
}

std::string text_of_taxonomy(const std::string& name_or_file) {
  std::string names;
  for (const BuiltinTaxonomy& builtin : builtin_taxonomies) {
    if (name_or_file == builtin.name) return builtin.toml;
    names += std::string(builtin.name) + ", ";
  }
  std::ifstream in(name_or_file);
  std::stringstream text;
  if (!(in && text << in.rdbuf())) {
    throw Error("unknown taxonomy '" + name_or_file + "'; known are " + names + "or the path of a file");
  }
  return text.str();
}

Taxonomy load_taxonomy(const std::string& name_or_file) {
  return parse_taxonomy(text_of_taxonomy(name_or_file), name_or_file);
}

Taxonomy parse_taxonomy(const std::string& toml, const std::string& name) {
  return Parser(name).parse(parse_toml(toml, name));
}

}  // namespace smearscope::corpus
