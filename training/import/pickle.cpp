#include "import/pickle.h"

#include "import/pickle_machine.h"
#include "model/text.h"

namespace smearscope::checkpoint {
namespace {

constexpr std::size_t most_instructions = 10'000'000;

// The bytes that are still to be read.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) throw Error("damaged pickle: it is cut short");
    at_ += static_cast<std::size_t>(count);
    return bytes_.substr(at_ - static_cast<std::size_t>(count), static_cast<std::size_t>(count));
  }
  // Little-endian, of 1 to 8 bytes.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    const std::string_view digits = take(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(digits[i])) << (8 * i);
    return value;
  }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) throw Error("damaged pickle: it is cut short");
    const std::string_view text = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return text;
  }
  std::size_t position() const { return at_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

Value integer_of(std::string_view digits) {
  Value value;
  value.kind = digits.size() > 8 ? Kind::large : Kind::whole;
  if (value.kind == Kind::large) {
    value.text = digits;
    return value;
  }
  const bool negative = !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80U) != 0;
  std::uint64_t bits = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = digits.size(); i-- > 0;) bits = bits << 8U | static_cast<unsigned char>(digits[i]);
  value.number = static_cast<std::int64_t>(bits);
  return value;
}

[[noreturn]] void refuse_instruction(unsigned char code) {
  const std::string shown(1, static_cast<char>(code));
  throw Error("holds the pickle instruction " + quoted(shown) + ", which PyTorch never writes: refused");
}

// Carries out instructions until STOP.
class Reader {
 public:
  Reader(std::string_view bytes, Pickle& pickle) : cursor_(bytes), machine_(pickle) {}

  void run() {
    std::size_t count = 0;
    while (true) {
      const auto code = static_cast<unsigned char>(cursor_.take(1)[0]);
      if (code == '.') return;
      if (++count > most_instructions)
        throw Error("holds more than ten million instructions: no checkpoint of weights");
      if (!number(code) && !text(code) && !container(code) && !memory(code) && !call(code))
        refuse_instruction(code);
    }
  }
  Ref result() { return machine_.result(); }
  std::size_t position() const { return cursor_.position(); }

 private:
  // Each of these carries out one kind of instruction; false: `code` is of another kind.
  bool number(unsigned char code);
  bool text(unsigned char code);
  bool container(unsigned char code);
  bool memory(unsigned char code);
  bool call(unsigned char code);

  Cursor cursor_;
  Machine machine_;
};

bool Reader::number(unsigned char code) {
  switch (code) {
    case 'N':  // NONE
      machine_.push({});
      return true;
    case 0x88:  // NEWTRUE
    case 0x89:  // NEWFALSE
      machine_.push_number(Kind::boolean, code == 0x88 ? 1 : 0);
      return true;
    case 'J':  // BININT
      machine_.push(integer_of(cursor_.take(4)));
      return true;
    case 'K':  // BININT1
      machine_.push_number(Kind::whole, static_cast<std::int64_t>(cursor_.number(1)));
      return true;
    case 'M':  // BININT2
      machine_.push_number(Kind::whole, static_cast<std::int64_t>(cursor_.number(2)));
      return true;
    case 0x8a:  // LONG1
      machine_.push(integer_of(cursor_.take(cursor_.number(1))));
      return true;
    case 0x8b:  // LONG4; a negative length is above what any file has
      machine_.push(integer_of(cursor_.take(cursor_.number(4))));
      return true;
    case 'G':  // BINFLOAT: no use is made of it
      cursor_.take(8);
      machine_.push_number(Kind::real, 0);
      return true;
    default:
      return false;
  }
}

bool Reader::text(unsigned char code) {
  std::size_t length_bytes = 0;
  switch (code) {
    case 'U':   // SHORT_BINSTRING
    case 'C':   // SHORT_BINBYTES
    case 0x8c:  // SHORT_BINUNICODE
      length_bytes = 1;
      break;
    case 'T':  // BINSTRING
    case 'B':  // BINBYTES
    case 'X':  // BINUNICODE
      length_bytes = 4;
      break;
    case 0x8d:  // BINUNICODE8
    case 0x8e:  // BINBYTES8
    case 0x96:  // BYTEARRAY8
      length_bytes = 8;
      break;
    default:
      return false;
  }
  machine_.push_text(Kind::text, cursor_.take(cursor_.number(length_bytes)));
  return true;
}

