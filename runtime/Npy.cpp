// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Format version 1.0: magic, length, a Python dict, padding to 64 bytes, data.
#include "runtime/Npy.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

using namespace llrt;

static std::string npyHeader(uint64_t rows, uint64_t columns) {
  std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                     std::to_string(rows) + ", " + std::to_string(columns) +
                     "), }";
  constexpr size_t fixed = 10; // magic, version, length
  dict.append(63 - (fixed + dict.size()) % 64, ' ');
  dict += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(dict.size() & 0xFF);
  header += static_cast<char>(dict.size() >> 8);
  return header + dict;
}

Error llrt::writeNpy(const std::string &path, View<float> values, uint64_t rows,
                     uint64_t columns) {
  struct stat status;
  bool inPlace = stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
  std::string target =
      inPlace ? path : path + ".part" + std::to_string(getpid());
  std::FILE *file = std::fopen(target.c_str(), "wb");
  if (!file)
    return Error(path + ": cannot be written: " + std::strerror(errno));
  std::string header = npyHeader(rows, columns);
  bool good =
      std::fwrite(header.data(), 1, header.size(), file) == header.size() &&
      std::fwrite(values.data(), sizeof(float), values.size(), file) ==
          values.size();
  int reason = errno;
  if (std::fclose(file) != 0 && good) {
    good = false;
    reason = errno;
  }
  if (good && !inPlace && std::rename(target.c_str(), path.c_str()) != 0) {
    good = false;
    reason = errno;
  }
  if (good)
    return Error::success();
  if (!inPlace)
    std::remove(target.c_str());
  return Error(path + ": cannot be written: " + std::strerror(reason));
}
