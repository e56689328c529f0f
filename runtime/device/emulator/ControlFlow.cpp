// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The control-flow graph of a kernel: where lanes meet again, how long
// registers live, and the final addresses.
#include "runtime/device/emulator/Builder.h"
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/SystemCalls.h"

#include <algorithm>
#include <queue>

using namespace llrt::emu;

static constexpr size_t maxLivenessWords = size_t(1) << 25;

void Builder::findBlocks() {
  size_t count = program->code.size();
  std::vector<char> leads(count + 1, 0);
  leads[0] = 1;
  for (int64_t at : labelAt)
    if (at >= 0)
      leads[static_cast<size_t>(at)] = 1;
  for (size_t i = 0; i < count; ++i)
    if (metas[i].flow != Flow::Next)
      leads[i + 1] = 1;
  blockOf.assign(count, -1);
  for (size_t i = 0; i < count; ++i) {
    if (leads[i])
      blocks.push_back({static_cast<uint32_t>(i), 0, {}, false, -1});
    blocks.back().end = static_cast<uint32_t>(i) + 1;
    blockOf[i] = static_cast<int>(blocks.size()) - 1;
  }
  // A label behind the last instruction cannot be: the kernel ends with exit.
  auto blockAt = [&](int label, unsigned line) {
    int64_t at = labelAt[static_cast<size_t>(label)];
    if (at < 0 || static_cast<size_t>(at) >= count)
      throw PtxError{line, "a label is used but not placed"};
    return blockOf[static_cast<size_t>(at)];
  };
  for (size_t b = 0; b < blocks.size(); ++b) {
    uint32_t last = blocks[b].end - 1;
    const Meta &meta = metas[last];
    unsigned line = program->code[last].line;
    std::vector<int> &to = blocks[b].successors;
    if (meta.flow == Flow::Jump || meta.flow == Flow::Branch)
      to.push_back(blockAt(meta.label, line));
    for (int label : meta.table)
      to.push_back(blockAt(label, line));
    if (meta.flow == Flow::Next || meta.flow == Flow::Branch) {
      if (b + 1 < blocks.size())
        to.push_back(static_cast<int>(b) + 1);
    }
    blocks[b].leavesWarp = meta.flow == Flow::End;
  }
}

/// Cooper, Harvey, Kennedy on the reversed graph with one virtual exit.
void Builder::findPostDominators() {
  int count = static_cast<int>(blocks.size());
  int exit = count;
  std::vector<std::vector<int>> predecessors(static_cast<size_t>(count) + 1);
  for (int b = 0; b < count; ++b) {
    for (int to : blocks[static_cast<size_t>(b)].successors)
      predecessors[static_cast<size_t>(to)].push_back(b);
    if (blocks[static_cast<size_t>(b)].leavesWarp)
      predecessors[static_cast<size_t>(exit)].push_back(b);
  }
  // Postorder of the reversed graph from the exit.
  std::vector<int> number(static_cast<size_t>(count) + 1, -1), order;
  std::vector<std::pair<int, size_t>> stack = {{exit, 0}};
  std::vector<char> seen(static_cast<size_t>(count) + 1, 0);
  seen[static_cast<size_t>(exit)] = 1;
  while (!stack.empty()) {
    auto &[at, next] = stack.back();
    const std::vector<int> &from = predecessors[static_cast<size_t>(at)];
    if (next < from.size()) {
      int to = from[next++];
      if (!seen[static_cast<size_t>(to)]) {
        seen[static_cast<size_t>(to)] = 1;
        stack.push_back({to, 0});
      }
      continue;
    }
    number[static_cast<size_t>(at)] = static_cast<int>(order.size());
    order.push_back(at);
    stack.pop_back();
  }
  std::vector<int> dominator(static_cast<size_t>(count) + 1, -1);
  dominator[static_cast<size_t>(exit)] = exit;
  auto meet = [&](int a, int b) {
    while (a != b) {
      while (number[static_cast<size_t>(a)] < number[static_cast<size_t>(b)])
        a = dominator[static_cast<size_t>(a)];
      while (number[static_cast<size_t>(b)] < number[static_cast<size_t>(a)])
        b = dominator[static_cast<size_t>(b)];
    }
    return a;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = order.size(); i-- > 0;) {
      int b = order[i];
      if (b == exit)
        continue;
      int best = -1;
      auto consider = [&](int to) {
        if (number[static_cast<size_t>(to)] >= 0 &&
            dominator[static_cast<size_t>(to)] >= 0)
          best = best < 0 ? to : meet(best, to);
      };
      for (int to : blocks[static_cast<size_t>(b)].successors)
        consider(to);
      if (blocks[static_cast<size_t>(b)].leavesWarp)
        consider(exit);
      if (best >= 0 && dominator[static_cast<size_t>(b)] != best) {
        dominator[static_cast<size_t>(b)] = best;
        changed = true;
      }
    }
  }
  for (int b = 0; b < count; ++b) {
    int at = dominator[static_cast<size_t>(b)];
    blocks[static_cast<size_t>(b)].postDominator = at == exit ? -1 : at;
  }
}

