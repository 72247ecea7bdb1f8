#include "cell_meta.h"

#include <gst/video/gstvideometa.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>

namespace smearscope {
namespace {

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
};
using Buffer = std::unique_ptr<GstBuffer, Unref>;

Buffer new_buffer() {
  return Buffer(gst_buffer_new());
}

void expect_box(const Box& box, float x_min, float y_min, float x_max, float y_max) {
  EXPECT_FLOAT_EQ(box.x_min, x_min);
  EXPECT_FLOAT_EQ(box.y_min, y_min);
  EXPECT_FLOAT_EQ(box.x_max, x_max);
  EXPECT_FLOAT_EQ(box.y_max, y_max);
}

// What is attached comes back in order, with every field.
TEST(CellMeta, CellsComeBackAsAttached) {
  Buffer buffer = new_buffer();
  attach_cells(buffer.get(),
               {{{1.25F, 2.5F, 30.75F, 40}, 0.875, 2, "platelet", 3}, {{0, 0, 4, 4}, 0.5, 0, "wbc", 0}});
  const std::vector<Cell> cells = read_cells(buffer.get());
  ASSERT_EQ(cells.size(), 2U);
  expect_box(cells[0].box, 1.25F, 2.5F, 30.75F, 40);
  EXPECT_EQ(cells[0].confidence, 0.875);
  EXPECT_EQ(cells[0].label, 2);
  EXPECT_EQ(cells[0].class_name, "platelet");
  EXPECT_EQ(cells[0].age, 3U);
  EXPECT_EQ(cells[1].class_name, "wbc");
}

// Other elements see a plain region of interest: class name and box in whole pixels.
TEST(CellMeta, RegionIsTheRoundedBox) {
  Buffer buffer = new_buffer();
  attach_cells(buffer.get(), {{{1.25F, 2.5F, 30.75F, 40}, 0.9, 1, "rbc", 0}});
  const GstVideoRegionOfInterestMeta* region = gst_buffer_get_video_region_of_interest_meta(buffer.get());
  ASSERT_NE(region, nullptr);
  EXPECT_STREQ(g_quark_to_string(region->roi_type), "rbc");
  EXPECT_EQ(region->x, 1U);
  EXPECT_EQ(region->y, 3U);
  EXPECT_EQ(region->x + region->w, 31U);
  EXPECT_EQ(region->y + region->h, 40U);
}

// A box smaller than a pixel still has a region to draw.
TEST(CellMeta, RegionIsAtLeastOnePixel) {
  Buffer buffer = new_buffer();
  attach_cells(buffer.get(), {{{5.1F, 5.1F, 5.2F, 5.2F}, 0.9, 1, "rbc", 0}});
  EXPECT_EQ(gst_buffer_get_video_region_of_interest_meta(buffer.get())->w, 1U);
}

// videoscale moves the region and leaves the params; the reader must not return the old pixels.
TEST(CellMeta, ScaledFrameGivesBoxesInItsOwnPixels) {
  Buffer buffer = new_buffer();
  attach_cells(buffer.get(), {{{10.25F, 20.25F, 30.25F, 40.25F}, 0.9, 1, "rbc", 0}});
  GstVideoRegionOfInterestMeta* region = gst_buffer_get_video_region_of_interest_meta(buffer.get());
  region->x = 5, region->y = 10, region->w = 10, region->h = 10;
  expect_box(read_cells(buffer.get()).at(0).box, 5, 10, 15, 20);
}

// Copies (tee, make_writable) keep the cells.
TEST(CellMeta, CopiedBufferKeepsCellsTruthAndStage) {
  Buffer buffer = new_buffer();
  attach_cells(buffer.get(), {{{1, 2, 3, 4}, 0.9, 1, "rbc", 7}});
  attach_true_cells(buffer.get(), {{{1, 2, 3, 4}, 1, "rbc", 42, 10.5, 20.5, 0.5}});
  attach_stage(buffer.get(), {100.5, 200.25, -1.5, 0.1});
  Buffer copy(gst_buffer_copy(buffer.get()));
  EXPECT_EQ(read_cells(copy.get()).at(0).age, 7U);
  EXPECT_EQ(read_true_cells(copy.get()).at(0).identity, 42U);
  ASSERT_TRUE(read_stage(copy.get()).has_value());
  EXPECT_EQ(read_stage(copy.get())->focus_um, -1.5);
}

// Detections and ground truth live on one buffer and are not mixed up; removal takes detections alone.
TEST(CellMeta, RemovingCellsLeavesOtherRegions) {
  Buffer buffer = new_buffer();
  attach_true_cells(buffer.get(), {{{1, 2, 3, 4}, 1, "rbc", 42, 10.5, 20.5, 0.5}});
  attach_cells(buffer.get(), {{{5, 6, 7, 8}, 0.9, 0, "wbc", 0}, {{6, 6, 7, 8}, 0.8, 0, "wbc", 0}});
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "face", 0, 0, 2, 2);
  EXPECT_EQ(read_cells(buffer.get()).size(), 2U);
  remove_cells(buffer.get());
  EXPECT_TRUE(read_cells(buffer.get()).empty());
  const std::vector<TrueCell> truth = read_true_cells(buffer.get());
  ASSERT_EQ(truth.size(), 1U);
  expect_box(truth[0].box, 1, 2, 3, 4);
  EXPECT_EQ(truth[0].label, 1);
  EXPECT_EQ(truth[0].class_name, "rbc");
  EXPECT_EQ(truth[0].slide_x_um, 10.5);
  EXPECT_EQ(truth[0].slide_y_um, 20.5);
  EXPECT_EQ(truth[0].visible, 0.5);
  EXPECT_EQ(gst_buffer_get_n_meta(buffer.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 2U);
}

// Which model looked is told for a frame without cells too, and is kept by copies.
TEST(CellMeta, OriginIsAbsentUnlessAttached) {
  Buffer buffer = new_buffer();
  EXPECT_FALSE(read_origin(buffer.get()).has_value());
  attach_origin(buffer.get(), {"c0ffee", 3, 0.125, 0.3});
  const Buffer copy(gst_buffer_copy(buffer.get()));
  ASSERT_TRUE(read_origin(copy.get()).has_value());
  EXPECT_EQ(read_origin(copy.get())->model_digest, "c0ffee");
  EXPECT_EQ(read_origin(copy.get())->age, 3U);
  EXPECT_EQ(read_origin(copy.get())->least_red_cell, 0.125);
  EXPECT_EQ(read_origin(copy.get())->largest_red_cell, 0.3);
}

// What celltally gives a cell comes back too.
TEST(CellMeta, FamilyAndIdentityComeBack) {
  Buffer buffer = new_buffer();
  Cell cell{{1, 1, 5, 5}, 0.9, 3, "segmented_neutrophil", 0, "wbc"};
  cell.identity = 0x100000001;
  attach_cells(buffer.get(), {cell});
  EXPECT_EQ(read_cells(buffer.get()).at(0).family, "wbc");
  EXPECT_EQ(read_cells(buffer.get()).at(0).identity, 0x100000001U);
}

// Counts are kept by copies.
TEST(CellMeta, TallyIsAbsentUnlessAttached) {
  Buffer buffer = new_buffer();
  EXPECT_FALSE(read_tally(buffer.get()).has_value());
  Tally tally;
  tally.rows = {{"wbc", "wbc", 0, 3}, {"", "\xC3\xA9", -1, (guint64{1} << 53U) - 3}};
  tally.detections = 7;
  tally.out_of_focus = 2;
  tally.unplaced = 9;
  tally.parts = 4;
  tally.target = 100;
  tally.target_class = "wbc";
  tally.target_count = 3;
  tally.view = View::too_dark;
  tally.frame_view = View::out_of_focus;
  tally.renames = {{7, "wbc"}, {guint64{1} << 40U, ""}};
  tally.pixel_size_um = 0.07;
  tally.calibrated = true;
  tally.rows[0].grade = "2+";
  tally.rows[0].weak = true;
  tally.platelet_estimate = 250;
  attach_tally(buffer.get(), tally);
  const Buffer copy(gst_buffer_copy(buffer.get()));
  const std::optional<Tally> read = read_tally(copy.get());
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->rows.size(), 2U);
  EXPECT_EQ(read->rows[0].class_name, "wbc");
  EXPECT_EQ(read->rows[1].family, "\xC3\xA9");
  EXPECT_EQ(read->rows[1].label, -1);
  EXPECT_EQ(read->rows[1].count, (guint64{1} << 53U) - 3);
  EXPECT_EQ(read->detections, 7U);
  EXPECT_EQ(read->out_of_focus, 2U);
  EXPECT_EQ(read->unplaced, 9U);
  EXPECT_EQ(read->parts, 4U);
  EXPECT_EQ(read->target, 100U);
  EXPECT_EQ(read->target_class, "wbc");
  EXPECT_EQ(read->view, View::too_dark);
  EXPECT_EQ(read->frame_view, View::out_of_focus);
  ASSERT_EQ(read->renames.size(), 2U);
  EXPECT_EQ(read->renames[0].counted_as, "wbc");
  EXPECT_EQ(read->renames[1].identity, guint64{1} << 40U);
  EXPECT_EQ(read->pixel_size_um, 0.07);
  EXPECT_TRUE(read->calibrated);
  EXPECT_EQ(read->target_count, 3U);
  EXPECT_EQ(read->rows[0].grade, "2+");
  EXPECT_EQ(read->rows[1].grade, "");
  EXPECT_TRUE(read->rows[0].weak);
  EXPECT_FALSE(read->rows[1].weak);
  EXPECT_EQ(read->platelet_estimate, 250);
  tally.platelet_estimate.reset();
  attach_tally(buffer.get(), tally);
  EXPECT_FALSE(read_tally(buffer.get())->platelet_estimate.has_value());
}

