// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A plan of two kernels, and forty lines of ELF.
#include "ToyExecutable.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <sys/stat.h>
#include <utility>
#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace toy;

Bytes toy::readFile(const std::string &path) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::abort();
  }
  Bytes bytes;
  uint8_t buffer[65536];
  while (size_t count = std::fread(buffer, 1, sizeof buffer, file))
    bytes.insert(bytes.end(), buffer, buffer + count);
  std::fclose(file);
  return bytes;
}

void toy::writeFile(const std::string &path, const Bytes &bytes,
                    bool executable) {
  std::remove(path.c_str());
  std::FILE *file = std::fopen(path.c_str(), "wb");
  if (!file ||
      std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size() ||
      std::fclose(file) != 0) {
    std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
    std::abort();
  }
  if (executable)
    chmod(path.c_str(), 0755);
}

std::string toy::input(const std::string &name) {
  return LLAMAC_SOURCE_DIR "/test/runtime/Inputs/" + name;
}

static LlamacSectionCheck checkOf(const Bytes &bytes) {
  if (bytes.empty())
    return {0, 0};
  return {bytes.size(), XXH3_64bits(bytes.data(), bytes.size())};
}

/// Of one piece.
static uint64_t weightsHash(const Bytes &bytes) {
  uint64_t piece = XXH3_64bits(bytes.data(), bytes.size());
  return XXH3_64bits(&piece, sizeof piece);
}

void Sections::seal() {
  header().selftest = checkOf(selftest);
  header().plan_hash = 0;
  header().plan_hash = XXH3_64bits(plan.data(), plan.size());
}

namespace {

constexpr LlamacExpression one{LLAMAC_VARIABLE_ONE, 1, 1, 0};

LlamacArgument pointer(LlamacBuffer buffer, uint64_t offset) {
  return {
      LLAMAC_ARGUMENT_POINTER, buffer, offset, {LLAMAC_VARIABLE_ONE, 0, 1, 0}};
}
LlamacArgument constant(uint64_t value) {
  return {LLAMAC_ARGUMENT_I32, 0, value, {LLAMAC_VARIABLE_ONE, 0, 1, 0}};
}
LlamacArgument variable(LlamacVariable which) {
  return {LLAMAC_ARGUMENT_I32, 0, 0, {which, 1, 1, 0}};
}

template <typename T> uint64_t put(Bytes &plan, const std::vector<T> &values) {
  plan.resize((plan.size() + 7) / 8 * 8);
  uint64_t offset = plan.size();
  auto *raw = reinterpret_cast<const uint8_t *>(values.data());
  plan.insert(plan.end(), raw, raw + values.size() * sizeof(T));
  return offset;
}

} // namespace

