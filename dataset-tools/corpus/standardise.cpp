#include "corpus/standardise.h"

#include <fstream>
#include <optional>

#include "corpus/folder.h"
#include "corpus/parallel.h"
#include "corpus/progress.h"

namespace smearscope::corpus {
namespace {

// Not an Error: it's not the image's fault, and there is no going on.
struct CannotWrite : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) throw CannotWrite(path.string() + ": cannot write the file (is the disk full?)");
}

}  // namespace

Corpus standardise(const DataSet& set, const std::string& kind, const Taxonomy& taxonomy,
                   const std::filesystem::path& output, const StandardiseOptions& options) {
  NewCorpus fresh(output);
  Corpus corpus;
  corpus.classes = options.keep_general ? taxonomy.classes : classes_without_general(taxonomy);
  corpus.left_out = set.left_out;

  std::vector<std::optional<Image>> images(set.images.size());
  std::vector<std::string> problems(set.images.size());
  Progress progress("reading " + kind, images.size());
  parallel_for(images.size(), options.threads, [&](std::size_t i) {
    try {
      ImageFile file(set.images[i].path);
      Image image = read_labelled(set, i, file);
      classify(image, taxonomy, kind, set.classes, set.gives_completeness);
      if (!options.keep_general) drop_general(image, taxonomy);
      const std::filesystem::path copy = fresh.image_path(image.file);
      write_bytes(copy, file.bytes());
      images[i] = std::move(image);
    } catch (const Error& problem) {
      problems[i] = problem.what();
    }
    progress.step();
  });
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Image& listed = set.images[i];
    if (images[i]) {
      corpus.images.push_back(std::move(*images[i]));
    } else {
      corpus.left_out.push_back(
          {listed.source, listed.source_file, "", {rules::file_unreadable, problems[i]}});
    }
  }
  fresh.finish(corpus);
  return corpus;
}

}  // namespace smearscope::corpus
