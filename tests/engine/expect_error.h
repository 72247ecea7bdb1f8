// What a call complains about.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "smearscope/error.h"

namespace smearscope::testing {

// Fails the test unless `call` throws an Error that is one line and holds `part`.
template <typename Call>
void expect_error(Call call, const std::string& part) {
  try {
    call();
    ADD_FAILURE() << "no error, but one about \"" << part << "\" was due";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

}  // namespace smearscope::testing
