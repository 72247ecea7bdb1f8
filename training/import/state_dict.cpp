#include "import/state_dict.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

// Where training programs put it, the likelier first.
constexpr const char* entries[] = {
    "model",  "state_dict", "model_state_dict", "ema",     "model_ema", "ema_state_dict",
    "module", "net",        "network",          "weights", "params"};
// torch.nn.DataParallel and DistributedDataParallel, torch.compile, a module that holds the network as
// `model`.
constexpr const char* prefixes[] = {"module.", "_orig_mod.", "model."};

bool starts_with(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

using Named = std::vector<std::pair<std::string, const Tensor*>>;

// The dict's tensors of layers: those whose names have a dot.
Named tensors_of(const Pickle& pickle, const Value& dict) {
  Named tensors;
  if (dict.kind != Kind::dict) return tensors;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Value &key = pickle[dict.items[i]], &value = pickle[dict.items[i + 1]];
    if (key.kind != Kind::text || value.kind != Kind::tensor || key.text.find('.') == std::string_view::npos)
      continue;
    tensors.emplace_back(key.text, &pickle.tensors[static_cast<std::size_t>(value.number)]);
  }
  return tensors;
}

// In `dict` or, so many levels deeper, in one of its entries.
Named search(const Pickle& pickle, const Value& dict, int levels, std::string& entry) {
  Named found = tensors_of(pickle, dict);
  if (!found.empty() || levels == 0) return found;
  for (const char* name : entries) {
    const Value* inner = pickle.find(dict, name);
    if (!inner) continue;
    std::string below;
    found = search(pickle, *inner, levels - 1, below);
    if (found.empty()) continue;
    entry = name + (below.empty() ? "" : "." + below);
    return found;
  }
  return {};
}

void take_off_prefixes(Named& tensors) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string prefix : prefixes) {
      if (!std::all_of(tensors.begin(), tensors.end(),
                       [&](const auto& t) { return starts_with(t.first, prefix); }))
        continue;
      for (auto& [name, tensor] : tensors) name.erase(0, prefix.size());
      again = true;
    }
  }
}

// torchvision/ops/feature_pyramid_network.py and models/detection/rpn.py, _load_from_state_dict.
std::string current_name(const std::string& name) {
  for (const char* blocks : {"backbone.fpn.inner_blocks.", "backbone.fpn.layer_blocks."}) {
    if (!starts_with(name, blocks)) continue;
    const std::string rest = name.substr(std::string(blocks).size());  // "0.weight", now "0.0.weight"
    const std::size_t dot = rest.find('.');
    if (dot != std::string::npos && (rest.substr(dot) == ".weight" || rest.substr(dot) == ".bias"))
      return blocks + rest.substr(0, dot) + ".0" + rest.substr(dot);
  }
  if (name == "rpn.head.conv.weight") return "rpn.head.conv.0.0.weight";
  if (name == "rpn.head.conv.bias") return "rpn.head.conv.0.0.bias";
  return name;
}

// For a message: what the checkpoint has instead.
std::string keys_of(const Pickle& pickle) {
  const Value& root = pickle[pickle.root];
  std::string keys;
  constexpr std::size_t most = 5;
  for (std::size_t i = 0; root.kind == Kind::dict && i < std::min(root.items.size(), 2 * most); i += 2) {
    const Value& key = pickle[root.items[i]];
    if (key.kind == Kind::text) keys += (keys.empty() ? "; it has the entries " : ", ") + quoted(key.text);
  }
  return keys;
}

}  // namespace

StateDict find_state_dict(const Pickle& pickle) {
  StateDict dict;
  Named tensors = search(pickle, pickle[pickle.root], 2, dict.entry);
  if (tensors.empty()) throw Error("holds no state dict of a network" + keys_of(pickle));
  take_off_prefixes(tensors);
  for (const auto& [name, tensor] : tensors) {
    if (!dict.tensors.emplace(current_name(name), tensor).second)
      throw Error("tensor " + quoted(name) + ": comes twice");
  }
  return dict;
}

}  // namespace smearscope::checkpoint
