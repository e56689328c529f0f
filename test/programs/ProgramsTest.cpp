// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every program of kernels/ under full checking and 8 schedules: no report and
// the same bits; every wrong variant told under each of the 8.
#include "compiler/emit/Nvrtc.h"
#include "test/programs/Session.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace llrt;
using namespace llrt::test;

namespace {

constexpr uint64_t schedules = 8;
const std::string folder = LLAMAC_SOURCE_DIR "/test/programs/kernels/";

std::string readFile(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What a mutant's report may say: it depends on the schedule which of its
/// faults comes first.
struct Mark {
  std::string kind, place; ///< place: "file.cu:line"
};
/// The marks of a file by mutant.
std::map<std::string, std::vector<Mark>> marksOf(const std::string &file) {
  std::map<std::string, std::vector<Mark>> marks;
  std::istringstream text(readFile(folder + file + ".cu"));
  std::regex pattern("WRONG ([A-Z_0-9]+): ([a-z-]+)");
  std::string line;
  std::vector<std::pair<std::string, std::string>> pending;
  for (int number = 1; std::getline(text, line); ++number) {
    for (std::sregex_iterator it(line.begin(), line.end(), pattern), end;
         it != end; ++it)
      pending.push_back({(*it)[1], (*it)[2]});
    // A comment of its own speaks of the line behind it.
    size_t first = line.find_first_not_of(' ');
    if (first != std::string::npos && line.compare(first, 2, "//") == 0)
      continue;
    for (const auto &[mutant, kind] : pending)
      marks[mutant].push_back({kind, file + ".cu:" + std::to_string(number)});
    pending.clear();
  }
  return marks;
}

class Programs : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    auto opened = mlir::llama::Nvrtc::open(LLAMAC_BINARY_DIR "/libexec/llamac");
    if (opened)
      nvrtc = std::move(*opened);
    else
      why = opened.error().message();
  }
  static void TearDownTestSuite() { nvrtc.reset(); }
  void SetUp() override {
    if (!nvrtc)
      GTEST_SKIP() << why;
  }

  static std::string compile(const std::string &file,
                             const std::string &mutant) {
    std::vector<std::string> defines;
    if (!mutant.empty())
      defines.push_back("WRONG_" + mutant);
    auto images =
        nvrtc->compile({{"ptx.cuh", readFile(folder + "ptx.cuh")},
                        {file + ".cu", readFile(folder + file + ".cu")}},
                       "sm_90a", defines, false, true);
    if (!images) {
      ADD_FAILURE() << images.error().message();
      return "";
    }
    return images->ptx;
  }

  static EmulatorOptions schedule(uint64_t seed) {
    EmulatorOptions options;
    options.check = true;
    options.schedule = seed;
    return options;
  }

  static std::unique_ptr<mlir::llama::Nvrtc> nvrtc;
  static std::string why;
};
std::unique_ptr<mlir::llama::Nvrtc> Programs::nvrtc;
std::string Programs::why;

class RightProgram : public Programs {
public:
  explicit RightProgram(Program program) : program(program) {}
  void TestBody() override {
    std::string ptx = compile(program.file, "");
    EmulatorOptions plain;
    plain.check = true;
    Session first(ptx, plain);
    program.run(first);
    EXPECT_EQ(first.message(), "");
    EXPECT_FALSE(first.bits().empty());
    for (uint64_t seed = 1; seed <= schedules; ++seed) {
      SCOPED_TRACE("schedule " + std::to_string(seed));
      Session session(ptx, schedule(seed));
      program.run(session);
      EXPECT_EQ(session.message(), "");
      EXPECT_TRUE(session.bits() == first.bits());
    }
  }

private:
  Program program;
};

class WrongProgram : public Programs {
public:
  WrongProgram(Program program, std::string mutant, std::vector<Mark> marks)
      : program(program), mutant(std::move(mutant)), marks(std::move(marks)) {}
  void TestBody() override {
    std::string ptx = compile(program.file, mutant);
    for (uint64_t seed = 1; seed <= schedules; ++seed) {
      SCOPED_TRACE("schedule " + std::to_string(seed));
      Session session(ptx, schedule(seed));
      program.run(session);
      const std::string &message = session.message();
      bool told = false;
      for (const Mark &mark : marks)
        told |= message.find('[' + mark.kind + ']') != std::string::npos &&
                message.find(mark.place) != std::string::npos;
      EXPECT_TRUE(told) << "none of its marks: " << message;
    }
  }

private:
  Program program;
  std::string mutant;
  std::vector<Mark> marks;
};

template <class Test, class... Values>
void add(const std::string &suite, const std::string &name, Values... values) {
  ::testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr,
                          __FILE__, __LINE__,
                          [=]() -> Programs * { return new Test(values...); });
}

} // namespace

int main(int argc, char **argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::set<std::string> left;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".cu")
      left.insert(entry.path().stem());
  for (const Program &program : allPrograms()) {
    left.erase(program.file);
    add<RightProgram>("Right", program.file, program);
    for (const auto &[mutant, marks] : marksOf(program.file))
      add<WrongProgram>("Wrong", std::string(program.file) + "/" + mutant,
                        program, mutant, marks);
  }
  for (const std::string &file : left) {
    std::fprintf(stderr, "%s.cu is run by no test\n", file.c_str());
    return 1;
  }
  return RUN_ALL_TESTS();
}