// An estimate that nothing can have told is none.
TEST(CellMeta, AnEstimateThatIsNoNumberIsNotRead) {
  for (const double forged : {-1.0, std::nan(""), HUGE_VAL}) {
    const Buffer buffer(gst_buffer_new());
    Tally tally;
    tally.platelet_estimate = forged;
    attach_tally(buffer.get(), tally);
    ASSERT_TRUE(read_tally(buffer.get()).has_value());
    EXPECT_FALSE(read_tally(buffer.get())->platelet_estimate.has_value()) << forged;
  }
}

// What is the same is not told again; where and when it was counted is no news.
TEST(CellMeta, TalliesThatTellTheSame) {
  Tally tally;
  tally.rows = {{"rbc", "rbc", 1, 5}};
  const auto same_after = [&](const std::function<void(Tally&)>& change) {
    Tally changed = tally;
    change(changed);
    return is_same(tally, changed);
  };
  EXPECT_TRUE(same_after([](Tally&) {}));
  EXPECT_TRUE(same_after([](Tally& t) { t.detections = t.out_of_focus = 9; }));
  EXPECT_TRUE(same_after([](Tally& t) { t.frame_view = View::too_dark; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.view = View::too_dark; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.target = 1; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.target_class = "rbc"; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.target_count = 1; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.parts = 1; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.platelet_estimate = 0; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.rows[0].class_name = "wbc"; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.rows[0].family = "wbc"; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.rows[0].count = 6; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.rows[0].grade = "2+"; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.rows[0].weak = true; }));
  EXPECT_FALSE(same_after([](Tally& t) { t.rows.push_back(t.rows[0]); }));
}