bool Reader::container(unsigned char code) {
  Value empty;
  switch (code) {
    case ')':   // EMPTY_TUPLE
    case ']':   // EMPTY_LIST
    case '}':   // EMPTY_DICT
    case 0x8f:  // EMPTY_SET
      empty.kind = code == ')'   ? Kind::tuple
                   : code == ']' ? Kind::list
                   : code == '}' ? Kind::dict
                                 : Kind::ignored;
      machine_.push(std::move(empty));
      return true;
    case 0x85:  // TUPLE1
    case 0x86:  // TUPLE2
    case 0x87:  // TUPLE3
      machine_.make_tuple(code - 0x84U);
      return true;
    case 't':   // TUPLE
    case 'l':   // LIST
    case 'd':   // DICT
    case 0x91:  // FROZENSET
      machine_.make_from_mark(code == 't'   ? Kind::tuple
                              : code == 'l' ? Kind::list
                              : code == 'd' ? Kind::dict
                                            : Kind::ignored);
      return true;
    case 'a':  // APPEND
      machine_.add_items(1, Kind::list);
      return true;
    case 's':  // SETITEM
      machine_.add_items(2, Kind::dict);
      return true;
    case 'e':   // APPENDS
    case 0x90:  // ADDITEMS
    case 'u':   // SETITEMS
      machine_.add_items_from_mark(code == 'u' ? Kind::dict : Kind::list);
      return true;
    default:
      return false;
  }
}

bool Reader::memory(unsigned char code) {
  switch (code) {
    case '(':  // MARK
      machine_.mark();
      return true;
    case '0':  // POP
      machine_.drop();
      return true;
    case '1':  // POP_MARK
      machine_.drop_to_mark();
      return true;
    case '2':  // DUP
      machine_.duplicate();
      return true;
    case 'q':  // BINPUT
    case 'r':  // LONG_BINPUT
      machine_.remember(static_cast<std::uint32_t>(cursor_.number(code == 'q' ? 1 : 4)));
      return true;
    case 0x94:  // MEMOIZE
      machine_.remember_next();
      return true;
    case 'h':  // BINGET
    case 'j':  // LONG_BINGET
      machine_.recall(static_cast<std::uint32_t>(cursor_.number(code == 'h' ? 1 : 4)));
      return true;
    case 0x80:  // PROTO
      if (cursor_.number(1) > 5)
        throw Error("is a pickle of a protocol above 5, which this program doesn't know");
      return true;
    case 0x95:  // FRAME: a hint for reading ahead
      cursor_.number(8);
      return true;
    default:
      return false;
  }
}

bool Reader::call(unsigned char code) {
  switch (code) {
    case 'c': {  // GLOBAL
      const std::string_view module = cursor_.line(), name = cursor_.line();
      machine_.push_name(module, name);
      return true;
    }
    case 'i': {  // INST: old, and never of data; the message names what it would have made
      const std::string_view module = cursor_.line();
      find_name(module, cursor_.line());
      return false;
    }
    case 0x93:  // STACK_GLOBAL
      machine_.push_name_from_stack();
      return true;
    case 'R':   // REDUCE
    case 0x81:  // NEWOBJ
      machine_.call();
      return true;
    case 0x92:  // NEWOBJ_EX
      machine_.call_with_keywords();
      return true;
    case 'b':  // BUILD
      machine_.set_state();
      return true;
    case 'Q':  // BINPERSID
      machine_.load_storage();
      return true;
    default:
      return false;
  }
}

}  // namespace

const Value* Pickle::find(const Value& dict, std::string_view key) const {
  if (dict.kind != Kind::dict) return nullptr;
  const Value* found = nullptr;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Value& name = values[dict.items[i]];
    if (name.kind != Kind::text || name.text != key) continue;
    if (found) throw Error("damaged pickle: the entry " + quoted(key) + " comes twice");
    found = &values[dict.items[i + 1]];
  }
  return found;
}

Pickle read_pickle(std::string_view bytes) {
  Pickle pickle;
  Reader reader(bytes, pickle);
  reader.run();
  pickle.root = reader.result();
  pickle.bytes = reader.position();
  return pickle;
}

}  // namespace smearscope::checkpoint
