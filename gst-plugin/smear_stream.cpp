#include "smear_stream.h"

#include <new>
#include <stdexcept>

#include "cell_meta.h"

namespace smearscope::smear {
namespace {

using MappedFrame = std::unique_ptr<GstVideoFrame, void (*)(GstVideoFrame*)>;

MappedFrame map_frame(GstVideoFrame* frame, const GstVideoInfo* info, GstBuffer* buffer) {
  if (!gst_video_frame_map(frame, info, buffer, GST_MAP_READWRITE))
    throw std::runtime_error("Can't map a frame.");
  return MappedFrame(frame, gst_video_frame_unmap);
}

void attach_truth(GstBuffer* buffer, const std::vector<SeenCell>& cells, const View& view, double pixel_um) {
  std::vector<TrueCell> truth;
  truth.reserve(cells.size());
  for (const SeenCell& cell : cells) {
    TrueCell known;
    known.box = {static_cast<float>(cell.x_min), static_cast<float>(cell.y_min),
                 static_cast<float>(cell.x_max), static_cast<float>(cell.y_max)};
    known.label = static_cast<int>(cell.cell_class);
    known.class_name = name_of(cell.cell_class);
    known.identity = cell.identity;
    known.slide_x_um = cell.slide_x_um;
    known.slide_y_um = cell.slide_y_um;
    known.visible = cell.visible;
    truth.push_back(known);
  }
  attach_true_cells(buffer, truth);
  attach_stage(buffer, {view.x_um, view.y_um, view.focus_um, pixel_um});
}

}  // namespace

SmearStream::SmearStream(const TestSrcProperties& properties) : properties_(properties) {
  gst_video_info_init(&info_);
  gst_video_info_init(&rgb_info_);
  if (!properties.corpus.folder.empty()) corpus_ = std::make_unique<CorpusWriter>(properties.corpus);
}

SmearStream::~SmearStream() {
  gst_clear_buffer(&rgb_);
}

void SmearStream::set_format(const GstVideoInfo& info) {
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  if (!microscope_ || width != GST_VIDEO_INFO_WIDTH(&info_) || height != GST_VIDEO_INFO_HEIGHT(&info_)) {
    MicroscopeSettings settings = properties_.microscope;
    settings.width = width;
    settings.height = height;
    stage_ = properties_.stage;
    stage_.field_width_um = width * settings.pixel_um;
    stage_.field_height_um = height * settings.pixel_um;
    microscope_ = std::make_unique<Microscope>(settings);
    gst_clear_buffer(&rgb_);
  }
  // The converter wants both sides alike in all but the format.
  gst_video_info_set_format(&rgb_info_, GST_VIDEO_FORMAT_RGB, width, height);
  rgb_info_.fps_n = info.fps_n;
  rgb_info_.fps_d = info.fps_d;
  rgb_info_.par_n = info.par_n;
  rgb_info_.par_d = info.par_d;
  converter_.reset();
  if (GST_VIDEO_INFO_FORMAT(&info) != GST_VIDEO_FORMAT_RGB) {
    if (!rgb_) rgb_ = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&rgb_info_), nullptr);
    converter_.reset(gst_video_converter_new(&rgb_info_, &info, nullptr));
    if (!rgb_ || !converter_) throw std::bad_alloc();
  }
  rate_time_ = time_of(frame_);  // a new frame rate counts from here
  rate_frame_ = frame_;
  info_ = info;
  microscope_->prepare(next_view());  // before the clock runs, so that a live stream's first frame is in time
}

GstClockTime SmearStream::time_of(guint64 frame) const {
  if (!has_rate()) return rate_time_;
  return rate_time_ + gst_util_uint64_scale(frame - rate_frame_, GST_SECOND * info_.fps_d, info_.fps_n);
}

GstClockTime SmearStream::frame_time() const {
  return has_rate() ? gst_util_uint64_scale(GST_SECOND, info_.fps_d, info_.fps_n) : 0;
}

void SmearStream::seek(GstClockTime time) {
  rate_frame_ = 0;
  rate_time_ = 0;
  frame_ = has_rate() ? gst_util_uint64_scale(time, info_.fps_n, GST_SECOND * info_.fps_d) : 0;
}

void SmearStream::render(GstBuffer* buffer, const View& view, const std::vector<SeenCell>& cells) {
  GstVideoFrame out, rgb;
  const MappedFrame out_mapped = map_frame(&out, &info_, buffer);
  const MappedFrame rgb_mapped =
      converter_ ? map_frame(&rgb, &rgb_info_, rgb_) : MappedFrame(nullptr, gst_video_frame_unmap);
  const GstVideoFrame* picture = converter_ ? &rgb : &out;
  auto* pixels = static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(picture, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(picture, 0);
  microscope_->render(view, pixels, stride);
  if (converter_) gst_video_converter_frame(converter_.get(), &rgb, &out);
  if (corpus_) {
    corpus_->add(pixels, GST_VIDEO_FRAME_WIDTH(&out), GST_VIDEO_FRAME_HEIGHT(&out), stride, cells, view,
                 properties_.microscope.pixel_um, properties_.microscope.slide.seed);
  }
}

View SmearStream::next_view() const {
  const StagePosition stage = stage_at(stage_, static_cast<double>(time_of(frame_)) / GST_SECOND);
  return {stage.x_um, stage.y_um, stage.focus_um, frame_};
}

void SmearStream::fill(GstBuffer* buffer, double focus_um) {
  const GstClockTime time = time_of(frame_);
  stage_.focus_um = focus_um;
  const View view = next_view();
  std::vector<SeenCell> cells;
  if (properties_.ground_truth || corpus_) cells = microscope_->cells(view);
  try {
    render(buffer, view, cells);
  } catch (...) {
    corpus_.reset();
    throw;
  }
  // Only now, for a mapped buffer can't take metadata.
  if (properties_.ground_truth) attach_truth(buffer, cells, view, properties_.microscope.pixel_um);

  GST_BUFFER_PTS(buffer) = time;
  GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
  GST_BUFFER_DURATION(buffer) = has_rate() ? time_of(frame_ + 1) - time : GST_CLOCK_TIME_NONE;
  GST_BUFFER_OFFSET(buffer) = frame_;
  GST_BUFFER_OFFSET_END(buffer) = frame_ + 1;
  ++frame_;
}

void SmearStream::finish_corpus() {
  if (const auto corpus = std::move(corpus_)) corpus->finish();
}

}  // namespace smearscope::smear
