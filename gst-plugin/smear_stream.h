// What smeartestsrc's streaming thread works with from start to stop: frame numbers and times, the
// microscope, the corpus. Knows buffers, but no element.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <vector>

#include "smear/corpus_writer.h"
#include "smear/microscope.h"
#include "smear/stage.h"
#include "smear_properties.h"

namespace smearscope::smear {

// One thread at a time.
class SmearStream {
 public:
  // Throws std::runtime_error if there is to be a corpus and it can't be begun.
  explicit SmearStream(const TestSrcProperties& properties);
  ~SmearStream();
  SmearStream(const SmearStream&) = delete;
  SmearStream& operator=(const SmearStream&) = delete;

  // Frames are of this kind from now on. Throws std::exception if they can't be made (memory).
  void set_format(const GstVideoInfo& info);
  bool has_format() const { return microscope_ != nullptr; }
  const GstVideoInfo& info() const { return info_; }

  // The next frame. Without a frame rate there is one picture, frame 0, and no durations.
  guint64 frame() const { return frame_; }
  bool has_rate() const { return info_.fps_n > 0; }
  GstClockTime time_of(guint64 frame) const;
  GstClockTime frame_time() const;  // 0 without a frame rate
  void skip(guint64 frames) { frame_ += frames; }
  void seek(GstClockTime time);

  // Renders the next frame, attaches the truth and the timestamps, counts on. Throws std::runtime_error if
  // the corpus can't be written; it is then removed.
  void fill(GstBuffer* buffer, double focus_um);

  // Completes the corpus, if there is one; frames after that are not in it. Throws std::runtime_error.
  void finish_corpus();

 private:
  View next_view() const;
  void render(GstBuffer* buffer, const View& view, const std::vector<SeenCell>& cells);

  struct ConverterDeleter {
    void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
  };

  TestSrcProperties properties_;
  StageSettings stage_;
  std::unique_ptr<Microscope> microscope_;
  std::unique_ptr<CorpusWriter> corpus_;

  GstVideoInfo info_;         // of the caps
  GstVideoInfo rgb_info_;     // of what the microscope renders
  GstBuffer* rgb_ = nullptr;  // scratch, where the caps are not RGB
  std::unique_ptr<GstVideoConverter, ConverterDeleter> converter_;

  guint64 frame_ = 0;
  guint64 rate_frame_ = 0;      // frame at which the present frame rate began
  GstClockTime rate_time_ = 0;  // time of that frame
};

}  // namespace smearscope::smear