// A column of another type or length, in a structure that is else complete.
TEST(CellMeta, ATallyWithABadColumnIsNotRead) {
  Tally tally;
  tally.rows = {{"rbc", "rbc", 1, 5}, {"wbc", "wbc", 0, 1}};
  for (const char* column : {"classes", "families", "labels", "counts", "grades", "weak"}) {
    for (const char* forged : {"(string)<a>", "(int)<1,2,3>", "(int)1", "(double)<1.0,2.0>"}) {
      GstStructure* structure = gst_structure_new_empty("t");
      set_tally(structure, tally);
      EXPECT_TRUE(get_tally(structure).has_value());
      GstStructure* other = gst_structure_from_string((std::string("t, a=") + forged).c_str(), nullptr);
      gst_structure_set_value(structure, column, gst_structure_get_value(other, "a"));
      EXPECT_FALSE(get_tally(structure).has_value()) << column << " " << forged;
      gst_structure_free(other);
      gst_structure_free(structure);
    }
  }
}

// Anyone may have attached a structure of that name.
TEST(CellMeta, ATallyThatIsNoneIsNotRead) {
  for (const char* text :
       {"t", "t, classes=(string)<a, b>, counts=(guint64)<1>",
        "t, classes=(string)<a>, families=(string)<a>, labels=(int)<0>, counts=(int)<1>",
        "t, classes=(int)<1>, families=(string)<a>, labels=(int)<0>, counts=(guint64)<1>",
        "t, classes=(string)<a>, families=(string)<a>, labels=(int)<0>, counts=(guint64)<1>",
        "t, classes=(string)a, families=(string)a, labels=(int)0, counts=(guint64)1"}) {
    GstStructure* structure = gst_structure_from_string(text, nullptr);
    ASSERT_NE(structure, nullptr) << text;
    EXPECT_FALSE(get_tally(structure).has_value()) << text;
    gst_structure_free(structure);
  }
}

