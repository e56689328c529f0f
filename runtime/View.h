// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A run of constant elements that somebody else owns (std::span is C++20).
#ifndef LLAMAC_RUNTIME_VIEW_H
#define LLAMAC_RUNTIME_VIEW_H

#include <cstddef>
#include <vector>

namespace llrt {

template <typename T> class View {
public:
  View() = default;
  View(const T *data, size_t size) : first(data), count(size) {}
  View(const std::vector<T> &vector)
      : first(vector.data()), count(vector.size()) {}
  const T *data() const { return first; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  const T &operator[](size_t index) const { return first[index]; }
  const T *begin() const { return first; }
  const T *end() const { return first + count; }
  View slice(size_t start, size_t length) const {
    return View(first + start, length);
  }

private:
  const T *first = nullptr;
  size_t count = 0;
};

} // namespace llrt

#endif
