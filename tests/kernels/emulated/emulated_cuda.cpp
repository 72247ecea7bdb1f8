#include "ops/device.h"
// The line above comes first: emulated_cuda.h needs its names.
#include "emulated_cuda.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <exception>
#include <numeric>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

// Set by the linker: where all variables marked __shared__ lie. Weak, for programs whose kernels have none.
extern char __start_emulated_shared[] __attribute__((weak));  // NOLINT(bugprone-reserved-identifier)
extern char __stop_emulated_shared[] __attribute__((weak));   // NOLINT(bugprone-reserved-identifier)

namespace smearscope::ops::emulated {

ThreadOrder thread_order = ThreadOrder::rising;
dim3 thread_index, block_index, block_size, grid_size;

namespace {

constexpr std::size_t stack_bytes = 32 * 1024;

struct Fibre {
  ucontext_t context{};  // where it starts
  jmp_buf place{};       // where it goes on
  std::vector<char> stack = std::vector<char>(stack_bytes);
  bool started = false, ended = false;
};

std::vector<Fibre> fibres;  // kept between kernels
Fibre* running = nullptr;

// Runs `running` until its next barrier or its end. swapcontext would do, but makes two system calls each
// time; only AddressSanitizer, which takes longjmp for an error here, needs it.
#if defined(__SANITIZE_ADDRESS__)
ucontext_t scheduler_context;
void resume() {
  swapcontext(&scheduler_context, &running->context);
}
void suspend() {
  swapcontext(&running->context, &scheduler_context);
}
#else
jmp_buf scheduler;
void resume() {
  if (_setjmp(scheduler) != 0) return;
  if (running->started) _longjmp(running->place, 1);
  running->started = true;
  setcontext(&running->context);
}
void suspend() {
  if (_setjmp(running->place) == 0) _longjmp(scheduler, 1);
}
#endif

const std::function<void()>* running_kernel = nullptr;
std::exception_ptr failure;

void fibre_main() {
  try {
    (*running_kernel)();
  } catch (...) {
    failure = std::current_exception();
  }
  running->ended = true;
  suspend();
}

std::vector<unsigned> order_of(unsigned threads) {
  std::vector<unsigned> order(threads);
  std::iota(order.begin(), order.end(), 0U);
  static std::mt19937 random(1);
  if (thread_order == ThreadOrder::falling) std::reverse(order.begin(), order.end());
  if (thread_order == ThreadOrder::shuffled) std::shuffle(order.begin(), order.end(), random);
  return order;
}

void start(Fibre& fibre) {
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = fibre.stack.data();
  fibre.context.uc_stack.ss_size = fibre.stack.size();
  fibre.context.uc_link = nullptr;
  fibre.started = fibre.ended = false;
  makecontext(&fibre.context, fibre_main, 0);
}

void run_block(unsigned threads) {
  if (__start_emulated_shared) std::fill(__start_emulated_shared, __stop_emulated_shared, '\xCD');
  for (unsigned i = 0; i < threads; ++i) start(fibres[i]);
  for (unsigned ended = 0; ended < threads;) {
    ended = 0;
    for (const unsigned i : order_of(threads)) {
      running = &fibres[i];
      thread_index = dim3(i, 0, 0);
      resume();
      if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
      ended += running->ended ? 1 : 0;
    }
    if (ended != 0 && ended != threads)
      throw std::logic_error("a barrier that not all threads of the block reach");
  }
}

}  // namespace

void barrier() {
  suspend();
}

void run(dim3 grid, unsigned threads, const std::function<void()>& kernel) {
  if (threads < 1 || threads > 1024 || grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 ||
      grid.z > 65535)
    throw std::logic_error("a grid or block that no GPU takes");
  if (fibres.size() < threads) fibres.resize(threads);
  running_kernel = &kernel;
  block_size = dim3(threads, 1, 1);
  grid_size = grid;
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        block_index = dim3(x, y, z);
        run_block(threads);
      }
}

}  // namespace smearscope::ops::emulated
