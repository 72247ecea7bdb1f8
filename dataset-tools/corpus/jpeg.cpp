#include "corpus/jpeg.h"

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it

#include <jpeglib.h>

#include <jerror.h>

#include <cstring>
#include <string>

namespace smearscope::corpus {
namespace {

constexpr int most_scans = 200;        // usual are up to 12; each goes over the whole picture
constexpr int most_extraneous = 1024;  // bytes; a few there are in files of careless programs

// libjpeg is C: its errors jump, over functions of ours that hold nothing to be destroyed.
struct Handler {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

void fail(j_common_ptr info) {
  auto* handler = reinterpret_cast<Handler*>(info->err);
  handler->base.format_message(info, handler->message);
  std::longjmp(handler->jump, 1);
}

// Warnings, where level is negative: those that say that pixels are missing or wrong are errors here.
void judge(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      return fail(info);
    case JWRN_EXTRANEOUS_DATA:
      if (info->err->msg_parm.i[0] > most_extraneous) fail(info);
      return;
    default:
      return;
  }
}

void limit_scans(j_common_ptr info) {
  auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
  if (decompress->input_scan_number <= most_scans) return;
  auto* handler = reinterpret_cast<Handler*>(info->err);
  std::strcpy(handler->message, "more scans than any picture needs");
  std::longjmp(handler->jump, 1);
}

class Decoder {
 public:
  Decoder() {
    info_.err = jpeg_std_error(&handler_.base);
    handler_.base.error_exit = fail;
    handler_.base.emit_message = judge;
    handler_.message[0] = '\0';
    progress_.progress_monitor = limit_scans;
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Both return false on an error, which message() tells.
  bool start(const unsigned char* bytes, unsigned long size) {
    if (setjmp(handler_.jump)) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, bytes, size);
    jpeg_read_header(&info_, TRUE);
    if (!has_usual_colours()) return true;
    info_.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info_);
    return true;
  }
  bool read_rows(unsigned char* pixels, std::size_t stride) {
    if (setjmp(handler_.jump)) return false;
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + info_.output_scanline * stride;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }
  bool has_usual_colours() const {
    return info_.jpeg_color_space == JCS_GRAYSCALE || info_.jpeg_color_space == JCS_YCbCr ||
           info_.jpeg_color_space == JCS_RGB;
  }
  int width() const { return static_cast<int>(info_.output_width); }
  int height() const { return static_cast<int>(info_.output_height); }
  const char* message() const { return handler_.message; }

 private:
  Handler handler_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct info_{};
};

}  // namespace

cv::Mat decode_jpeg(std::string_view bytes) {
  Decoder decoder;
  const auto broken = [&] { return Error(std::string("the JPEG file is broken: ") + decoder.message()); };
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (!decoder.start(data, static_cast<unsigned long>(bytes.size()))) throw broken();
  if (!decoder.has_usual_colours()) return {};
  cv::Mat rgb(decoder.height(), decoder.width(), CV_8UC3);
  if (!decoder.read_rows(rgb.data, rgb.step)) throw broken();
  return rgb;
}

}  // namespace smearscope::corpus
