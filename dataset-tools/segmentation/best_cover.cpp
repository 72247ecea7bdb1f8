#include <algorithm>
#include <array>
#include <bitset>
#include <map>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "segmentation/outlines.h"
#include "smearscope/error.h"

namespace smearscope::corpus {
namespace {

// What an outline must cover, in units of evidence (a pixel of ink gives up to 35), found by drawing into
// smears (tests/dataset-tools/measure_drawn_rectangles).
constexpr int price_of_outline = 240;  // more than noise offers
constexpr int price_of_length = 4;  // pixels of width and height for one unit: of the same ink, smaller ones
constexpr int price_of_common_side = 120;  // for each side that lies on the same side of another
constexpr int price_of_any_overlap = 60;   // cells lie side by side: for two that overlap at all
constexpr int price_of_overlap = 200;      // and if one covers the other wholly; less for less
constexpr int never = 1 << 20;
constexpr std::size_t most_in_group = 1024;

using Members = std::bitset<most_in_group>;

// Pixels that the same outlines cover.
struct Patch {
  std::vector<std::size_t> outlines;
  int evidence = 0;
};

bool contains(const cv::Rect& a, const cv::Rect& b) {
  return (a & b) == b;
}

// Is there a pixel of both?
bool touch(const Outline& a, const Outline& b) {
  const cv::Rect common = a.outer() & b.outer();
  return common.area() > 0 && !contains(a.inner(), common) && !contains(b.inner(), common);
}

bool same_line(const Side& a, const Side& b) {
  return a.is_seen() && a.lo == b.lo && a.hi == b.hi;
}

bool overlap(const Side& a_from, const Side& a_to, const Side& b_from, const Side& b_to) {
  return std::min(a_to.lo, b_to.lo) > std::max(a_from.hi, b_from.hi);
}

// How many sides of `a` lie on the same sides of `b`. That is no accident of how cells lie: where cells
// touch, the left side of one lies on the right side of another.
int sides_in_common(const Outline& a, const Outline& b) {
  int count = 0;
  if (overlap(a.top, a.bottom, b.top, b.bottom))
    count += int(same_line(a.left, b.left)) + int(same_line(a.right, b.right));
  if (overlap(a.left, a.right, b.left, b.right))
    count += int(same_line(a.top, b.top)) + int(same_line(a.bottom, b.bottom));
  return count;
}

// Which share of the smaller one lies in the other, as the middle lines of the pen are.
double share_in_common(const Outline& a, const Outline& b) {
  const auto middle = [](const Outline& o) {
    return Box{(o.left.lo + o.left.hi) / 2.0, (o.top.lo + o.top.hi) / 2.0, (o.right.lo + o.right.hi) / 2.0,
               (o.bottom.lo + o.bottom.hi) / 2.0};
  };
  const Box p = middle(a), q = middle(b);
  const double width = std::min(p.x_max, q.x_max) - std::max(p.x_min, q.x_min);
  const double height = std::min(p.y_max, q.y_max) - std::max(p.y_min, q.y_min);
  return width > 0 && height > 0 ? width * height / std::min(p.area(), q.area()) : 0;
}

// What it costs to choose both.
int price_of_both(const Outline& a, const Outline& b) {
  const int common = sides_in_common(a, b);
  if (common == 4) return never;
  const bool nested = contains(a.outer(), b.outer()) || contains(b.outer(), a.outer());
  if (nested) return 2 * price_of_common_side * common;
  const double share = share_in_common(a, b);
  return price_of_common_side * common +
         (share > 0 ? price_of_any_overlap + int(price_of_overlap * share) : 0);
}

// Divides the pixels that outlines cover into patches.
std::vector<Patch> make_patches(const std::vector<Outline>& outlines, const PenLines& sums) {
  std::vector<int> xs, ys;
  for (const Outline& o : outlines) {
    xs.insert(xs.end(), {o.left.lo, o.left.hi, o.right.lo, o.right.hi});
    ys.insert(ys.end(), {o.top.lo, o.top.hi, o.bottom.lo, o.bottom.hi});
  }
  for (std::vector<int>* places : {&xs, &ys}) {
    std::sort(places->begin(), places->end());
    places->erase(std::unique(places->begin(), places->end()), places->end());
  }
  const auto index = [](const std::vector<int>& places, int place) {
    return std::size_t(std::lower_bound(places.begin(), places.end(), place) - places.begin());
  };
  std::vector<Members> cells(xs.size() * ys.size());
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    const cv::Rect out = outlines[i].outer(), in = outlines[i].inner();
    for (std::size_t y = index(ys, out.y); y < index(ys, out.br().y); ++y) {
      for (std::size_t x = index(xs, out.x); x < index(xs, out.br().x); ++x) {
        if (!in.contains({xs[x], ys[y]})) cells[y * xs.size() + x].set(i);
      }
    }
  }
  std::unordered_map<Members, Patch> patches;
  for (std::size_t y = 0; y + 1 < ys.size(); ++y) {
    for (std::size_t x = 0; x + 1 < xs.size(); ++x) {
      const Members& members = cells[y * xs.size() + x];
      if (members.any()) patches[members].evidence += sums.evidence.sum(xs[x], ys[y], xs[x + 1], ys[y + 1]);
    }
  }
  std::vector<Patch> result;
  for (auto& [members, patch] : patches) {
    for (std::size_t i = 0; i < outlines.size(); ++i) {
      if (members[i]) patch.outlines.push_back(i);
    }
    result.push_back(std::move(patch));
  }
  return result;
}

// The choice among outlines that touch, directly or through others: a search from one choice to better ones.
class Chooser {
 public:
  Chooser(const std::vector<Outline>& outlines, const PenLines& sums)
      : outlines_(outlines),
        count_(outlines.size()),
        patches_(make_patches(outlines, sums)),
        patches_of_(count_) {
    state_.chosen.assign(count_, false);
    state_.covered.assign(patches_.size(), 0);
    state_.uncovered.assign(count_, 0);
    state_.single.assign(count_, 0);
    for (std::size_t p = 0; p < patches_.size(); ++p) {
      for (const std::size_t i : patches_[p].outlines) {
        patches_of_[i].push_back(p);
        state_.uncovered[i] += patches_[p].evidence;
      }
    }
    for (std::size_t i = 0; i < count_; ++i) {
      const Outline& o = outlines[i];
      index_[key(o)] = i;
      state_.price.push_back(price_of_outline + (o.outer().width + o.outer().height) / price_of_length);
      price_beside_.emplace_back();
      for (std::size_t k = 0; k < count_; ++k)
        price_beside_[i].push_back(i == k ? 0 : price_of_both(o, outlines[k]));
    }
  }