void Builder::assignSlots() {
  size_t words = (registers.size() + 63) / 64;
  size_t count = blocks.size();
  // Four bit sets a block: a short text whose calls expand to very much must
  // not take all memory.
  if (count * words > maxLivenessWords)
    throw PtxError{program->code[0].line,
                   "the kernel has " + std::to_string(registers.size()) +
                       " registers in " + std::to_string(count) +
                       " basic blocks, calls expanded; that is too many"};
  std::vector<uint64_t> uses(count * words), defs(count * words),
      liveIn(count * words), liveOut(count * words);
  std::vector<int64_t> begin(registers.size(), INT64_MAX),
      end(registers.size(), -1);
  auto extend = [&](size_t reg, int64_t at) {
    begin[reg] = std::min(begin[reg], at);
    end[reg] = std::max(end[reg], at);
  };
  // References come in the order of instructions. Within one, uses precede
  // definitions.
  for (size_t i = 0; i < references.size();) {
    size_t next = i;
    while (next < references.size() &&
           references[next].inst == references[i].inst)
      ++next;
    size_t row = static_cast<size_t>(blockOf[references[i].inst]) * words;
    for (size_t r = i; r < next; ++r) {
      uint32_t reg = references[r].reg;
      extend(reg, references[r].inst);
      if (references[r].isUse && !(defs[row + reg / 64] >> (reg % 64) & 1))
        uses[row + reg / 64] |= uint64_t(1) << (reg % 64);
    }
    for (size_t r = i; r < next; ++r) {
      uint32_t reg = references[r].reg;
      if (references[r].isDef && !metas[references[r].inst].guarded)
        defs[row + reg / 64] |= uint64_t(1) << (reg % 64);
      // A guarded definition keeps the old value in the other lanes.
      if (references[r].isDef && metas[references[r].inst].guarded &&
          !(defs[row + reg / 64] >> (reg % 64) & 1))
        uses[row + reg / 64] |= uint64_t(1) << (reg % 64);
    }
    i = next;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t b = count; b-- > 0;) {
      for (size_t w = 0; w < words; ++w) {
        uint64_t out = 0;
        for (int to : blocks[b].successors)
          out |= liveIn[static_cast<size_t>(to) * words + w];
        uint64_t in = uses[b * words + w] | (out & ~defs[b * words + w]);
        liveOut[b * words + w] = out;
        if (in != liveIn[b * words + w]) {
          liveIn[b * words + w] = in;
          changed = true;
        }
      }
    }
  }
  for (size_t b = 0; b < count; ++b)
    for (size_t w = 0; w < words; ++w)
      for (int side = 0; side < 2; ++side) {
        uint64_t bits = (side ? liveOut : liveIn)[b * words + w];
        for (; bits; bits &= bits - 1)
          extend(w * 64 + static_cast<size_t>(__builtin_ctzll(bits)),
                 side ? blocks[b].end - 1 : blocks[b].begin);
      }

  // Linear scan; the slot freed last is taken first, for the cache's sake.
  std::vector<uint32_t> order;
  for (size_t reg = 0; reg < registers.size(); ++reg)
    if (end[reg] >= 0)
      order.push_back(static_cast<uint32_t>(reg));
  auto entersLive = [&](size_t reg) {
    return liveIn[reg / 64] >> (reg % 64) & 1;
  };
  for (uint32_t reg : order)
    if (entersLive(reg))
      begin[reg] = -1;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return begin[a] != begin[b] ? begin[a] < begin[b] : a < b;
  });
  using Ending = std::pair<int64_t, uint32_t>;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<Ending>> active;
  std::vector<uint32_t> slot(registers.size(), 0);
  std::vector<uint32_t> freed[3];
  uint32_t bytes = 0, predicates = 1;
  auto kind = [&](uint32_t reg) {
    return registers[reg].bits == 1 ? 0 : registers[reg].bits == 32 ? 1 : 2;
  };
  for (uint32_t reg : order) {
    while (!active.empty() && active.top().first < begin[reg]) {
      uint32_t over = active.top().second;
      active.pop();
      freed[kind(over)].push_back(slot[over]);
    }
    std::vector<uint32_t> &pool = freed[kind(reg)];
    if (!pool.empty()) {
      slot[reg] = pool.back();
      pool.pop_back();
    } else if (kind(reg) == 0) {
      slot[reg] = predicates++;
    } else {
      slot[reg] = bytes;
      bytes += kind(reg) == 1 ? 128 : 256;
    }
    active.push({end[reg], reg});
    if (entersLive(reg)) {
      int special = registers[reg].special;
      program->entryValues.push_back(
          {special < 0 ? SpecialRegister::Zero
                       : static_cast<SpecialRegister>(special),
           slot[reg], kind(reg) == 2, kind(reg) == 0});
    }
  }
  program->registerBytes = bytes;
  program->predicates = predicates;
  for (const Reference &reference : references) {
    Inst &inst = program->code[reference.inst];
    if (reference.slot < 8)
      inst.op[reference.slot] = slot[reference.reg];
    else
      const_cast<uint32_t *>(inst.extra)[reference.slot - 8] =
          slot[reference.reg];
    if (observer)
      program->notes[reference.inst].registers.push_back(
          {slot[reference.reg], reference.slot, reference.reg,
           static_cast<uint8_t>(registers[reference.reg].bits), reference.isDef,
           reference.isUse});
  }
}

