// What becomes of a gallery's cells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "corpus/folder.h"
#include "corpus/groups.h"
#include "corpus/standardise.h"
#include "gallery_files.h"
#include "readers/reader.h"

namespace smearscope::corpus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::write_text;

class GalleryTest : public testing::GalleryFiles {
 protected:
  Corpus standardised(const std::string& taxonomy = "paper") {
    const std::string output = folder_.file("corpus-" + std::to_string(++corpora_));
    standardise(find_reader("gallery").open(root()), "gallery", load_taxonomy(taxonomy), output, {});
    return read_corpus(output);
  }
  int corpora_ = 0;
};

TEST_F(GalleryTest, AConfirmedPictureIsACellOfItsFrameWithTheBoxOfTheTable) {
  table({row(17, "000003.png", "lymphocyte", 1)});
  confirm("lymphocyte/000017.png");
  frame("000003.png");
  const Corpus corpus = read();
  EXPECT_THAT(corpus.left_out, IsEmpty());
  ASSERT_EQ(corpus.images.size(), 1U);
  const Image& image = corpus.images[0];
  EXPECT_EQ(image.file, "000003.png");
  EXPECT_EQ(image.source, "gallery");
  EXPECT_EQ(image.source_file, "smear 7/frames/000003.png");
  EXPECT_THAT(image.changes, IsEmpty());
  ASSERT_EQ(image.annotations.size(), 1U);
  EXPECT_EQ(image.annotations[0].label, "lymphocyte");
  EXPECT_EQ(image.annotations[0].origin, BoxOrigin::labelled);
  EXPECT_TRUE(is_box_of(image.annotations[0].box, 1));
}

TEST_F(GalleryTest, FramesWithoutConfirmedCellsAreNotInTheCorpus) {
  table({row(1, "a.png", "rbc", 0), row(2, "b.png", "rbc", 0), row(3, "c.png", "rbc", 0)});
  for (const char* name : {"a.png", "b.png", "c.png", "d.png"}) frame(name);
  confirm("rbc/000002.png");
  confirm("no_cell/000003.png");
  const Corpus corpus = read();
  EXPECT_THAT(corpus.left_out, IsEmpty());
  ASSERT_EQ(corpus.images.size(), 2U);
  EXPECT_EQ(corpus.images[0].file, "b.png");
  EXPECT_EQ(corpus.images[1].file, "c.png") << "what is no cell is confirmed, too";
}

TEST_F(GalleryTest, CellsOfOneFrameMayBeAnywhereInTheTable) {
  table({row(5, "b.png", "rbc", 0), row(2, "a.png", "rbc", 1), row(3, "b.png", "rbc", 2),
         row(4, "a.png", "rbc", 3), row(1, "c.png", "rbc", 4), row(6, "b.png", "rbc", 5)});
  for (const char* name : {"a.png", "b.png", "c.png"}) frame(name);
  for (const char* picture : {"1.png", "2.png", "3.png", "4.png", "5.png", "6.png"})
    confirm(std::string("rbc/") + picture);
  const Corpus corpus = read();
  ASSERT_EQ(corpus.images.size(), 3U);
  EXPECT_EQ(corpus.images[0].annotations.size(), 2U);
  EXPECT_EQ(corpus.images[1].annotations.size(), 3U);
  EXPECT_EQ(corpus.images[2].annotations.size(), 1U);
}

TEST_F(GalleryTest, FramesOfOneGalleryAreOneGroup) {
  table({row(1, "a.png", "rbc", 0), row(2, "b.png", "rbc", 0)});
  frame("a.png"), frame("b.png");
  confirm("rbc/1.png"), confirm("rbc/2.png");
  Corpus corpus = standardised();
  ASSERT_EQ(corpus.images.size(), 2U);
  EXPECT_EQ(corpus.images[0].group, "smear 7");
  EXPECT_THAT(together_with(corpus.images, {}), ElementsAre(0U, 0U)) << "split keeps them together";
}

