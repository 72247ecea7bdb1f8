#include "duplicates/alignment.h"
#include <cmath>
#include <opencv2/imgproc.hpp>
namespace smearscope::corpus {
int view_side = 128; double view_sigma = 6;
View view_of(const cv::Mat& rgb) {
  cv::Mat grey, small;
  cv::cvtColor(rgb, grey, cv::COLOR_RGB2GRAY);
  cv::resize(grey, small, {view_side, view_side}, 0, 0, rgb.cols < view_side || rgb.rows < view_side ? cv::INTER_LINEAR : cv::INTER_AREA);
  cv::Mat1f t, mean, spread;
  small.convertTo(t, CV_32F);
  cv::GaussianBlur(t, t, {}, 0.7);
  cv::GaussianBlur(t, mean, {}, view_sigma, 0, cv::BORDER_REFLECT);
  t -= mean;
  cv::GaussianBlur(t.mul(t), spread, {}, view_sigma, 0, cv::BORDER_REFLECT);
  cv::sqrt(spread, spread);
  t = t / (spread + 2);
  return {t, rgb.cols, rgb.rows};
}
namespace {
struct Statistics { double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  double correlation() const { if (n < 2) return 0; const double va = aa - a * a / n, vb = bb - b * b / n, c = ab - a * b / n; return va > 1e-9 && vb > 1e-9 ? c / std::sqrt(va * vb) : 0; } };
}
Alignment align(const View& first, const View& second, const cv::Matx23d& guess) {
  const cv::Size size = first.pattern.size();
  cv::Mat1f gx, gy, ones(size, 1.f);
  cv::Sobel(second.pattern, gx, CV_32F, 1, 0, 3, 0.125);
  cv::Sobel(second.pattern, gy, CV_32F, 0, 1, 3, 0.125);
  Alignment result; result.to_second = guess;
  cv::Mat1f warped, wx, wy, mask;
  cv::Matx23d map = guess;
  for (int round = 0; round < 16; ++round) {
    const int how = cv::INTER_LINEAR | cv::WARP_INVERSE_MAP;
    cv::warpAffine(second.pattern, warped, map, size, how);
    cv::warpAffine(ones, mask, map, size, how);
    cv::warpAffine(gx, wx, map, size, how);
    cv::warpAffine(gy, wy, map, size, how);
    Statistics s;
    for (int y = 0; y < size.height; ++y) for (int x = 0; x < size.width; ++x) {
      if (mask(y, x) < 0.999f) continue;
      const double a = first.pattern(y, x), b = warped(y, x);
      s.n++; s.a += a; s.b += b; s.aa += a * a; s.bb += b * b; s.ab += a * b;
    }
    const double c = s.correlation();
    if (round == 0 || c > result.correlation) {
      const bool done = round > 0 && c - result.correlation < 1e-4;
      result.correlation = c; result.to_second = map; result.overlap_first = s.n / double(size.area());
      result.overlap_second = result.overlap_first * std::abs(map(0, 0) * map(1, 1) - map(0, 1) * map(1, 0));
      if (done) break;
    } else break;
    if (s.n < 100) break;
    const double ma = s.a / s.n, mb = s.b / s.n, scale = std::sqrt((s.aa - s.n * ma * ma) / std::max(1e-9, s.bb - s.n * mb * mb));
    cv::Matx<double, 6, 6> normal = cv::Matx<double, 6, 6>::eye() * 1e-3; cv::Vec<double, 6> right = cv::Vec<double, 6>::all(0);
    for (int y = 0; y < size.height; ++y) for (int x = 0; x < size.width; ++x) {
      if (mask(y, x) < 0.999f) continue;
      const double r = (first.pattern(y, x) - ma) - scale * (warped(y, x) - mb), dx = scale * wx(y, x), dy = scale * wy(y, x);
      const cv::Vec<double, 6> j(dx * x, dx * y, dx, dy * x, dy * y, dy);
      for (int k = 0; k < 6; ++k) { right[k] += j[k] * r; for (int l = 0; l <= k; ++l) normal(k, l) += j[k] * j[l]; }
    }
    for (int k = 0; k < 6; ++k) for (int l = 0; l < k; ++l) normal(l, k) = normal(k, l);
    const cv::Vec<double, 6> step = normal.solve(right, cv::DECOMP_CHOLESKY);
    for (int k = 0; k < 6; ++k) map.val[k] += step[k];
  }
  return result;
}
}  // namespace smearscope::corpus
