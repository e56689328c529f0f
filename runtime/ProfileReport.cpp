// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Profiles as tables and JSON. Test: test/emulator/ProfileTest.cpp.
#include "runtime/ProfileReport.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

using namespace llrt;

namespace {

/// Peaks that the GPU table has no use for. NVIDIA's datasheets and
/// architecture whitepapers: dense bf16 with float32 accumulators, boost clock.
/// (H100 and H200 SXM: the clock at which 132 x 4096 operations a cycle give
/// the 989 TFLOP/s of the datasheet; PCIe 114 and 756.)
struct Peak {
  const char *row;
  double tensorTeraflops, gigahertz;
};
constexpr Peak peaks[] = {{"h200", 989, 1.83},      {"h100-sxm", 989, 1.83},
                          {"h100-pcie", 756, 1.62}, {"a100-80g", 312, 1.41},
                          {"a100-40g", 312, 1.41},  {"rtx4090", 165.2, 2.52},
                          {"rtx3090", 71, 1.695},   {"l4", 121, 2.04},
                          {"rtx5090", 209.5, 2.407}};
constexpr double schedulers = 4; // of a multiprocessor, an instruction a cycle

std::string number(const char *format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// 1234567 as "1.23M"; exact below 10000.
std::string brief(uint64_t value) {
  static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
  if (value < 10000)
    return std::to_string(value);
  double scaled = static_cast<double>(value);
  unsigned unit = 0;
  while (scaled >= 999.5) {
    scaled /= 1000;
    ++unit;
  }
  return number(scaled < 9.995   ? "%.2f"
                : scaled < 99.95 ? "%.1f"
                                 : "%.0f",
                scaled) +
         units[unit];
}

std::string time(double seconds) {
  return seconds <= 0     ? "-"
         : seconds < 1e-6 ? number("%.3g ns", seconds * 1e9)
         : seconds < 1e-3 ? number("%.3g us", seconds * 1e6)
         : seconds < 1    ? number("%.3g ms", seconds * 1e3)
                          : number("%.3g s", seconds);
}

using Row = std::vector<std::string>;

/// The first column to the left, the others to the right.
std::string aligned(const std::vector<Row> &rows) {
  std::vector<size_t> widths;
  for (const Row &row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      widths.resize(std::max(widths.size(), i + 1));
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string text;
  for (const Row &row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      std::string pad(widths[i] - row[i].size(), ' ');
      text += i == 0 ? row[i] + pad : "  " + pad + row[i];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

void add(KernelProfile &sum, const KernelProfile &each) {
  sum.launches += each.launches;
  sum.blocks += each.blocks;
  sum.threads += each.threads;
  for (size_t i = 0; i < instructionClasses; ++i)
    sum.instructions[i] += each.instructions[i];
  sum.laneInstructions += each.laneInstructions;
  for (MemoryTraffic KernelProfile::*space :
       {&KernelProfile::global, &KernelProfile::shared,
        &KernelProfile::local}) {
    (sum.*space).read += (each.*space).read;
    (sum.*space).written += (each.*space).written;
  }
  sum.distinctGlobalBytes += each.distinctGlobalBytes;
  sum.sectors += each.sectors;
  sum.leastSectors += each.leastSectors;
  sum.bankConflicts += each.bankConflicts;
  sum.tensorOperations += each.tensorOperations;
  sum.barrierWaits += each.barrierWaits;
  sum.mbarrierWaits += each.mbarrierWaits;
}

Row countsOf(const KernelProfile &kernel) {
  Row row = {
      kernel.kernel,
      brief(kernel.launches),
      brief(kernel.blocks),
      brief(kernel.warpInstructions()),
      kernel.warpInstructions()
          ? number("%.1f", static_cast<double>(kernel.laneInstructions) /
                               static_cast<double>(kernel.warpInstructions()))
          : "-",
      brief(kernel.global.read),
      brief(kernel.global.written),
      brief(kernel.distinctGlobalBytes),
      brief(kernel.sectors - kernel.leastSectors),
      brief(kernel.shared.read),
      brief(kernel.shared.written),
      brief(kernel.bankConflicts),
      brief(kernel.local.read + kernel.local.written),
      brief(kernel.tensorOperations),
      brief(kernel.barrierWaits),
      brief(kernel.mbarrierWaits)};
  return row;
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += static_cast<unsigned char>(c) < 32 ? ' ' : c;
  }
  return result + '"';
}

} // namespace

double Roofline::seconds() const {
  return std::max({memorySeconds, tensorSeconds, issueSeconds});
}

const char *Roofline::bound() const {
  double most = seconds();
  return most <= 0               ? ""
         : most == memorySeconds ? "memory"
         : most == tensorSeconds ? "tensor"
                                 : "issue";
}

bool llrt::estimate(const KernelProfile &kernel, const GpuRow &row,
                    Roofline &roofline) {
  auto peak =
      std::find_if(std::begin(peaks), std::end(peaks), [&](const Peak &each) {
        return std::strcmp(each.row, row.name) == 0;
      });
  if (peak == std::end(peaks) || !row.bandwidthBytesPerSecond ||
      !kernel.launches)
    return false;
  // What blocks keep busy; memory can be saturated by fewer.
  double blocks =
      static_cast<double>(kernel.blocks) / static_cast<double>(kernel.launches);
  double busy = std::min(1.0, blocks / row.multiprocessors);
  roofline.memorySeconds = static_cast<double>(kernel.distinctGlobalBytes) /
                           static_cast<double>(row.bandwidthBytesPerSecond);
  roofline.tensorSeconds = static_cast<double>(kernel.tensorOperations) /
                           (peak->tensorTeraflops * 1e12 * busy);
  roofline.issueSeconds =
      static_cast<double>(kernel.warpInstructions()) /
      (schedulers * row.multiprocessors * busy * peak->gigahertz * 1e9);
  return true;
}

std::string llrt::profileTable(const std::vector<KernelProfile> &kernels,
                               const GpuRow &row) {
  if (kernels.empty())
    return "profile: no kernel was launched\n";
  KernelProfile total;
  total.kernel = "total";
  std::vector<Row> counts = {{"kernel", "launches", "blocks", "warp instr",
                              "lanes", "global rd", "wr", "distinct",
                              "uncoalesced", "shared rd", "wr", "conflicts",
                              "local", "tensor ops", "barriers", "mbarriers"}};
  std::vector<Row> classes = {{"% of warp instructions"}};
  for (size_t i = 0; i < instructionClasses; ++i)
    classes[0].push_back(
        instructionClassName(static_cast<InstructionClass>(i)));
  std::vector<Row> rooflines = {{"estimate for " + std::string(row.name),
                                 "memory", "tensor", "issue", "at least",
                                 "bound by"}};
  double seconds = 0;
  for (const KernelProfile &kernel : kernels) {
    add(total, kernel);
    counts.push_back(countsOf(kernel));
    Row shares = {kernel.kernel};
    for (uint64_t each : kernel.instructions)
      shares.push_back(each ? number("%.1f", 100.0 * static_cast<double>(each) /
                                                 static_cast<double>(
                                                     kernel.warpInstructions()))
                            : "-");
    classes.push_back(shares);
    Roofline roofline;
    if (!estimate(kernel, row, roofline))
      continue;
    seconds += roofline.seconds();
    rooflines.push_back({kernel.kernel, time(roofline.memorySeconds),
                         time(roofline.tensorSeconds),
                         time(roofline.issueSeconds), time(roofline.seconds()),
                         roofline.bound()});
  }
  if (kernels.size() > 1) {
    counts.push_back(countsOf(total));
    if (rooflines.size() > 1)
      rooflines.push_back({"total", "", "", "", time(seconds), ""});
  }
  std::string text = aligned(counts) + "\n" + aligned(classes);
  text +=
      "(bytes as lanes and copies ask for them; distinct: touched at least "
      "once "
      "by a launch; uncoalesced: 32-byte sectors beyond the fewest; conflicts: "
      "passes over shared memory beyond the fewest)\n";
  if (rooflines.size() > 1)
    text += "\n" + aligned(rooflines) +
            "(an ESTIMATE from these counts and the datasheet's peaks, not a "
            "measurement)\n";
  return text;
}

std::string llrt::profileJson(const std::vector<KernelProfile> &kernels,
                              const GpuRow &row) {
  std::string text =
      "{\n  \"gpu\": " + quoted(row.name) + ",\n  \"kernels\": [";
  bool first = true;
  for (const KernelProfile &kernel : kernels) {
    text += first ? "\n" : ",\n";
    first = false;
    text += "    {\"kernel\": " + quoted(kernel.kernel) +
            ", \"module\": " + quoted(kernel.module);
    auto field = [&](const char *name, uint64_t value) {
      text += ",\n     " + quoted(name) + ": " + std::to_string(value);
    };
    field("launches", kernel.launches);
    field("blocks", kernel.blocks);
    field("threads", kernel.threads);
    field("warp_instructions", kernel.warpInstructions());
    text += ",\n     \"warp_instructions_by_class\": {";
    for (size_t i = 0; i < instructionClasses; ++i)
      text += (i ? ", " : "") +
              quoted(instructionClassName(static_cast<InstructionClass>(i))) +
              ": " + std::to_string(kernel.instructions[i]);
    text += "}";
    field("lane_instructions", kernel.laneInstructions);
    field("global_bytes_read", kernel.global.read);
    field("global_bytes_written", kernel.global.written);
    field("shared_bytes_read", kernel.shared.read);
    field("shared_bytes_written", kernel.shared.written);
    field("local_bytes_read", kernel.local.read);
    field("local_bytes_written", kernel.local.written);
    field("distinct_global_bytes", kernel.distinctGlobalBytes);
    field("sectors", kernel.sectors);
    field("least_sectors", kernel.leastSectors);
    field("bank_conflicts", kernel.bankConflicts);
    field("tensor_operations", kernel.tensorOperations);
    field("barrier_waits", kernel.barrierWaits);
    field("mbarrier_waits", kernel.mbarrierWaits);
    Roofline roofline;
    if (estimate(kernel, row, roofline))
      text +=
          ",\n     \"roofline_estimate\": {\"memory_seconds\": " +
          number("%.6g", roofline.memorySeconds) +
          ", \"tensor_seconds\": " + number("%.6g", roofline.tensorSeconds) +
          ", \"issue_seconds\": " + number("%.6g", roofline.issueSeconds) +
          ", \"bound\": " + quoted(roofline.bound()) + "}";
    text += "}";
  }
  return text + "\n  ]\n}\n";
}
