#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "smearscope/error.h"
#include "tools/detect/results.h"

namespace smearscope::detect {
namespace {

namespace fs = std::filesystem;

fs::path png_path(const std::string& folder, const std::string& name, bool keep_extension) {
  fs::path path = fs::path(folder) / name;
  return keep_extension ? fs::path(path.string() + ".png") : path.replace_extension(".png");
}

std::map<std::string, std::string> png_paths(const std::string& folder,
                                             const std::vector<ListedImage>& images) {
  std::map<std::string, int> uses;
  for (const ListedImage& image : images) ++uses[png_path(folder, image.name, false).string()];
  std::map<std::string, std::string> paths;
  for (const ListedImage& image : images) {
    const bool shared = uses[png_path(folder, image.name, false).string()] > 1;
    paths[image.name] = png_path(folder, image.name, shared).string();
  }
  return paths;
}

// Throws Error if an image of `images` lies where one of `paths` will be written.
void refuse_overwriting(const std::map<std::string, std::string>& paths,
                        const std::vector<ListedImage>& images) {
  std::set<fs::path> inputs;
  std::error_code ignored;
  for (const ListedImage& image : images) inputs.insert(fs::weakly_canonical(image.path, ignored));
  for (const auto& [name, path] : paths) {
    if (inputs.count(fs::weakly_canonical(path, ignored)) == 0) continue;
    throw Error(path + ": the annotated picture would overwrite an input; give --annotated another folder");
  }
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw Error(folder.string() + ": the folder can't be made" + (error ? ": " + error.message() : ""));
  }
}

}  // namespace

AnnotatedImages::AnnotatedImages(const std::string& folder, const std::vector<ListedImage>& images,
                                 std::vector<Category> categories)
    : categories_(std::move(categories)), path_of_(png_paths(folder, images)), overlay_(draw::Options{}) {
  refuse_overwriting(path_of_, images);
  make_folder(folder);
}

void AnnotatedImages::write(const ListedImage& image, const cv::Mat& pixels, const Detections& detections) {
  std::vector<std::uint64_t> counts(categories_.size());
  std::vector<draw::ShownCell> cells;
  for (const Detection& detection : detections) {
    const auto label = static_cast<std::size_t>(detection.label);
    ++counts.at(label);
    cells.push_back({detection.box, detection.score, detection.label, categories_[label].name, false,
                     categories_[label].weak});
  }
  draw::Panel panel{"Cells", {}};
  for (std::size_t label = 0; label < categories_.size(); ++label) {
    if (counts[label] > 0)
      panel.rows.push_back({categories_[label].name, static_cast<int>(label), counts[label], "", false,
                            categories_[label].weak});
  }
  cv::Mat picture;
  if (pixels.channels() == 1) {
    cv::cvtColor(pixels, picture, cv::COLOR_GRAY2BGR);
  } else {
    picture = pixels.clone();
  }
  painter_.paint(
      draw::bgr_canvas(picture.data, picture.cols, picture.rows, static_cast<std::ptrdiff_t>(picture.step)),
      overlay_.compose(picture.cols, picture.rows, cells, panel));

  const std::string& path = path_of_.at(image.name);
  std::vector<unsigned char> png;
  if (!cv::imencode(".png", picture, png)) throw Error(path + ": the picture can't be encoded as PNG");
  make_folder(fs::path(path).parent_path());
  OutputFile file(path);
  file.write({reinterpret_cast<const char*>(png.data()), png.size()});
  file.commit();
}

}  // namespace smearscope::detect
