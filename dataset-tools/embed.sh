#!/bin/sh
# embed.sh FILE.toml...: a C++ header with the files' texts, for corpus/taxonomy_file.cpp.
echo '#pragma once'
echo 'namespace smearscope::corpus {'
echo 'struct BuiltinTaxonomy {'
echo '  const char *name, *toml;'
echo '};'
echo 'inline constexpr BuiltinTaxonomy builtin_taxonomies[] = {'
for file; do
  printf '{"%s", R"~taxonomy~(' "$(basename "$file" .toml)"
  cat "$file"
  printf ')~taxonomy~"},\n'
done
echo '};'
echo '}  // namespace smearscope::corpus'
