// celldetect on frames in CUDA memory, between GStreamer's own CUDA elements: on a GPU, and on an emulated
// one (emulated/).
#include <dlfcn.h>
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudamemory.h>
#include <gtest/gtest.h>

#include "cell_meta.h"
#include "detection/video_frame.h"
#include "element_harness.h"
#include "smearscope/detector.h"

namespace smearscope {
namespace {

using testing::BufferPointer;
using testing::Harness;
using testing::noise_frame;
using testing::raw_caps;
using testing::tiny_model_path;

// One for each way in which planes lie in memory.
const char* const formats[] = {"RGB", "BGRx", "NV12", "I420"};

std::string celldetect(const std::string& properties = "mode=every") {
  return "celldetect name=detect device=cuda score-threshold=0 model=" + tiny_model_path() + " " + properties;
}

std::string in_cuda(std::string caps) {
  return caps.insert(std::string("video/x-raw").size(), std::string("(") + SMEARSCOPE_CUDA_MEMORY + ")");
}

// Elements in a row.
class Chain {
 public:
  explicit Chain(const std::string& description) : harness_(gst_harness_new_parse(description.c_str())) {
    bus_ = gst_bus_new();
    gst_element_set_bus(harness_->element, bus_);
  }
  ~Chain() {
    gst_element_set_bus(harness_->element, nullptr);
    gst_object_unref(bus_);
    gst_harness_teardown(harness_);
  }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  BufferPointer run(const std::string& caps, BufferPointer buffer) {
    gst_harness_set_src_caps_str(harness_, caps.c_str());
    return BufferPointer(gst_harness_push_and_pull(harness_, buffer.release()));
  }
  GstFlowReturn push(const std::string& caps, BufferPointer buffer) {
    gst_harness_set_src_caps_str(harness_, caps.c_str());
    return gst_harness_push(harness_, buffer.release());
  }
  GstHarness* get() const { return harness_; }
  std::string error() const {
    GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ERROR);
    if (!message) return "";
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    std::string text = error->message;
    g_error_free(error);
    gst_message_unref(message);
    return text;
  }

 private:
  GstHarness* harness_;
  GstBus* bus_;
};

GstCudaMemory* cuda_memory(GstBuffer* buffer) {
  GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  return gst_is_cuda_memory(memory) ? reinterpret_cast<GstCudaMemory*>(memory) : nullptr;
}

// The context that celldetect names to its neighbours.
GstCudaContext* named_context(GstPad* neighbour) {
  GstQuery* query = gst_query_new_context(GST_CUDA_CONTEXT_TYPE);
  GstCudaContext* found = nullptr;
  if (gst_pad_peer_query(neighbour, query)) {
    GstContext* context = nullptr;
    gst_query_parse_context(query, &context);
    gst_structure_get(gst_context_get_structure(context), GST_CUDA_CONTEXT_TYPE, GST_TYPE_CUDA_CONTEXT,
                      &found, nullptr);
    if (found) gst_object_unref(found);  // celldetect keeps it
  }
  gst_query_unref(query);
  return found;
}

// A copy of the frame in memory of that context.
BufferPointer in_context(GstCudaContext* context, const std::string& host_caps, GstBuffer* frame) {
  EXPECT_TRUE(gst_cuda_load_library());
  gst_cuda_memory_init_once();  // as each of GStreamer's CUDA elements does
  const GstVideoInfo info = testing::video_info(host_caps);
  GstBufferPool* pool = gst_cuda_buffer_pool_new(context);
  GstStructure* config = gst_buffer_pool_get_config(pool);
  GstCaps* caps = gst_caps_from_string(in_cuda(host_caps).c_str());
  gst_buffer_pool_config_set_params(config, caps, static_cast<guint>(GST_VIDEO_INFO_SIZE(&info)), 0, 0);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  EXPECT_TRUE(gst_buffer_pool_set_config(pool, config));
  EXPECT_TRUE(gst_buffer_pool_set_active(pool, TRUE));
  GstBuffer* buffer = nullptr;
  EXPECT_EQ(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr), GST_FLOW_OK);
  GstVideoFrame from, to;
  EXPECT_TRUE(gst_video_frame_map(&from, &info, frame, GST_MAP_READ));
  EXPECT_TRUE(gst_video_frame_map(&to, &info, buffer, GST_MAP_WRITE));
  gst_video_frame_copy(&to, &from);
  gst_video_frame_unmap(&to);
  gst_video_frame_unmap(&from);
  gst_caps_unref(caps);
  gst_object_unref(pool);
  return BufferPointer(buffer);
}