// Nor is one that no slide has: more rows than there are names, more cells than can be summed up.
TEST(CellMeta, ATallyBeyondBoundsIsNotRead) {
  const auto is_read = [](const std::vector<Tally::Row>& rows) {
    Buffer buffer = new_buffer();
    Tally tally;
    tally.rows = rows;
    attach_tally(buffer.get(), tally);
    return read_tally(buffer.get()).has_value();
  };
  EXPECT_FALSE(is_read({{"wbc", "wbc", 0, guint64{1} << 63U}, {"k", "wbc", 1, 0}}));
  EXPECT_FALSE(is_read({{"wbc", "wbc", 0, G_MAXUINT64}, {"k", "wbc", 1, 2}}));
  EXPECT_TRUE(is_read(std::vector<Tally::Row>(256, {"k", "wbc", 1, 2})));
  EXPECT_FALSE(is_read(std::vector<Tally::Row>(257, {"k", "wbc", 1, 2})));
}

// A tally takes the place of one that is there, and identities come into the cells' regions as these are.
TEST(CellMeta, TallyAndIdentitiesReplaceOlderOnes) {
  Buffer buffer = new_buffer();
  attach_cells(buffer.get(), {{{1, 1, 5, 5}, 0.9, 1, "rbc", 0}, {{2, 2, 6, 6}, 0.9, 1, "rbc", 0}});
  gpointer state = nullptr;
  auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(
      gst_buffer_iterate_meta_filtered(buffer.get(), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
  region->id = 77;
  gst_video_region_of_interest_meta_add_param(region, gst_structure_new_empty("classification"));
  for (const guint64 count : {5U, 6U}) {
    Tally tally;
    tally.rows = {{"rbc", "rbc", 1, count}};
    attach_tally(buffer.get(), tally);
    EXPECT_EQ(read_tally(buffer.get())->rows.at(0).count, count);
  }
  std::vector<Cell> cells = read_cells(buffer.get());
  cells[0].identity = 3;
  cells[0].counted_as = "wbc";
  cells[1].identity = 4;
  const Buffer copy(gst_buffer_copy(buffer.get()));
  set_identities(copy.get(), cells);
  EXPECT_EQ(read_cells(copy.get()).at(0).identity, 3U);
  EXPECT_EQ(read_cells(copy.get()).at(0).counted_as, "wbc");
  EXPECT_EQ(read_cells(copy.get()).at(1).counted_as, "");
  EXPECT_EQ(read_cells(copy.get()).at(1).identity, 4U);
  EXPECT_EQ(read_cells(buffer.get()).at(0).identity, 0U) << "the copy's alone";
  EXPECT_EQ(region->id, 77);
  EXPECT_NE(gst_video_region_of_interest_meta_get_param(region, "classification"), nullptr);
  cells.pop_back();
  set_identities(copy.get(), cells);
}

// A buffer without stage information says so.
TEST(CellMeta, StageIsAbsentUnlessAttached) {
  Buffer buffer = new_buffer();
  EXPECT_FALSE(read_stage(buffer.get()).has_value());
  attach_stage(buffer.get(), {100.5, 200.25, -1.5, 0.1});
  const std::optional<StageState> stage = read_stage(buffer.get());
  ASSERT_TRUE(stage.has_value());
  EXPECT_EQ(stage->x_um, 100.5);
  EXPECT_EQ(stage->y_um, 200.25);
  EXPECT_EQ(stage->pixel_size_um, 0.1);
}

}  // namespace
}  // namespace smearscope
