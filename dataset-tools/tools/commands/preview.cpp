#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <opencv2/imgcodecs.hpp>

#include "corpus/folder.h"
#include "corpus/progress.h"
#include "model/file_writer.h"
#include "report/samples.h"
#include "tools/commands.h"

namespace smearscope::corpus {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> sources_of(const StoredCorpus& corpus) {
  std::vector<std::string> names;
  for (const Image& image : corpus.images) {
    if (std::find(names.begin(), names.end(), image.source) == names.end()) names.push_back(image.source);
  }
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

SampleFilter filter_of(const Arguments& arguments, const StoredCorpus& corpus) {
  SampleFilter filter;
  filter.source = arguments.optional("source", "");
  const std::vector<std::string> sources = sources_of(corpus), classes = class_names(corpus);
  if (!filter.source.empty() && std::find(sources.begin(), sources.end(), filter.source) == sources.end()) {
    throw Error("--source " + filter.source + ": not in this corpus; it has " + joined(sources));
  }
  if (arguments.has("class")) {
    const auto found = std::find(classes.begin(), classes.end(), arguments.required("class"));
    if (found == classes.end()) {
      throw Error("--class " + arguments.required("class") + ": not in this corpus; it has " +
                  joined(classes));
    }
    filter.category = static_cast<int>(found - classes.begin());
  }
  return filter;
}

// As many of each source as there are, up to an equal share of what is still wanted.
std::vector<Image> chosen_images(const StoredCorpus& corpus, SampleFilter filter, std::size_t count) {
  const bool of_one = !filter.source.empty();
  const std::vector<std::string> sources =
      of_one ? std::vector<std::string>{filter.source} : sources_of(corpus);
  std::vector<Image> chosen;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    filter.source = sources[i];
    const std::size_t share = (count - chosen.size()) / (sources.size() - i);
    for (const std::size_t index : sample_images(corpus, filter, share))
      chosen.push_back(corpus.images[index]);
  }
  return chosen;
}

void write_sheet(const fs::path& file, const cv::Mat& sheet) {
  std::vector<unsigned char> bytes;
  cv::imencode(".png", sheet, bytes);
  replace_file(file.string(), {{bytes.data(), bytes.size()}});
}

std::size_t sheets_for(std::size_t images) {
  return (images + images_per_sheet - 1) / images_per_sheet;
}

void write_sheets(const fs::path& output, const std::vector<Image>& images, const std::vector<Class>& classes,
                  const SampleFilter& filter) {
  NewFolder folder(output);
  Progress progress("drawing sheets", sheets_for(images.size()));
  for (std::size_t sheet = 0; sheet < sheets_for(images.size()); ++sheet) {
    char name[32];
    std::snprintf(name, sizeof name, "sheet-%04zu.png", sheet + 1);
    write_sheet(folder.file(name), contact_sheet(images, sheet * images_per_sheet, classes, filter));
    progress.step();
  }
  folder.finish();
}

}  // namespace

int run_preview(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    throw Error("preview takes one corpus folder; see smearscope-corpus preview --help");
  }
  const fs::path output = arguments.required("output");
  check_is_new(output);
  const StoredCorpus corpus = open_corpus(arguments.positional().front());
  const SampleFilter filter = filter_of(arguments, corpus);
  const auto count = static_cast<std::size_t>(arguments.integer("count", 1, 100000).value_or(36));
  const std::vector<Image> images = chosen_images(corpus, filter, count);
  if (images.empty()) throw Error("no image of that source has a box of that class");
  write_sheets(output, images, corpus.classes, filter);
  const std::size_t sheets = sheets_for(images.size());
  std::cout << images.size() << " images on " << sheets << (sheets == 1 ? " sheet" : " sheets") << " in "
            << output.string() << "\n";
  return done;
}

}  // namespace smearscope::corpus