Sections toy::makeSections(const Options &options) {
  Sections sections;
  sections.ptx = readFile(input("toy.ptx"));
  sections.ptx.push_back(0);
  sections.kernelsPtx = readFile(input("toy-kernels.ptx"));
  sections.kernelsPtx.push_back(0);
  if (options.cubin)
    sections.cubin = sections.kernelsCubin = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0};
  if (options.tokenizer)
    sections.tokenizer = readFile(input("toy.model"));
  std::string passport =
      R"({"model":{"name":"toy","sha256":"0123"},"passes":["fuse","tile"],"llamac":"test"})";
  sections.passport.assign(passport.begin(), passport.end());
  Bytes weights(4096, 0);
  std::memcpy(weights.data(), &options.salt, 4);
  if (options.weights)
    sections.weights = weights;

  LlamacPlanHeader h{};
  h.magic = LLAMAC_PLAN_MAGIC;
  h.version = LLAMAC_FORMAT_VERSION;
  h.header_bytes = sizeof h;
  h.ptx = checkOf(sections.ptx);
  h.kernels_ptx = checkOf(sections.kernelsPtx);
  h.cubin = checkOf(sections.cubin);
  h.kernels_cubin = checkOf(sections.kernelsCubin);
  h.tokenizer = checkOf(sections.tokenizer);
  h.passport = checkOf(sections.passport);
  h.weights = {weights.size(), options.weights ? weightsHash(weights) : 0};
  h.weights_place =
      options.weights ? LLAMAC_WEIGHTS_INSIDE : LLAMAC_WEIGHTS_NONE;
  h.sm_version = 90;
  h.dtype = LLAMAC_BF16;
  h.vocab_size = options.vocabulary;
  h.piece_count = options.pieces;
  h.hidden_size = 8;
  h.layers = h.heads = h.kv_heads = 1;
  h.head_dim = 8;
  h.max_seq_len = options.maxSeqLen;
  h.max_batch = options.maxBatch;
  h.max_chunk = options.maxChunk;
  h.head_rows_max = options.headRows;
  h.gpu_name_offset = 19;
  h.chat_template = options.chatTemplate;
  h.bos_id = 1;
  h.add_bos = options.addBos;
  h.sampling = {options.sampling ? 0.6 : 0, 0.9, 0, 1, 0, 0, 0, 0};
  h.positions.theta = 10000;
  h.positions.factor = h.positions.attention_factor = 1;
  h.weights_bytes = weights.size();
  h.page_bytes = LLAMAC_PAGE_TOKENS * 4;
  uint64_t rows = std::max(options.maxChunk, options.maxBatch), at = 256;
  uint32_t width = (options.maxSeqLen + 63) / 64;
  auto take = [&](uint64_t words) {
    return std::exchange(at, (at + words * 4 + 255) / 256 * 256);
  };
  h.tokens_offset = take(rows);
  h.positions_offset = take(rows);
  h.slots_offset = take(rows);
  h.block_table_offset = take(static_cast<uint64_t>(options.maxBatch) * width);
  h.next_token_offset = take(options.headRows);
  h.logits_offset =
      take(static_cast<uint64_t>(options.headRows) * options.vocabulary);
  h.residual_stride = h.hidden_size;
  h.residual_offset = take(rows * h.residual_stride);
  h.workspace_bytes = at;

  auto control = [](uint64_t offset) {
    return pointer(LLAMAC_BUFFER_WORKSPACE, offset);
  };
  std::vector<LlamacArgument> arguments{control(h.tokens_offset),
                                        control(h.positions_offset),
                                        control(h.slots_offset),
                                        control(h.block_table_offset),
                                        pointer(LLAMAC_BUFFER_KV_POOL, 0),
                                        variable(LLAMAC_VARIABLE_TOKENS),
                                        constant(width),
                                        control(h.positions_offset),
                                        control(h.slots_offset),
                                        control(h.block_table_offset),
                                        pointer(LLAMAC_BUFFER_KV_POOL, 0),
                                        pointer(LLAMAC_BUFFER_WEIGHTS, 0),
                                        control(h.logits_offset),
                                        control(h.next_token_offset),
                                        variable(LLAMAC_VARIABLE_HEAD_START),
                                        constant(width),
                                        constant(options.vocabulary),
                                        constant(options.pieces)};
  auto launch = [](uint32_t kernel, uint32_t first, uint32_t count,
                   LlamacExpression blocks, uint32_t threads, int32_t layer) {
    LlamacLaunch launch{};
    launch.kernel = kernel;
    launch.first_argument = first;
    launch.argument_count = count;
    launch.grid[0] = blocks;
    launch.grid[1] = launch.grid[2] = one;
    launch.block[0] = threads;
    launch.block[1] = launch.block[2] = 1;
    launch.layer = layer;
    return launch;
  };
  const LlamacLaunch store =
      launch(0, 0, 7, {LLAMAC_VARIABLE_TOKENS, 1, 32, 0}, 32, 0);
  const LlamacLaunch head =
      launch(1, 7, 11, {LLAMAC_VARIABLE_HEAD_ROWS, 1, 1, 0}, 64, -1);
  std::vector<LlamacLaunch> launches{store, store, head};
  for (uint32_t i = 0; i < LLAMAC_FUNCTION_COUNT; ++i)
    h.functions[i] = {i, 1};
  std::string strings("toy_store\0toy_head\0emulator", 28);

  Bytes &plan = sections.plan;
  plan.resize(sizeof h);
  h.kernels_offset = put(plan, std::vector<LlamacKernel>{{0, 0}, {10, 0}});
  h.launches_offset = put(plan, launches);
  h.arguments_offset = put(plan, arguments);
  h.eos_offset =
      put(plan, options.eos ? std::vector<int32_t>{2} : std::vector<int32_t>{});
  h.inv_freq_offset = put(plan, std::vector<double>{1.0, 0.1, 0.01, 0.001});
  h.strings_offset =
      put(plan, std::vector<char>(strings.begin(), strings.end()));
  h.kernel_count = 2;
  h.launch_count = static_cast<uint32_t>(launches.size());
  h.argument_count = static_cast<uint32_t>(arguments.size());
  h.eos_count = options.eos;
  h.inv_freq_count = 4;
  h.strings_bytes = static_cast<uint32_t>(strings.size());
  h.plan_bytes = plan.size();
  std::memcpy(plan.data(), &h, sizeof h);
  sections.seal();
  return sections;
}

