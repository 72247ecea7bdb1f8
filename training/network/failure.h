// What LibTorch throws, as a line for the user.
#pragma once

#include <exception>
#include <string>

namespace smearscope::training {

// Without the stack that LibTorch's errors carry after their first line.
std::string first_line(const std::exception& problem);

// Host's or GPU's: std::bad_alloc, and what LibTorch's allocators throw, whose type is c10::Error like that
// of everything else.
bool is_out_of_memory(const std::exception& problem);

}  // namespace smearscope::training
