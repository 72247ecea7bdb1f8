// One record of a COCO file, for coco_read.cpp.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "corpus/plain_text.h"
#include "corpus/records.h"
#include "smearscope/error.h"

namespace smearscope::corpus {

inline constexpr int largest_coco_side = 1 << 20;
inline constexpr double coco_rounding_slack = 0.5;  // pixels

// The fields of a record. Errors begin with what it is: "val.json: annotation 17". Calls throw Error if the
// field is missing (unless it is optional) or is not what it should be. The JSON value must outlive this.
class CocoRecord {
 public:
  CocoRecord(const nlohmann::json& value, const std::string& file, const char* what, std::size_t position)
      : value_(value), file_(file), what_(what), position_(position) {
    id_ = integer("id");
    has_id_ = true;
  }

  std::int64_t id() const { return id_; }
  const nlohmann::json& value() const { return value_; }

  [[noreturn]] void fail(const std::string& what) const {
    const std::string name = has_id_ ? std::string(what_) + " " + std::to_string(id_)
                                     : std::string(what_) + " number " + std::to_string(position_);
    throw Error(file_ + ": " + name + ": " + in_one_line(what));
  }

  const nlohmann::json& field(const char* name) const {
    if (!value_.is_object()) fail("is not an object");
    const auto found = value_.find(name);
    if (found == value_.end()) fail("has no \"" + std::string(name) + "\"");
    return *found;
  }

  std::int64_t integer(const char* name) const {
    const nlohmann::json& number = field(name);
    if (!number.is_number_integer()) fail("\"" + std::string(name) + "\" is not a whole number");
    return number.get<std::int64_t>();
  }

  int side(const char* name) const {
    const std::int64_t pixels = integer(name);
    if (pixels < 1 || pixels > largest_coco_side) {
      fail("\"" + std::string(name) + "\" is " + std::to_string(pixels) + "; images have 1 to " +
           std::to_string(largest_coco_side) + " pixels a side");
    }
    return static_cast<int>(pixels);
  }

  std::string text(const char* name) const {
    const nlohmann::json& string = field(name);
    if (!string.is_string() || string.get_ref<const std::string&>().empty()) {
      fail("\"" + std::string(name) + "\" is not a text");
    }
    if (!is_plain_text(string.get_ref<const std::string&>()))
      fail("\"" + std::string(name) + "\" has control characters");
    return string.get<std::string>();
  }

  std::string optional_text(const char* name) const { return value_.contains(name) ? text(name) : ""; }

  // The elements of an optional list.
  const nlohmann::json& list(const char* name) const {
    static const nlohmann::json none = nlohmann::json::array();
    if (!value_.contains(name)) return none;
    const nlohmann::json& list = value_[name];
    if (!list.is_array()) fail("\"" + std::string(name) + "\" is not a list");
    return list;
  }

  // x, y, width, height -> a box inside the image.
  Box box(const nlohmann::json& list, const char* name, const Image& image) const {
    const bool four_numbers =
        list.is_array() && list.size() == 4 &&
        std::all_of(list.begin(), list.end(), [](const nlohmann::json& v) { return v.is_number(); });
    if (!four_numbers) fail("\"" + std::string(name) + "\" is not four numbers");
    const double x = list[0].get<double>(), y = list[1].get<double>();
    const double width = list[2].get<double>(), height = list[3].get<double>();
    const auto shown = [&] { return "box " + list.dump() + " "; };
    if (!(width > 0 && height > 0)) fail(shown() + "has no area");
    const bool inside = x >= -coco_rounding_slack && y >= -coco_rounding_slack &&
                        x + width <= image.width + coco_rounding_slack &&
                        y + height <= image.height + coco_rounding_slack;
    if (!inside) {
      fail(shown() + "reaches outside its image '" + image.file + "' (" + std::to_string(image.width) + "x" +
           std::to_string(image.height) + ")");
    }
    const Box box{std::max(x, 0.0), std::max(y, 0.0), std::min(x + width, double(image.width)),
                  std::min(y + height, double(image.height))};
    if (!(box.width() > 0 && box.height() > 0)) fail(shown() + "has no area inside its image");
    return box;
  }

 private:
  const nlohmann::json& value_;
  const std::string& file_;
  const char* what_;
  std::size_t position_;
  std::int64_t id_ = 0;
  bool has_id_ = false;
};

}  // namespace smearscope::corpus