  std::vector<bool> choose() {
    add_all_that_gain(none, none);
    bool better = true;
    while (better) {
      better = false;
      for (std::size_t i = 0; i < count_; ++i)
        better |= attempt([&] { state_.chosen[i] ? do_without(i, i) : do_with(i, none); });
      for (std::size_t i = 0; i < count_; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
          if (state_.chosen[i] && state_.chosen[k]) better |= exchange_sides(i, k);
        }
      }
      if (better || count_ > most_for_pairs) continue;
      for (std::size_t i = 0; i < count_; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
          if (state_.chosen[i] != state_.chosen[k] || !touch(outlines_[i], outlines_[k])) continue;
          better |= attempt([&] { state_.chosen[i] ? do_without(i, k) : do_with(i, k); });
        }
      }
    }
    return state_.chosen;
  }

 private:
  static constexpr std::size_t none = ~std::size_t(0), most_for_pairs = 200;

  // What is chosen, and for each outline what follows from that.
  struct State {
    std::vector<bool> chosen;
    std::vector<int> covered;    // by how many of the chosen, of each patch
    std::vector<int> uncovered;  // evidence in its patches that none of the chosen covers
    std::vector<int> single;     // evidence in its patches that one of the chosen covers
    std::vector<int> price;      // beside the chosen ones
    int worth = 0;
  };

  int gain_of_adding(std::size_t i) const { return state_.uncovered[i] - state_.price[i]; }
  int gain_of_removing(std::size_t i) const { return state_.price[i] - state_.single[i]; }

  void change(std::size_t i) {
    const bool add = !state_.chosen[i];
    state_.worth += add ? gain_of_adding(i) : gain_of_removing(i);
    state_.chosen[i] = add;
    for (const std::size_t p : patches_of_[i]) {
      const int before = state_.covered[p], after = before + (add ? 1 : -1);
      state_.covered[p] = after;
      if (std::min(before, after) > 1) continue;
      const int evidence = patches_[p].evidence;
      const int uncovered = int(after == 0) - int(before == 0), single = int(after == 1) - int(before == 1);
      for (const std::size_t k : patches_[p].outlines) {
        state_.uncovered[k] += uncovered * evidence;
        state_.single[k] += single * evidence;
      }
    }
    for (std::size_t k = 0; k < count_; ++k)
      state_.price[k] += add ? price_beside_[k][i] : -price_beside_[k][i];
  }

  // As long as one gains, the best first, but not `but_not`.
  void add_all_that_gain(std::size_t but_not, std::size_t nor) {
    change_all_that_gain(
        [&](std::size_t i) { return state_.chosen[i] || i == but_not || i == nor ? 0 : gain_of_adding(i); });
  }
  void remove_all_that_gain(std::size_t but_not, std::size_t nor) {
    change_all_that_gain([&](std::size_t i) {
      return !state_.chosen[i] || i == but_not || i == nor ? 0 : gain_of_removing(i);
    });
  }

  template <typename Gain>
  void change_all_that_gain(const Gain& gain_of) {
    while (true) {
      int best = 0;
      std::size_t which = none;
      for (std::size_t i = 0; i < count_; ++i) {
        const int gain = gain_of(i);
        if (gain <= best) continue;
        best = gain;
        which = i;
      }
      if (which == none) return;
      change(which);
    }
  }

  void do_without(std::size_t i, std::size_t k) {
    change(i);
    if (k != i) change(k);
    add_all_that_gain(i, k);
    remove_all_that_gain(none, none);
  }

  void do_with(std::size_t i, std::size_t and_with) {
    for (std::size_t k = 0; k < count_; ++k) {
      if (state_.chosen[k] && price_beside_[i][k] == never) change(k);
    }
    change(i);
    if (and_with != none) change(and_with);
    remove_all_that_gain(i, and_with);
    add_all_that_gain(none, none);
  }

  // Keeps what `step` does if the choice is then worth more.
  template <typename Step>
  bool attempt(const Step& step) {
    const State before = state_;
    step();
    if (state_.worth > before.worth) return true;
    state_ = before;
    return false;
  }

  using Key = std::array<int, 8>;
  static Key key(const Outline& o) {
    return {o.left.lo, o.left.hi, o.right.lo, o.right.hi, o.top.lo, o.top.hi, o.bottom.lo, o.bottom.hi};
  }

  // Two outlines that cross have the same ink as two others with some of their sides exchanged, but for
  // corners.
  bool exchange_sides(std::size_t i, std::size_t k) {
    for (int sides = 1; sides < 8; ++sides) {
      Outline a = outlines_[i], b = outlines_[k];
      if (sides & 1) std::swap(a.left, b.left);
      if (sides & 2) std::swap(a.right, b.right);
      if (sides & 4) std::swap(a.top, b.top);
      const auto first = index_.find(key(a)), second = index_.find(key(b));
      if (first == index_.end() || second == index_.end() || state_.chosen[first->second] ||
          state_.chosen[second->second])
        continue;
      const bool better = attempt([&] {
        for (const std::size_t each : {i, k, first->second, second->second}) change(each);
      });
      if (better) return true;
    }
    return false;
  }

  const std::vector<Outline>& outlines_;
  std::size_t count_;
  std::vector<Patch> patches_;
  std::vector<std::vector<std::size_t>> patches_of_;
  std::vector<std::vector<int>> price_beside_;
  std::map<Key, std::size_t> index_;
  State state_;
};

std::vector<std::vector<Outline>> groups_that_touch(const std::vector<Outline>& outlines) {
  std::vector<std::size_t> group(outlines.size());
  std::iota(group.begin(), group.end(), 0);
  const auto root = [&](std::size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (root(i) != root(k) && touch(outlines[i], outlines[k])) group[root(i)] = root(k);
    }
  }
  std::map<std::size_t, std::vector<Outline>> members;
  for (std::size_t i = 0; i < outlines.size(); ++i) members[root(i)].push_back(outlines[i]);
  std::vector<std::vector<Outline>> groups;
  for (auto& [unused, list] : members) groups.push_back(std::move(list));
  return groups;
}

}  // namespace

std::vector<Outline> best_cover(const std::vector<Outline>& possible, const PenLines& sums) {
  std::vector<Outline> result;
  for (std::vector<Outline>& group : groups_that_touch(possible)) {
    if (group.size() > most_in_group) throw Error("there are too many lines for a drawing of rectangles");
    const std::vector<bool> chosen = Chooser(group, sums).choose();
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (chosen[i]) result.push_back(group[i]);
    }
  }
  return result;
}

}  // namespace smearscope::corpus
