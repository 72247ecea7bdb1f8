// Pickles: what PyTorch writes is read; everything else is one clear line.
#include "import/pickle.h"

#include <gtest/gtest.h>

#include "checkpoint_bytes.h"
#include "expect_error.h"

namespace smearscope::checkpoint {
namespace {

using testing::expect_error;
using testing::little_endian;
using testing::PickleWriter;

void expect_refused(const std::string& pickle, const std::string& part) {
  expect_error([&] { read_pickle(pickle); }, part);
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Pickle, NumbersAndTextsHaveTheirValues) {
  const auto number = [](const std::string& code) {
    const std::string bytes = PickleWriter().raw(code).end();
    const Pickle pickle = read_pickle(bytes);
    return pickle[pickle.root].number;
  };
  EXPECT_EQ(number("K\xff"), 255);
  EXPECT_EQ(number("M\x01\x80"), 0x8001);
  EXPECT_EQ(number("J\xfb\xff\xff\xff"), -5);
  EXPECT_EQ(number(std::string("\x8a\x00", 2)), 0);
  EXPECT_EQ(number("\x8a\x01\xff"), -1);
  EXPECT_EQ(number(std::string("\x8a\x02\xff\x00", 4)), 255);
  EXPECT_EQ(number("\x8a\x08" + little_endian(0x8000000000000000U, 8)), INT64_MIN);
  EXPECT_EQ(number("\x8b" + little_endian(2, 4) + "\x34\x12"), 0x1234);
  EXPECT_EQ(number("\x88"), 1);
  const std::string real = PickleWriter().raw("G\x40\x09\x21\xfb\x54\x44\x2d\x18").end();
  EXPECT_EQ(read_pickle(real).values.at(0).kind, Kind::real);
  for (const std::string& text : {PickleWriter().text("cell").end(),
                                  PickleWriter()
                                      .raw("U\x04"
                                           "cell")
                                      .end(),
                                  PickleWriter()
                                      .raw("\x8c\x04"
                                           "cell")
                                      .end(),
                                  PickleWriter()
                                      .raw("C\x04"
                                           "cell")
                                      .end()}) {
    const Pickle read = read_pickle(text);
    EXPECT_EQ(read[read.root].text, "cell");
    EXPECT_EQ(read.bytes, text.size());
  }
  const std::string large = PickleWriter()
                                .raw(
                                    "\x8a\x0a"
                                    "0123456789")
                                .end();
  EXPECT_EQ(read_pickle(large).values.back().kind, Kind::large);
}

TEST(Pickle, ContainersHoldTheirItemsInOrder) {
  const std::string bytes = PickleWriter()
                                .raw("}(")
                                .text("a")
                                .raw(
                                    "]q\x01(K\x01K\x02"
                                    "e")  // list [1, 2], remembered
                                .text("b")
                                .raw("h\x01")
                                .raw("u")
                                .text("c")
                                .raw("K\x01\x85s")
                                .end();
  const Pickle pickle = read_pickle(bytes);
  const Value& root = pickle[pickle.root];
  ASSERT_EQ(root.kind, Kind::dict);
  ASSERT_EQ(root.items.size(), 6U);
  EXPECT_EQ(pickle.find(root, "a"), pickle.find(root, "b"));
  EXPECT_EQ(pickle.find(root, "a")->items.size(), 2U);
  EXPECT_EQ(pickle.find(root, "c")->kind, Kind::tuple);
  EXPECT_EQ(pickle.find(root, "d"), nullptr);
  EXPECT_EQ(pickle.find(*pickle.find(root, "a"), "d"), nullptr);
  const std::string twice = PickleWriter().raw("}(").text("a").raw("N").text("a").raw("Nu").end();
  const Pickle doubled = read_pickle(twice);
  expect_error([&] { doubled.find(doubled[doubled.root], "a"); }, "'a' comes twice");
}

TEST(Pickle, AnOrderedDictMayHaveAttributesOrComeFromPairs) {
  const std::string metadata = PickleWriter()
                                   .name("collections", "OrderedDict")
                                   .raw(")R")
                                   .text("w")
                                   .raw("K\x07s}")
                                   .text("_metadata")
                                   .raw("}sb")
                                   .end();
  const Pickle read = read_pickle(metadata);
  EXPECT_EQ(read.find(read[read.root], "w")->number, 7);
  const std::string pairs = PickleWriter()
                                .name("collections", "OrderedDict")
                                .raw("](](")
                                .text("w")
                                .raw(
                                    "K\x07"
                                    "ee\x85R")
                                .end();
  const Pickle old = read_pickle(pairs);
  EXPECT_EQ(old.find(old[old.root], "w")->number, 7);
}

TEST(Pickle, TensorsAreViewsOfStorages) {
  const std::string bytes = PickleWriter().tensor("5", "HalfStorage", 12, 1, {2, 3}, {1, 4}).end();
  const Pickle pickle = read_pickle(bytes);
  ASSERT_EQ(pickle[pickle.root].kind, Kind::tensor);
  const Tensor& tensor = pickle.tensors.at(0);
  EXPECT_EQ(tensor.storage.key, "5");
  EXPECT_EQ(tensor.storage.count, 12U);
  EXPECT_STREQ(tensor.storage.element->name, "float16");
  EXPECT_EQ(tensor.offset, 1U);
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor.strides, (std::vector<std::int64_t>{1, 4}));
}

TEST(Pickle, ParametersAreTensors) {
  const auto tensor = [] { return PickleWriter().tensor("0", "FloatStorage", 4, 0, {4}, {1}).end(); };
  const std::string inner = tensor().substr(2, tensor().size() - 3);
  const std::string hooks = "ccollections\nOrderedDict\n)R";
  const std::string legacy_tensor = PickleWriter()
                                        .name("torch", "FloatTensor")
                                        .raw(")\x81(")
                                        .storage("0", "FloatStorage", 4)
                                        .whole(0)
                                        .tuple({4})
                                        .tuple({1})
                                        .raw("tb")
                                        .end();
  for (const std::string& bytes :
       {PickleWriter()
            .name("torch._utils", "_rebuild_parameter")
            .raw("(" + inner + "\x88" + hooks + "tR")
            .end(),
        PickleWriter().name("torch.nn.parameter", "Parameter").raw("(" + inner + "\x88t\x81").end(),
        // as PyTorch 0.3 wrote them: an empty one, then (tensor, gradient, hooks, requires_grad, volatile)
        PickleWriter()
            .name("torch.nn.parameter", "Parameter")
            .raw(")\x81(" + inner + "N" + hooks + "\x88\x89tb")
            .end(),
        legacy_tensor}) {
    const Pickle pickle = read_pickle(bytes);
    ASSERT_EQ(pickle[pickle.root].kind, Kind::tensor);
    const Tensor& read = pickle.tensors.at(static_cast<std::size_t>(pickle[pickle.root].number));
    EXPECT_TRUE(read.defined);
    EXPECT_EQ(read.shape, (std::vector<std::int64_t>{4}));
  }
}

// Options, scores and random states of training programs don't keep their weights from being read.
TEST(Pickle, ObjectsOfNoUseAreIgnored) {
  const std::string bytes = PickleWriter()
                                .raw("}(")
                                .text("args")
                                .name("argparse", "Namespace")
                                .raw(")\x81}")
                                .text("lr")
                                .raw("K\x01sb")
                                .text("best")
                                .name("numpy.core.multiarray", "scalar")
                                .name("numpy", "dtype")
                                .text("f8")
                                .raw("\x89\x88\x87R(K\x03tb")
                                .name("_codecs", "encode")
                                .text("x")
                                .text("latin1")
                                .raw("\x86R\x86R")
                                .text("seen")
                                .raw("\x8f(K\x01\x90")
                                .text("counts")
                                .name("collections", "defaultdict")
                                .name("__builtin__", "int")
                                .raw("\x85RK\x01K\x02s")
                                .text("shape")
                                .name("torch", "Size")
                                .raw("K\x04\x85\x85R")
                                .text("dtype")
                                .name("torch", "float32")
                                .raw("u")
                                .end();
  const Pickle pickle = read_pickle(bytes);
  EXPECT_EQ(pickle.find(pickle[pickle.root], "args")->kind, Kind::ignored);
  EXPECT_EQ(pickle.find(pickle[pickle.root], "best")->kind, Kind::ignored);
  EXPECT_EQ(pickle.find(pickle[pickle.root], "shape")->kind, Kind::tuple);
}

TEST(Pickle, WhatIsNotDataIsRefusedByItsName) {
  const std::pair<const char*, const char*> names[] = {{"os", "system"},
                                                       {"posix", "system"},
                                                       {"nt", "system"},
                                                       {"builtins", "eval"},
                                                       {"builtins", "exec"},
                                                       {"__builtin__", "getattr"},
                                                       {"builtins", "__import__"},
                                                       {"subprocess", "Popen"},
                                                       {"operator", "attrgetter"},
                                                       {"functools", "partial"},
                                                       {"pickle", "loads"},
                                                       {"torch", "load"},
                                                       {"torch.hub", "load"},
                                                       {"runpy", "run_path"},
                                                       {"shutil", "rmtree"},
                                                       {"webbrowser", "open"},
                                                       {"socket", "socket"},
                                                       {"importlib", "import_module"},
                                                       {"torch.storage", "_load_from_bytes"},
                                                       {"torch.jit", "load"},
                                                       {"torchvision.models.resnet", "ResNet"},
                                                       {"collections", "OrderedDict.update"},
                                                       {"numpy", "load"},
                                                       {"numpy.f2py", "diagnose"},
                                                       {"copyreg", "_reconstructor"},
                                                       {"", ""},
                                                       {"collections.OrderedDict", ""}};
  for (const auto& [module, name] : names) {
    const std::string line = "'" + std::string(module) + "." + name + "' is not data: refused";
    expect_refused(PickleWriter().name(module, name).text("echo").raw("\x85R").end(), line);
    expect_refused(PickleWriter().text(module).text(name).raw("\x93)R").end(), line);
    expect_refused(
        PickleWriter().raw("(").text("echo").raw("i" + std::string(module) + "\n" + name + "\n").end(), line);
    expect_refused(PickleWriter().raw("}").text("a").name(module, name).raw(")\x81s").end(), line);
  }
  expect_refused(PickleWriter().name(std::string(100000, 'a'), "b").end(), "...' is not data");
  expect_refused(PickleWriter().name("os\x1b[31m", "system").end(), "'os\\x1b[31m.system' is not data");
}

TEST(Pickle, CallsThatMakeNoDataAreRefused) {
  const std::string hooks = "ccollections\nOrderedDict\n";
  expect_refused(PickleWriter().text("os.system").text("echo").raw("\x85R").end(),
                 "call of something that is no name");
  expect_refused(PickleWriter().raw(hooks + ")R)R").end(), "call of something that is no name");
  expect_refused(PickleWriter().raw(hooks + "]R").end(), "arguments are no tuple");
  expect_refused(PickleWriter().raw(hooks + "K\x01\x85R").end(), "no list");
  expect_refused(PickleWriter().raw(hooks + ")}").text("a").raw("K\x01s\x92").end(), "call with keywords");
  expect_refused(PickleWriter().name("torch", "FloatStorage").raw(")R").end(), "class of a storage");
  expect_refused(PickleWriter().name("torch", "FloatTensor").raw("K\x01\x85R").end(), "no storage");
  expect_refused(PickleWriter().name("torch.nn.parameter", "Parameter").raw("K\x01\x85\x81").end(),
                 "no tensor");
  expect_refused(PickleWriter().raw("K\x01}b").end(), "a state for something that has none");
  expect_refused(PickleWriter().name("torch", "FloatTensor").raw(")R}b").end(), "without its numbers");
  expect_refused(PickleWriter()
                     .raw("K\x01K\x02"
                          "a")
                     .end(),
                 "items are added");
  expect_refused(PickleWriter().raw("K\x01K\x01K\x02s").end(), "items are added");
  expect_refused(PickleWriter().raw("}(K\x01u").end(), "key without its value");
  expect_refused(PickleWriter()
                     .raw("(K\x01"
                          "d")
                     .end(),
                 "key without its value");
}

TEST(Pickle, InstructionsThatPyTorchNeverWritesAreRefused) {
  for (const char* code : {"I1\n", "L1L\n", "F1.0\n", "S'a'\n", "Va\n", "Pid\n", "g0\n", "p0\n", "o",
                           "\x82\x01", "\x83", "\x97", "\xff", "x"}) {
    const std::string bytes = PickleWriter().raw("(").raw(code).end();
    expect_refused(bytes, "PyTorch never writes");
  }
  expect_refused(PickleWriter().raw("(icollections\nOrderedDict\n").end(), "PyTorch never writes");
  expect_refused("\x80\x06N.", "protocol above 5");
}

TEST(Pickle, AStackThatRunsEmptyIsRefused) {
  for (const char* code :
       {"",     "0",    "1",    "2",    "t",     "e",   "u",   "a",       "s",    "R",     "b",  "Q", "\x81",
        "\x85", "\x87", "\x93", "\x94", "q\x01", "(0a", "N(s", "N(q\x01", "]N(R", "h\x01", "NN", "(N"}) {
    EXPECT_THROW(read_pickle(PickleWriter().raw(code).end()), Error) << code;
  }
}

TEST(Pickle, LengthsBeyondTheEndAreRefused) {
  for (const std::string& code :
       {std::string("X\xff\xff\xff\xff") + "a", "\x8d" + little_endian(UINT64_MAX, 8),
        "\x8d" + little_endian(1U << 30U, 8), "T" + little_endian(0x80000000U, 4),
        std::string("U\x05"
                    "abc"),
        "\x8b" + little_endian(0xFFFFFFFFU, 4), "\x8b" + little_endian(100, 4),
        std::string("\x8a\x20"
                    "abc"),
        "\x8e" + little_endian(UINT64_MAX - 8, 8), std::string("ccollections"),
        std::string("ccollections\nOrderedDict"), std::string("G123"), std::string("J12")}) {
    expect_refused("\x80\x02" + code, "cut short");
  }
}

TEST(Pickle, EveryBeginningOfAPickleIsRefused) {
  const std::string whole =
      PickleWriter().raw("}(").text("w").tensor("0", "FloatStorage", 6, 0, {2, 3}, {3, 1}).raw("u").end();
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THROW(read_pickle(std::string_view(whole).substr(0, length)), Error) << length;
}

TEST(Pickle, TensorsThatLeaveTheirStorageAreRefused) {
  constexpr std::int64_t huge = INT64_MAX;
  const auto refuse = [](std::int64_t elements, std::int64_t offset, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides, const char* part) {
    expect_refused(PickleWriter().tensor("0", "FloatStorage", elements, offset, shape, strides).end(), part);
  };
  refuse(6, 0, {2, 3}, {3, 2}, "ends outside");
  refuse(6, 1, {2, 3}, {3, 1}, "ends outside");
  refuse(6, 6, {1}, {1}, "begins outside");
  refuse(6, huge, {1}, {1}, "begins outside");
  refuse(0, 0, {}, {}, "begins outside");
  refuse(6, 0, {7}, {1}, "ends outside");
  refuse(6, 0, {2}, {huge}, "ends outside");
  refuse(6, 0, {huge, huge}, {huge, huge}, "ends outside");
  refuse(huge, 0, {huge, 4}, {1, 1}, "ends outside");
  refuse(6, 0, {std::int64_t{1} << 32U, std::int64_t{1} << 32U}, {0, 0}, "more numbers");
  refuse(6, 0, {huge}, {0}, "more numbers");
  refuse(6, 0, {3, huge, 0}, {0, 0, 0}, "more numbers");
  refuse(6, -1, {1}, {1}, "offset");
  refuse(6, 0, {-1}, {1}, "size");
  refuse(6, 0, {2}, {-1}, "stride");
  refuse(-6, 0, {1}, {1}, "size");
  refuse(6, 0, {2}, {1, 1}, "as many strides");
  refuse(6, 0, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "8 dimensions");
  const auto whole = [](const PickleWriter& writer) { read_pickle(writer.end()); };
  whole(PickleWriter().tensor("0", "FloatStorage", 6, 0, {1000, 1000}, {0, 0}));  // expanded
  whole(PickleWriter().tensor("0", "FloatStorage", 0, 0, {0, 5}, {5, 1}));
}

TEST(Pickle, StoragesMustBeStorages) {
  const auto id = [](const std::string& code) {
    expect_refused(PickleWriter().raw("(" + code + "tQ").end(), "persistent id");
  };
  id("");
  id("K\x01");
  id("X" + little_endian(7, 4) + "storageK\x01K\x02K\x03K\x04");
  id("X" + little_endian(6, 4) + "moduleNNNN");
  expect_refused(PickleWriter()
                     .raw("(")
                     .text("storage")
                     .name("collections", "OrderedDict")
                     .text("0")
                     .text("cpu")
                     .raw("K\x01tQ")
                     .end(),
                 "persistent id");
  expect_refused(PickleWriter().raw("K\x01Q").end(), "persistent id");
  // The part that an old storage looks at.
  const auto view = [](std::int64_t first, std::int64_t count) {
    return PickleWriter()
        .raw("(")
        .text("storage")
        .name("torch", "FloatStorage")
        .text("0")
        .text("cpu")
        .whole(6)
        .raw("(")
        .text("v")
        .whole(first)
        .whole(count)
        .raw("ttQ")
        .end();
  };
  const std::string good = view(2, 4);
  EXPECT_EQ(read_pickle(good).storages.at(0).first, 2U);
  expect_refused(view(2, 5), "ends outside");
  expect_refused(view(7, 0), "ends outside");
  expect_refused(view(INT64_MAX, INT64_MAX), "ends outside");
}

// Each in a fraction of a second and a bounded piece of memory.
TEST(Pickle, BombsAreRefused) {
  expect_refused(PickleWriter().raw("(" + repeated("N", 1'100'000) + "t").end(), "million values");
  expect_refused(PickleWriter().raw(repeated(")", 600'000) + repeated("\x85", 600'000)).end(),
                 "million values");
  expect_refused(PickleWriter().raw("N" + repeated("2", 11'000'000)).end(), "ten million instructions");
  std::string memo = "N";
  for (std::uint64_t i = 0; i < 1'100'000; ++i) memo += "r" + little_endian(i, 4);
  expect_refused(PickleWriter().raw(memo).end(), "million values");
  // A list of pairs that is made into a dict again and again.
  const std::string pairs = "](" + repeated("NN\x86", 3000) +
                            "eq\x01"
                            "0";
  expect_refused(PickleWriter().raw(pairs + repeated("ccollections\nOrderedDict\nh\x01\x85R0", 3000)).end(),
                 "million");
  // A million levels deep, and a list that holds itself.
  const std::string deep = PickleWriter().raw(")" + repeated("\x85", 900'000)).end();
  EXPECT_EQ(read_pickle(deep).values.size(), 900'001U);
  const std::string itself = PickleWriter()
                                 .raw(
                                     "]q\x01h\x01"
                                     "a")
                                 .end();
  const Pickle pickle = read_pickle(itself);
  EXPECT_EQ(pickle[pickle.root].items.at(0), pickle.root);
  const std::string long_number =
      PickleWriter().raw("\x8b" + little_endian(5'000'000, 4) + std::string(5'000'000, '\x7f')).end();
  EXPECT_EQ(read_pickle(long_number).values.back().kind, Kind::large);
}

}  // namespace
}  // namespace smearscope::checkpoint