TEST_F(GalleryTest, TheGalleryMayLieOneFolderDownAndHasTheSameNameThen) {
  table({row(1, "a.png", "rbc", 0)});
  frame("a.png");
  confirm("rbc/1.png");
  const Corpus corpus = read_all(find_reader("gallery").open(root().parent_path()));
  EXPECT_EQ(corpus.images.at(0).group, "smear 7");
}

TEST_F(GalleryTest, CellsThatAreNotConfirmedAndWhateverLooksLikeOneAreIgnored) {
  table({row(1, "a.png", "rbc", 0), row(2, "a.png", "rbc", 1), row(3, "a.png", "rbc", 2)});
  frame("a.png");
  confirm("rbc/000001.png");
  write_text(root() / "found/rbc/000002.png", "");  // 3 is gone, and 4 has no picture
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  EXPECT_EQ(image.annotations.size(), 1U);
  EXPECT_FALSE(is_ignored(image, 0));
  EXPECT_TRUE(is_ignored(image, 1));
  EXPECT_TRUE(is_ignored(image, 2));
  EXPECT_TRUE(is_ignored(image, 3));
  EXPECT_EQ(image.ignore_regions.size(), cells - 1);
  EXPECT_TRUE(image.regions_complete);
}

TEST_F(GalleryTest, WhatIsNoCellHasNoBoxAndIsNotIgnoredThoughItLooksLikeOne) {
  table({row(1, "a.png", "platelet", 0), row(2, "a.png", "rbc", 1)});
  frame("a.png");
  confirm("no_cell/000001.png");
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  EXPECT_THAT(image.annotations, IsEmpty());
  EXPECT_FALSE(is_ignored(image, 0));
  EXPECT_TRUE(is_ignored(image, 1));
  EXPECT_EQ(told(), "class corrected: cell 1: found as platelet, is no cell\n");
}

TEST_F(GalleryTest, NoClassIsExhaustiveWhateverTheTaxonomySays) {
  table({row(1, "a.png", "rbc", 0)});
  frame("a.png");
  confirm("rbc/000001.png");
  write_text(
      folder_.file("own.toml"),
      "[[class]]\nname = \"rbc\"\n[[class]]\nname = \"wbc\"\n[source.gallery]\nexhaustive = [\"wbc\"]\n");
  write_text(folder_.file("other.toml"), "[[class]]\nname = \"rbc\"\n[[class]]\nname = \"wbc\"\n");
  for (const std::string& taxonomy :
       {std::string("cells"), std::string("paper"), folder_.file("own.toml"), folder_.file("other.toml")}) {
    const Corpus corpus = standardised(taxonomy);
    const Image& image = corpus.images.at(0);
    EXPECT_EQ(image.annotations.size(), 1U) << taxonomy;
    EXPECT_THAT(image.absent, IsEmpty()) << taxonomy;
    EXPECT_EQ(image.not_exhaustive.size(), corpus.classes.size()) << taxonomy;
  }
}

TEST_F(GalleryTest, ACellThatIsConfirmedAsAnotherClassIsCorrected) {
  table({row(1, "a.png", "lymphocyte", 0), row(2, "a.png", "monocyte", 1), row(3, "a.png", "", 2)});
  frame("a.png");
  confirm("monocyte/000001.png"), confirm("monocyte/000002.png"), confirm("monocyte/000003.png");
  EXPECT_THAT(labels(), ElementsAre("monocyte", "monocyte", "monocyte"));
  EXPECT_EQ(told(),
            "class corrected: cell 1: found as lymphocyte, is monocyte\n"
            "class corrected: cell 3: found as not counted, is monocyte\n");
}

TEST_F(GalleryTest, AClassInItsFolderIsNotCorrected) {
  table({row(1, "a.png", "target cell", 0), row(2, "a.png", "\"a/ \"\"b\"\" ü\"", 1),
         row(3, "a.png", ".RBC", 2), row(4, "a.png", "no_cell", 3), row(5, "a.png", "50% or so", 4)});
  frame("a.png");
  confirm("Target cell/1.png"), confirm("a%2F \"b\" ü/2.png"), confirm("%2Erbc/3.png");
  confirm("%6Eo_cell/4.png");
  confirm("50% or so/5.png");  // made by hand
  EXPECT_THAT(labels(), ElementsAre("target cell", "a/ \"b\" ü", ".RBC", "no_cell", "50% or so"));
  EXPECT_EQ(told(), "");
}