Bytes toy::emptyElf() {
  const char names[] = "\0.shstrtab";
  Bytes file(sizeof(Elf64_Ehdr));
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof header;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 2;
  header.e_shstrndx = 1;
  Elf64_Shdr table[2]{};
  table[1].sh_name = 1;
  table[1].sh_type = SHT_STRTAB;
  table[1].sh_offset = file.size();
  table[1].sh_size = sizeof names;
  file.insert(file.end(), names, names + sizeof names);
  file.resize((file.size() + 7) / 8 * 8);
  header.e_shoff = file.size();
  auto *raw = reinterpret_cast<uint8_t *>(table);
  file.insert(file.end(), raw, raw + sizeof table);
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

Bytes toy::append(const Bytes &elf, const Sections &sections) {
  Bytes file = elf;
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  std::vector<Elf64_Shdr> table(header.e_shnum);
  std::memcpy(table.data(), file.data() + header.e_shoff,
              table.size() * sizeof(Elf64_Shdr));
  Elf64_Shdr &nameTable = table[header.e_shstrndx];
  std::string names(
      reinterpret_cast<const char *>(file.data() + nameTable.sh_offset),
      nameTable.sh_size);
  size_t nameIndex = header.e_shstrndx;
  const std::pair<const char *, const Bytes *> added[] = {
      {LLAMAC_SECTION_PLAN, &sections.plan},
      {LLAMAC_SECTION_PTX, &sections.ptx},
      {LLAMAC_SECTION_KERNELS_PTX, &sections.kernelsPtx},
      {LLAMAC_SECTION_CUBIN, &sections.cubin},
      {LLAMAC_SECTION_KERNELS_CUBIN, &sections.kernelsCubin},
      {LLAMAC_SECTION_TOKENIZER, &sections.tokenizer},
      {LLAMAC_SECTION_PASSPORT, &sections.passport},
      {LLAMAC_SECTION_SELFTEST, &sections.selftest},
      {LLAMAC_SECTION_WEIGHTS, &sections.weights}};
  for (const auto &[name, bytes] : added) {
    if (bytes->empty())
      continue;
    file.resize((file.size() + 4095) / 4096 * 4096);
    Elf64_Shdr section{};
    section.sh_name = static_cast<uint32_t>(names.size());
    section.sh_type = SHT_PROGBITS;
    section.sh_offset = file.size();
    section.sh_size = bytes->size();
    section.sh_addralign = 4096;
    table.push_back(section);
    names += name;
    names += '\0';
    file.insert(file.end(), bytes->begin(), bytes->end());
  }
  table[nameIndex].sh_offset = file.size();
  table[nameIndex].sh_size = names.size();
  file.insert(file.end(), names.begin(), names.end());
  file.resize((file.size() + 7) / 8 * 8);
  header.e_shoff = file.size();
  header.e_shnum = static_cast<uint16_t>(table.size());
  auto *raw = reinterpret_cast<const uint8_t *>(table.data());
  file.insert(file.end(), raw, raw + table.size() * sizeof(Elf64_Shdr));
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

static uint32_t hashOf(const std::vector<int32_t> &ids,
                       const Options &options) {
  uint32_t hash = options.salt;
  for (int32_t id : ids)
    hash = hash * 31 + static_cast<uint32_t>(id);
  return hash;
}

int32_t toy::choice(const std::vector<int32_t> &ids, const Options &options) {
  uint32_t hash = hashOf(ids, options);
  if (hash % 23 == 22)
    return 2;
  return static_cast<int32_t>(
      3 + (static_cast<uint64_t>(hash) * (options.pieces - 3) >> 32));
}

std::vector<float> toy::logits(const std::vector<int32_t> &ids,
                               const Options &options) {
  uint32_t hash = hashOf(ids, options);
  std::vector<float> row(options.vocabulary);
  for (uint32_t v = 0; v < options.vocabulary; ++v)
    row[v] = static_cast<float>((hash ^ v * 2654435761u) >> 8) * 0x1p-24f;
  row[static_cast<size_t>(choice(ids, options))] = 2.0f;
  return row;
}
