#pragma once

#include <stdexcept>

namespace smearscope {

// Every failure of the library's public functions. what() is one line for a person: what is wrong, where, and what
// to do about it. The library throws no other type on bad input.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace smearscope