// How often the emulated driver copied between contexts; `otherwise` on a GPU, which does not count.
unsigned copies_between_contexts(unsigned otherwise) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  const auto* copies =
      static_cast<unsigned*>(driver ? dlsym(driver, "emulated_copies_between_contexts") : nullptr);
  return copies ? *copies : otherwise;
}

void expect_same_cells(const std::vector<Cell>& cells, const std::vector<Cell>& expected) {
  ASSERT_EQ(cells.size(), expected.size());
  ASSERT_FALSE(cells.empty());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    EXPECT_EQ(cells[i].box.x_min, expected[i].box.x_min);
    EXPECT_EQ(cells[i].box.y_min, expected[i].box.y_min);
    EXPECT_EQ(cells[i].box.x_max, expected[i].box.x_max);
    EXPECT_EQ(cells[i].box.y_max, expected[i].box.y_max);
    EXPECT_EQ(cells[i].confidence, expected[i].confidence);
    EXPECT_EQ(cells[i].class_name, expected[i].class_name);
  }
}

class CudaMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why_not = why_no_cuda(0);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    GstElementFactory* factory = gst_element_factory_find("cudaupload");
    if (!factory) GTEST_SKIP() << "GStreamer's plugin nvcodec has no element cudaupload here";
    gst_object_unref(factory);
  }
};

// The same picture gives the same cells wherever it lies, in every format, at an odd size; and its pixels
// pass untouched, in the memory in which they came.
TEST_F(CudaMemory, GivesTheCellsOfHostMemory) {
  Harness on_host(celldetect());
  Chain chain(std::string("cudaupload ! video/x-raw(memory:CUDAMemory) ! ") + celldetect());
  for (const char* format : formats) {
    SCOPED_TRACE(format);
    const std::string caps = raw_caps(format, 65, 47);
    on_host.caps(caps);
    const BufferPointer expected = on_host.push_and_pull(noise_frame(caps, 5));
    const BufferPointer out = chain.run(caps, noise_frame(caps, 5));
    ASSERT_TRUE(out);
    EXPECT_TRUE(cuda_memory(out.get()));
    expect_same_cells(read_cells(out.get()), read_cells(expected.get()));
  }
}

// Elements before and after it that ask get the engine's context, so nothing is copied between contexts.
TEST_F(CudaMemory, NeighboursShareTheEnginesContext) {
  const unsigned copies = copies_between_contexts(0);
  Chain chain("cudaupload ! video/x-raw(memory:CUDAMemory) ! " + celldetect());
  const BufferPointer out = chain.run(raw_caps("NV12", 64, 48), noise_frame(raw_caps("NV12", 64, 48), 1));
  ASSERT_TRUE(out);
  ASSERT_TRUE(cuda_memory(out.get()));
  EXPECT_EQ(cuda_memory(out.get())->context, named_context(chain.get()->sinkpad));
  EXPECT_EQ(copies_between_contexts(0) - copies, 0U);
}

// A frame in memory of another context is found the same cells in, and goes on as it came.
TEST_F(CudaMemory, FrameOfAnotherContextIsCopied) {
  Harness on_host(celldetect()), on_device(celldetect());
  GstCudaContext* other = gst_cuda_context_new(0);
  ASSERT_TRUE(other);
  EXPECT_NE(gst_cuda_context_get_handle(other),
            gst_cuda_context_get_handle(named_context(on_device.get()->srcpad)));
  for (const char* format : formats) {
    SCOPED_TRACE(format);
    // Even: GStreamer 1.22 maps I420 of an odd height wrongly for the host, which writes it here.
    const std::string caps = raw_caps(format, 66, 48);
    on_host.caps(caps);
    const BufferPointer frame = noise_frame(caps, 7);
    const BufferPointer expected = on_host.push_and_pull(BufferPointer(gst_buffer_ref(frame.get())));
    on_device.caps(in_cuda(caps));
    const unsigned copies = copies_between_contexts(0);
    const BufferPointer out = on_device.push_and_pull(in_context(other, caps, frame.get()));
    ASSERT_TRUE(out);
    EXPECT_EQ(cuda_memory(out.get())->context, other);
    EXPECT_EQ(copies_between_contexts(1) - copies, 1U);
    expect_same_cells(read_cells(out.get()), read_cells(expected.get()));
  }
  gst_object_unref(other);
}