TEST_F(GalleryTest, ACorrectedCellIsCalledAsTheFolderSays) {
  table({row(1, "a.png", "rbc", 0), row(2, "a.png", "rbc", 1), row(3, "a.png", "rbc", 2)});
  frame("a.png");
  confirm("tear drop/1.png"), confirm("a%2Fb/2.png"), confirm("100%/3.png");
  EXPECT_THAT(labels(), ElementsAre("tear drop", "a/b", "100%"));
}

TEST_F(GalleryTest, ClassesThatTheTaxonomyDoesNotKnowAreIgnoredAndReported) {
  table({row(1, "a.png", "rbc", 0), row(2, "a.png", "rbc", 1)});
  frame("a.png");
  confirm("unicorn/000001.png"), confirm("RBC/000002.png");
  const Corpus corpus = standardised();
  const Image& image = corpus.images.at(0);
  ASSERT_EQ(image.annotations.size(), 1U);
  EXPECT_EQ(corpus.classes[std::size_t(image.annotations[0].category)].name, "rbc");
  EXPECT_TRUE(is_ignored(image, 0));
  ASSERT_EQ(image.changes.size(), 2U);
  EXPECT_EQ(image.changes[1].rule, rules::label_unknown);
  EXPECT_THAT(image.changes[1].detail, HasSubstr("'unicorn'"));
}

TEST_F(GalleryTest, EveryClassOfTheTaxonomyPaperIsOneOfTheTaxonomyCells) {
  const Taxonomy paper = load_taxonomy("paper"), cells = load_taxonomy("cells");
  for (const Class& c : paper.classes) {
    Image image;
    image.annotations = {{{0, 0, 1, 1}, -1, c.name}};
    classify(image, cells, "gallery", {}, false);
    EXPECT_EQ(image.annotations.size(), 1U) << c.name;
  }
}

TEST_F(GalleryTest, APixelIsAsLargeAsTheMedianOfTheFrameSaysAndIsElseEstimated) {
  table({row(1, "a.png", "rbc", 0, "0"), row(2, "a.png", "rbc", 1, "0.07"), row(3, "a.png", "rbc", 2, "0.08"),
         row(4, "a.png", "rbc", 3, "0.5"), row(8, "a.png", "rbc", 4, "0"), row(5, "b.png", "rbc", 0, "0"),
         row(6, "b.png", "rbc", 1, "0"), row(7, "b.png", "rbc", 2, "0")});
  frame("a.png"), frame("b.png");
  confirm("rbc/1.png"), confirm("rbc/5.png"), confirm("rbc/6.png"), confirm("rbc/7.png");
  EXPECT_EQ(read().images.at(0).pixel_size_um, 0.08);
  EXPECT_EQ(read().images.at(1).pixel_size_um, 0);
  EXPECT_NEAR(standardised().images.at(1).pixel_size_um, 7.5 / (2 * radius), 0.01);
}

TEST_F(GalleryTest, ACellInTwoFoldersIsBelievedInNeither) {
  table({row(1, "a.png", "lymphocyte", 0), row(2, "a.png", "rbc", 1), row(3, "a.png", "rbc", 2)});
  frame("a.png");
  confirm("lymphocyte/000001.png"), confirm("monocyte/1.png");
  confirm("rbc/000002.png"), confirm("rbc/2.PNG");
  confirm("rbc/3.png"), confirm("no_cell/3.png");
  const Corpus corpus = read();
  const Image& image = corpus.images.at(0);
  EXPECT_THAT(labels(), ElementsAre("rbc")) << "of which there are two pictures in one folder";
  EXPECT_TRUE(is_ignored(image, 0));
  EXPECT_TRUE(is_ignored(image, 2)) << "a cell and none";
  EXPECT_EQ(told(),
            "labels contradict: cell 1: is in lymphocyte and in monocyte\n"
            "labels contradict: cell 3: is in no_cell and in rbc\n");
}

}  // namespace
}  // namespace smearscope::corpus