void Builder::placeReconvergence() {
  std::vector<char> meets(blocks.size(), 0);
  for (const BasicBlock &block : blocks) {
    Flow flow = metas[block.end - 1].flow;
    if ((flow == Flow::Branch || flow == Flow::Table) &&
        block.postDominator >= 0)
      meets[static_cast<size_t>(block.postDominator)] = 1;
  }
  std::vector<Inst> code;
  std::vector<Note> notes;
  std::vector<uint32_t> start(blocks.size());
  std::vector<uint32_t> lastOf(blocks.size());
  for (size_t b = 0; b < blocks.size(); ++b) {
    start[b] = static_cast<uint32_t>(code.size());
    if (meets[b]) {
      Inst meet;
      meet.run = runReconverge;
      meet.line = program->code[blocks[b].begin].line;
      code.push_back(meet);
      if (observer)
        notes.emplace_back();
    }
    for (uint32_t i = blocks[b].begin; i < blocks[b].end; ++i) {
      code.push_back(program->code[i]);
      if (observer)
        notes.push_back(std::move(program->notes[i]));
    }
    lastOf[b] = static_cast<uint32_t>(code.size()) - 1;
  }
  program->code = std::move(code);
  program->notes = std::move(notes);
  auto target = [&](int label) {
    return &program->code[start[static_cast<size_t>(
        blockOf[static_cast<size_t>(labelAt[static_cast<size_t>(label)])])]];
  };
  for (size_t b = 0; b < blocks.size(); ++b) {
    const Meta &meta = metas[blocks[b].end - 1];
    Inst &last = program->code[lastOf[b]];
    if (meta.flow == Flow::Jump || meta.flow == Flow::Branch)
      last.target = target(meta.label);
    if (meta.flow == Flow::Table) {
      program->jumpTables.emplace_back();
      for (int label : meta.table)
        program->jumpTables.back().push_back(target(label));
      last.extra =
          reinterpret_cast<const uint32_t *>(program->jumpTables.back().data());
      last.op[1] = static_cast<uint32_t>(meta.table.size());
    }
    if (meta.flow == Flow::Branch || meta.flow == Flow::Table)
      last.imm = blocks[b].postDominator < 0
                     ? 0
                     : reinterpret_cast<int64_t>(
                           &program->code[start[static_cast<size_t>(
                               blocks[b].postDominator)]]);
  }
}

void Builder::finish() {
  findBlocks();
  findPostDominators();
  assignSlots();
  placeReconvergence();
  uint32_t align = program->dynamicSharedAlign;
  uint32_t dynamic = (sharedStart + sharedBytes + align - 1) & ~(align - 1);
  program->staticSharedBytes =
      dynamicConstants.empty() ? sharedBytes : dynamic - sharedStart;
  for (uint32_t tagged : dynamicConstants) {
    uint64_t *lanes = constantPool.data() + tagged / 8;
    for (unsigned i = 0; i < ((tagged & 1) ? 32u : 16u); ++i)
      lanes[i] += (tagged & 1) ? dynamic : (uint64_t(dynamic) << 32 | dynamic);
  }
  program->constants.resize(constantPool.size() / 8 + 1);
  if (!constantPool.empty())
    std::memcpy(program->constants.data(), constantPool.data(),
                constantPool.size() * 8);
  if (program->localBytes)
    program->localBytes = (program->localBytes + 15) & ~15u;
  if (stackRegister >= 0) {
    program->localBytes = (program->localBytes + 127) & ~127u;
    program->stackStart = program->localBytes;
    program->localBytes += stackBytes;
  }
}