// Cells and their origin reach what reads them on the host after cudadownload.
TEST_F(CudaMemory, CellsSurviveTheDownload) {
  Harness on_host(celldetect());
  const std::string caps = raw_caps("I420", 64, 48);
  on_host.caps(caps);
  const BufferPointer expected = on_host.push_and_pull(noise_frame(caps, 3));
  Chain chain("cudaupload ! video/x-raw(memory:CUDAMemory) ! " + celldetect() +
              " ! cudadownload ! capsfilter caps=video/x-raw");
  BufferPointer frame = noise_frame(caps, 3);
  attach_stage(frame.get(), {100, 200, 0.5, 0.1});
  const BufferPointer out = chain.run(caps, std::move(frame));
  ASSERT_TRUE(out);
  EXPECT_FALSE(cuda_memory(out.get()));
  expect_same_cells(read_cells(out.get()), read_cells(expected.get()));
  EXPECT_EQ(read_origin(out.get())->model_digest, read_origin(expected.get())->model_digest);
  EXPECT_EQ(read_stage(out.get())->y_um, 200);
}

// A live source's frames in CUDA memory are each detected where the mode is automatic: the device keeps up.
TEST_F(CudaMemory, AutomaticModeDetectsEveryFrame) {
  Chain chain("cudaupload ! video/x-raw(memory:CUDAMemory) ! " + celldetect("mode=auto"));
  gst_harness_set_live(chain.get(), TRUE);
  for (int i = 0; i < 3; ++i) {
    const BufferPointer out = chain.run(raw_caps("RGB", 64, 48), noise_frame(raw_caps("RGB", 64, 48), i));
    ASSERT_TRUE(out);
    EXPECT_EQ(read_cells(out.get()).at(0).age, 0U);
  }
}

// Who copies a frame's metas one by one, its regions too, gets each cell once, whatever comes before them.
TEST_F(CudaMemory, CellsAreNotBroughtTwice) {
  Harness harness(celldetect());
  const std::string caps = raw_caps("BGRx", 64, 48);
  const BufferPointer frame = noise_frame(caps, 2);
  harness.caps(in_cuda(caps));
  const BufferPointer cuda = in_context(named_context(harness.get()->srcpad), caps, frame.get());
  attach_stage(cuda.get(), {100, 200, 0.5, 0.1});
  attach_cells(cuda.get(), {{{1, 2, 30, 40}, 0.5F, 1, "rbc", 0}, {{5, 2, 20, 30}, 0.25F, 0, "wbc", 0}});
  attach_origin(cuda.get(), {"digest", 0});
  const BufferPointer host(
      gst_buffer_copy_region(frame.get(), GST_BUFFER_COPY_MEMORY, 0, static_cast<gsize>(-1)));
  gst_buffer_copy_into(host.get(), cuda.get(), GST_BUFFER_COPY_META, 0, static_cast<gsize>(-1));
  EXPECT_EQ(read_cells(host.get()).size(), 2U);
  EXPECT_EQ(read_origin(host.get())->model_digest, "digest");
}

// Mode latest is refused before the first frame, in words that name the way out.
TEST_F(CudaMemory, LatestIsRefused) {
  Chain chain("cudaupload ! video/x-raw(memory:CUDAMemory) ! " + celldetect("mode=latest"));
  EXPECT_EQ(chain.push(raw_caps("RGB", 64, 48), noise_frame(raw_caps("RGB", 64, 48), 1)),
            GST_FLOW_NOT_NEGOTIATED);
  EXPECT_EQ(
      chain.error(),
      "frames come in CUDA memory, and can't be taken so (mode latest measures motion in host memory); put "
      "cudadownload before this element");
}

// Caps that say CUDA memory over a buffer of the host are an error: the device never gets the host's
// pointers.
TEST_F(CudaMemory, HostBufferUnderCudaCapsIsRefused) {
  Chain chain(celldetect());
  const std::string caps = raw_caps("RGB", 64, 48);
  EXPECT_EQ(chain.push(in_cuda(caps), noise_frame(caps, 1)), GST_FLOW_ERROR);
  EXPECT_EQ(chain.error(), "a buffer does not lie in CUDA memory, as its caps say");
}

// Memory may change in mid-stream, as everything in caps may.
TEST_F(CudaMemory, MemoryMayChangeInMidStream) {
  Harness harness(celldetect());
  const std::string caps = raw_caps("BGRx", 64, 48);
  const BufferPointer frame = noise_frame(caps, 2);
  harness.caps(caps);
  const BufferPointer first = harness.push_and_pull(BufferPointer(gst_buffer_ref(frame.get())));
  harness.caps(in_cuda(caps));
  const BufferPointer second =
      harness.push_and_pull(in_context(named_context(harness.get()->srcpad), caps, frame.get()));
  harness.caps(caps);
  const BufferPointer third = harness.push_and_pull(BufferPointer(gst_buffer_ref(frame.get())));
  ASSERT_TRUE(second);
  expect_same_cells(read_cells(second.get()), read_cells(first.get()));
  expect_same_cells(read_cells(third.get()), read_cells(first.get()));
}

}  // namespace
}  // namespace smearscope
