#include "report/html.h"

#include <opencv2/imgcodecs.hpp>

#include "report/page_css.h"

namespace smearscope::corpus {
namespace {

std::string base64(const std::vector<unsigned char>& bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const unsigned word = bytes[i] << 16 | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    text += digits[word >> 18];
    text += digits[word >> 12 & 63];
    text += left > 1 ? digits[word >> 6 & 63] : '=';
    text += left > 2 ? digits[word & 63] : '=';
  }
  return text;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return result;
}

const char* const page_end = "</body></html>\n";

std::string page_begin(const std::string& title, const std::string& css) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\"/>\n<title>" +
         escaped(title) + "</title>\n<style>\n" + page_css + css + "</style></head>\n<body>\n";
}

std::string section(const std::string& heading, const std::string& explanation) {
  return "<h2>" + heading + "</h2>\n<p>" + explanation + "</p>\n";
}

std::string html_table(const Table& table) {
  std::string text = "<div class=\"wide\"><table><thead><tr>";
  for (const std::string& cell : table.head) text += "<th>" + escaped(cell) + "</th>";
  text += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    text += table.sum_row && i + 1 == table.rows.size() ? "<tr class=\"sum\">" : "<tr>";
    for (const std::string& cell : table.rows[i]) text += "<td>" + escaped(cell) + "</td>";
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string tile(std::size_t number, const std::string& what) {
  return "<div class=\"tile\"><b>" + grouped(number) + "</b><span>" + what + "</span></div>";
}

std::string figure(const cv::Mat& picture, const std::string& alternative, const std::string& caption) {
  std::vector<unsigned char> bytes;
  cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, 82});
  return "<figure><img alt=\"" + escaped(alternative) + "\" width=\"" + std::to_string(picture.cols) +
         "\" height=\"" + std::to_string(picture.rows) + "\" src=\"data:image/jpeg;base64," + base64(bytes) +
         "\"/><figcaption>" + caption + "</figcaption></figure>\n";
}

}  // namespace smearscope::corpus
