#include "report/train_log.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "corpus/csv.h"
#include "corpus/plain_text.h"
#include "loop/progress.h"

namespace smearscope::training {
namespace {

// Places in log_header.
enum Column { step, epoch, loss = 7, seconds = 9, validation = 14 };

std::vector<std::string> columns() {
  std::istringstream header(log_header);
  std::vector<std::string> names;
  for (std::string name; std::getline(header, name, ',');) names.push_back(name);
  return names;
}

double number(const corpus::CsvReader& table, const std::vector<std::string>& cells, Column column) {
  const std::string& text = cells[column];
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value < 0)
    table.fail(columns()[column] + ": '" + corpus::shown(text) + "' is not a number from 0 on");
  return value;
}

std::string whole_lines(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(file + ": cannot be read");
  std::string text(std::istreambuf_iterator<char>(in), {});
  const std::size_t end = text.rfind('\n');
  return text.substr(0, end == std::string::npos ? 0 : end + 1);
}

}  // namespace

std::vector<LogRow> read_train_log(const std::string& file) {
  std::istringstream in(whole_lines(file));
  corpus::CsvReader table(in, file, columns());
  std::vector<LogRow> rows;
  std::vector<std::string> cells;
  while (table.next(cells)) {
    LogRow row;
    row.step = static_cast<std::size_t>(number(table, cells, step));
    row.epoch = static_cast<std::size_t>(number(table, cells, epoch));
    row.loss = number(table, cells, loss);
    row.seconds = number(table, cells, seconds);
    if (!cells[validation].empty()) row.validation = number(table, cells, validation);
    if (!rows.empty() && row.step <= rows.back().step) table.fail("step: does not grow");
    rows.push_back(row);
  }
  return rows;
}

std::vector<EpochLoss> epoch_losses(const std::vector<LogRow>& log) {
  std::vector<EpochLoss> epochs;
  std::size_t steps = 0, before = 0;  // of this epoch; done before this row
  for (const LogRow& row : log) {
    if (epochs.empty() || epochs.back().epoch != row.epoch) {
      epochs.push_back({row.epoch, 0, {}});
      steps = 0;
    }
    EpochLoss& e = epochs.back();
    const std::size_t more = row.step - before;
    e.training += (row.loss - e.training) * static_cast<double>(more) / static_cast<double>(steps + more);
    if (row.validation) e.validation = row.validation;
    steps += more;
    before = row.step;
  }
  return epochs;
}

}  // namespace smearscope::training
