// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ggml's types (enum ggml_type in ggml.h, block_q8_0 in ggml-common.h).
#include "compiler/import/GgufTypes.h"
#include "compiler/import/TensorValues.h"

namespace mlir::llama {
namespace {

const GgufType types[] = {
    {0, "F32", DType::F32, false, 1, 4},
    {1, "F16", DType::F16, false, 1, 2},
    {8, "Q8_0", DType::F32, true, 32, 34},
    {30, "BF16", DType::BF16, false, 1, 2},
};

struct TypeName {
  uint64_t code;
  const char *name;
};
const TypeName otherNames[] = {
    {2, "Q4_0"},    {3, "Q4_1"},     {6, "Q5_0"},    {7, "Q5_1"},
    {9, "Q8_1"},    {10, "Q2_K"},    {11, "Q3_K"},   {12, "Q4_K"},
    {13, "Q5_K"},   {14, "Q6_K"},    {15, "Q8_K"},   {16, "IQ2_XXS"},
    {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},  {20, "IQ4_NL"},
    {21, "IQ3_S"},  {22, "IQ2_S"},   {23, "IQ4_XS"}, {24, "I8"},
    {25, "I16"},    {26, "I32"},     {27, "I64"},    {28, "F64"},
    {29, "IQ1_M"},  {34, "TQ1_0"},   {35, "TQ2_0"},  {39, "MXFP4"},
};

constexpr uint64_t blockElements = 32, blockBytes = 34;

class Q8_0Rows : public RowSource {
public:
  Q8_0Rows(const uint8_t *bytes, uint64_t columns, bool isMapped)
      : bytes(bytes), rowBytes(columns / blockElements * blockBytes),
        isMapped(isMapped) {}

  void read(int64_t row, uint8_t *out) const override {
    const uint8_t *block = getRow(row), *end = block + rowBytes;
    for (; block != end; block += blockBytes) {
      uint16_t bits;
      std::memcpy(&bits, block, 2);
      float scale = f16ToFloat(bits);
      for (uint64_t i = 0; i < blockElements; ++i, out += 4) {
        float value = scale * float(static_cast<int8_t>(block[2 + i]));
        std::memcpy(out, &value, 4);
      }
    }
  }
  void want(int64_t begin, int64_t end) const override {
    if (isMapped)
      llrt::wantPages(getRow(begin), uint64_t(end - begin) * rowBytes);
  }
  void forget(int64_t begin, int64_t end) const override {
    if (isMapped)
      llrt::forgetPages(getRow(begin), uint64_t(end - begin) * rowBytes);
  }

private:
  const uint8_t *getRow(int64_t row) const {
    return bytes + uint64_t(row) * rowBytes;
  }

  const uint8_t *bytes;
  uint64_t rowBytes;
  bool isMapped;
};

} // namespace

const GgufType *findGgufType(uint64_t code) {
  for (const GgufType &type : types)
    if (type.code == code)
      return &type;
  return nullptr;
}

std::string getGgufTypeName(uint64_t code) {
  if (const GgufType *type = findGgufType(code))
    return type->name;
  for (const TypeName &type : otherNames)
    if (type.code == code)
      return type.name;
  return "type " + std::to_string(code);
}

std::shared_ptr<const RowSource> decodeQ8_0(const uint8_t *bytes,
                                            uint64_t columns, bool isMapped) {
  return std::make_shared<Q8_0Rows>(bytes, columns, isMapped);
}

} // namespace mlir::llama
