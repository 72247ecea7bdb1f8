#include "build/build.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "build/stamp.h"
#include "corpus/folder.h"
#include "corpus/merge.h"
#include "corpus/standardise.h"
#include "corpus/taxonomy.h"
#include "duplicates/copies.h"
#include "readers/reader.h"
#include "readers/subtypes.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

class Builder {
 public:
  Builder(const BuildConfig& config, const BuildOptions& options)
      : config_(config), options_(options), steps_(options.output.string() + ".steps") {
    const fs::path beside_config = options.config_folder / config.taxonomy;
    taxonomy_name_ = fs::exists(beside_config) ? beside_config.string() : config.taxonomy;
  }

  StoredCorpus run() {
    check_inputs();
    check_output();
    fs::create_directories(steps_);
    std::string of_sources;
    for (const BuildConfig::Source& source : config_.sources) {
      const std::string stamp = stamp_of(source);
      of_sources += stamp;
      step("standardise-" + source.name, stamp,
           [&](const fs::path& folder) { standardise_source(source, folder); });
    }
    const std::string merged = stamp_of_text("merge\n" + of_sources);
    step("merge", merged, [&](const fs::path& folder) { merge_sources(folder); });
    const std::string finished = stamp_of_text("split\n" + merged + settings_of(config_.split));
    if (!is_stamped(stamp_file("corpus"), finished) || !fs::exists(options_.output)) {
      step("split", finished, split_merged());
      fs::remove_all(options_.output);
      // The stamp first: a corpus without one is taken for somebody else's.
      write_stamp(stamp_file("corpus"), finished);
      fs::rename(steps_ / "split", options_.output);
    } else {
      options_.tell("corpus: up to date");
    }
    return open_corpus(options_.output);
  }

 private:
  fs::path stamp_file(const std::string& name) const { return steps_ / (name + ".stamp"); }

  void check_inputs() const {
    for (const BuildConfig::Source& source : config_.sources) {
      const fs::path folder = options_.data / source.input;
      if (!fs::is_directory(folder)) {
        throw Error(
            folder.string() + ": no such folder for source '" + source.kind +
            "'; name the folder of all data sets with --data, or get this one with smearscope-corpus fetch " +
            source.kind);
      }
    }
  }

  void check_output() const {
    if (!fs::exists(stamp_file("corpus"))) check_is_new(options_.output);
  }

  void step(const std::string& name, const std::string& stamp,
            const std::function<void(const fs::path&)>& make) {
    const fs::path folder = steps_ / name;
    if (is_stamped(stamp_file(name), stamp) && fs::is_directory(folder)) {
      options_.tell(name + ": up to date");
      return;
    }
    options_.tell(name);
    fs::remove(stamp_file(name));
    fs::remove_all(folder);
    make(folder);
    write_stamp(stamp_file(name), stamp);
  }

  std::string stamp_of(const BuildConfig::Source& source) const {
    std::ostringstream settings;
    settings << "standardise\n" << source.kind << "\n" << config_.keep_general << "\n";
    if (config_.scaling.longest_side) settings << "longest side " << *config_.scaling.longest_side << "\n";
    if (config_.scaling.pixel_size_um) settings << "pixel size " << *config_.scaling.pixel_size_um << "\n";
    settings << text_of_taxonomy(taxonomy_name_) << "\n" << stamp_of_files(options_.data / source.input);
    if (!source.subtypes.empty()) settings << "\n" << sha256_of_file(options_.data / source.subtypes);
    return stamp_of_text(settings.str());
  }

  static std::string settings_of(const SplitOptions& split) {
    std::ostringstream text;
    text << split.val << " " << split.test << " " << split.seed << " " << split.keep_parts;
    return text.str();
  }

  void standardise_source(const BuildConfig::Source& source, const fs::path& folder) const {
    StandardiseOptions standard;
    standard.keep_general = config_.keep_general;
    standard.scaling = config_.scaling;
    standard.threads = options_.threads;
    const Reader& reader = find_reader(source.kind);
    DataSet set = reader.open(options_.data / source.input);
    if (!source.subtypes.empty()) refine_by_subtypes(set, options_.data / source.subtypes);
    standardise(set, reader.name, load_taxonomy(taxonomy_name_), folder, standard);
  }

  void merge_sources(const fs::path& folder) const {
    std::vector<StoredCorpus> corpora;
    for (const BuildConfig::Source& source : config_.sources)
      corpora.push_back(open_corpus(steps_ / ("standardise-" + source.name)));
    MergeOptions merging;
    merging.threads = options_.threads;
    write_corpus(folder, merge(std::move(corpora), merging).corpus, Transfer::link);
  }

  std::function<void(const fs::path&)> split_merged() const {
    return [this](const fs::path& folder) {
      StoredCorpus corpus = open_corpus(steps_ / "merge");
      // Merging has left out copies and put the same fields into groups.
      split(corpus, {}, config_.split);
      write_corpus(folder, corpus, Transfer::link);
    };
  }

  const BuildConfig& config_;
  const BuildOptions& options_;
  fs::path steps_;
  std::string taxonomy_name_;
};

}  // namespace

StoredCorpus build(const BuildConfig& config, const BuildOptions& options) {
  try {
    return Builder(config, options).run();
  } catch (const fs::filesystem_error& problem) {
    throw Error(options.output.string() + ": cannot build the corpus: " + problem.what());
  }
}

}  // namespace smearscope::corpus
