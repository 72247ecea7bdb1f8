#include "import/pickle_names.h"

#include <map>

#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

using Names = std::map<std::string, Name, std::less<>>;

constexpr Element elements[] = {
    {"float32", NumberFormat::f32, 4},     {"float64", NumberFormat::f64, 8},
    {"float16", NumberFormat::f16, 2},     {"bfloat16", NumberFormat::bf16, 2},
    {"int64", NumberFormat::other, 8},     {"int32", NumberFormat::other, 4},
    {"int16", NumberFormat::other, 2},     {"int8", NumberFormat::other, 1},
    {"uint8", NumberFormat::other, 1},     {"bool", NumberFormat::other, 1},
    {"complex64", NumberFormat::other, 8}, {"complex128", NumberFormat::other, 16},
    {"qint8", NumberFormat::other, 1},     {"quint8", NumberFormat::other, 1},
    {"qint32", NumberFormat::other, 4},    {"quint4x2", NumberFormat::other, 1},
    {"quint2x4", NumberFormat::other, 1},  {"untyped bytes", NumberFormat::other, 1},
};

// In the order of `elements`; torch/storage.py, _dtype_to_storage_type_map.
constexpr const char* classes[] = {
    "Float", "Double", "Half",   "BFloat16", "Long",         "Int",
    "Short", "Char",   "Byte",   "Bool",     "ComplexFloat", "ComplexDouble",
    "QInt8", "QUInt8", "QInt32", "QUInt4x2", "QUInt2x4",     "Untyped",
};

// Other fields of training checkpoints: options, scores, random states. Their objects are kept as nothing.
constexpr const char* ignored[] = {
    "argparse.Namespace",
    "types.SimpleNamespace",
    "collections.defaultdict",
    "collections.Counter",
    "collections.deque",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "pathlib.PureWindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "_codecs.encode",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "torch.device",
    "torch.serialization._get_layout",
    "torch._utils._rebuild_tensor_v3",  // of the dtypes that have no storage class; none is of use here
};
constexpr const char* ignored_builtins[] = {"set",   "frozenset", "list",   "dict",    "tuple",    "int",
                                            "float", "bool",      "str",    "long",    "slice",    "unicode",
                                            "range", "bytes",     "object", "complex", "bytearray"};
constexpr const char* dtypes[] = {"float32", "float64",       "float16",    "bfloat16",   "int64",  "int32",
                                  "int16",   "int8",          "uint8",      "bool",       "uint16", "uint32",
                                  "uint64",  "complex32",     "complex64",  "complex128", "qint8",  "quint8",
                                  "qint32",  "float8_e4m3fn", "float8_e5m2"};

Names make_names() {
  Names names{{"collections.OrderedDict", {Meaning::ordered_dict}},
              {"torch.Size", {Meaning::size}},
              {"torch.Tensor", {Meaning::legacy_tensor}},
              {"torch._utils._rebuild_tensor", {Meaning::rebuild_tensor}},
              {"torch._utils._rebuild_tensor_v2", {Meaning::rebuild_tensor}},
              {"torch._utils._rebuild_parameter", {Meaning::parameter}},
              {"torch._utils._rebuild_parameter_with_state", {Meaning::parameter}},
              {"torch.nn.parameter.Parameter", {Meaning::parameter}}};
  for (std::size_t i = 0; i < std::size(elements); ++i) {
    const std::string storage = std::string(classes[i]) + "Storage";
    for (const char* module : {"torch.", "torch.storage.", "torch.storage._", "torch.cuda."})
      names.insert({module + storage, {Meaning::storage_class, &elements[i]}});
    names.insert({std::string("torch.") + classes[i] + "Tensor", {Meaning::legacy_tensor}});
  }
  for (const char* name : ignored) names.insert({name, {Meaning::ignored}});
  for (const char* name : dtypes) names.insert({std::string("torch.") + name, {Meaning::ignored}});
  for (const char* name : ignored_builtins) {
    for (const char* module : {"builtins.", "__builtin__."})
      names.insert({module + std::string(name), {Meaning::ignored}});
  }
  return names;
}

}  // namespace

const Name& find_name(std::string_view module, std::string_view name) {
  static const Names names = make_names();
  const std::string full = std::string(module.substr(0, 200)) + "." + std::string(name.substr(0, 200));
  const auto found = names.find(full);
  if (found != names.end()) return found->second;
  throw Error(quoted(full) + " is not data: refused (of a network, save the state_dict())");
}

}  // namespace smearscope::checkpoint
