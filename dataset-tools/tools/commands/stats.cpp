#include <iostream>

#include "corpus/folder.h"
#include "model/file_writer.h"
#include "report/html_report.h"
#include "report/json_report.h"
#include "report/tables.h"
#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

void write_report(const std::string& file, const std::string& text) {
  replace_file(file, {{text.data(), text.size()}});
}

std::string name_of(const std::string& folder) {
  const std::filesystem::path full = std::filesystem::canonical(folder);
  return full.filename().string();
}

}  // namespace

int run_stats(const Arguments& arguments) {
  if (arguments.positional().size() != 1)
    throw Error("stats takes one corpus folder; see smearscope-corpus stats --help");
  const std::string& folder = arguments.positional().front();
  const StoredCorpus corpus = open_corpus(folder);
  const Statistics statistics = statistics_of(corpus);
  std::cout << plain_text(sources_table(statistics)) << "\n"
            << plain_text(classes_table(statistics)) << "\n"
            << plain_text(origins_table(statistics)) << "\n"
            << plain_text(pixel_sizes_table(statistics));
  const Table changes = changes_table(statistics);
  if (!changes.rows.empty()) std::cout << "\n" << plain_text(changes);
  if (arguments.has("json")) write_report(arguments.required("json"), json_report(statistics));
  if (arguments.has("html")) {
    write_report(arguments.required("html"),
                 html_report({name_of(folder), digest_of(corpus)}, corpus, statistics));
  }
  return done;
}

}  // namespace smearscope::corpus
