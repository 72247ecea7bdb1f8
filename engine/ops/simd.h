// Compiles a function twice, for AVX2 with FMA and for the baseline processor; the loader picks one. For
// inner loops that the compiler vectorises. Intrinsics are not needed anywhere in ops/.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define SMEARSCOPE_VECTORISED __attribute__((target_clones("arch=haswell", "default")))
#else
#define SMEARSCOPE_VECTORISED
#endif
