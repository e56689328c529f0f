// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who knows of what: joining and asking.
#include "runtime/device/emulator/check/Knowledge.h"

#include <algorithm>

using namespace llrt::emu;

using OfBlock = Knowledge::OfBlock;

static bool before(const OfBlock &of, uint32_t block) {
  return of.block < block;
}

const OfBlock *Knowledge::find(uint32_t block) const {
  auto found = std::lower_bound(blocks.begin(), blocks.end(), block, before);
  return found != blocks.end() && found->block == block ? &*found : nullptr;
}

OfBlock &Knowledge::of(uint32_t block) {
  auto found = std::lower_bound(blocks.begin(), blocks.end(), block, before);
  if (found == blocks.end() || found->block != block) {
    OfBlock fresh;
    fresh.block = block;
    found = blocks.insert(found, std::move(fresh));
  }
  return *found;
}

static void raise(std::vector<uint32_t> &to,
                  const std::vector<uint32_t> &from) {
  if (to.size() < from.size())
    to.resize(from.size(), 0);
  for (size_t i = 0; i < from.size(); ++i)
    to[i] = std::max(to[i], from[i]);
}

static bool atLeast(const std::vector<uint32_t> &a,
                    const std::vector<uint32_t> &b, uint32_t all) {
  for (size_t i = 0; i < b.size(); ++i)
    if (b[i] > all && (i >= a.size() || a[i] < b[i]))
      return false;
  return true;
}

bool Knowledge::covers(const Knowledge &other) const {
  for (const OfBlock &theirs : other.blocks) {
    const OfBlock *mine = find(theirs.block);
    if (!mine || !atLeast(mine->threads, theirs.threads, mine->all) ||
        !atLeast(mine->phases, theirs.phases, 0))
      return false;
    if (theirs.all <= mine->all)
      continue;
    // Every single thread may be known as far.
    if (mine->threads.empty())
      return false;
    for (uint32_t clock : mine->threads)
      if (clock < theirs.all)
        return false;
  }
  return true;
}

void Knowledge::absorb(const Knowledge &other) {
  for (const OfBlock &theirs : other.blocks) {
    OfBlock &mine = of(theirs.block);
    mine.all = std::max(mine.all, theirs.all);
    raise(mine.threads, theirs.threads);
    raise(mine.phases, theirs.phases);
  }
}

void Knowledge::learnAll(uint32_t block, uint32_t clock) {
  OfBlock &mine = of(block);
  mine.all = std::max(mine.all, clock);
}

void Knowledge::learn(uint32_t block, uint32_t thread, uint32_t clock,
                      uint32_t threads) {
  OfBlock &mine = of(block);
  if (clock <= mine.all)
    return;
  if (mine.threads.size() < threads)
    mine.threads.resize(threads, 0);
  mine.threads[thread] = std::max(mine.threads[thread], clock);
}

void Knowledge::learnPhase(uint32_t block, uint32_t phase, uint32_t clock) {
  OfBlock &mine = of(block);
  if (mine.phases.size() <= phase)
    mine.phases.resize(phase + 1, 0);
  mine.phases[phase] = std::max(mine.phases[phase], clock);
}

void Knowledge::shorten() {
  for (OfBlock &each : blocks) {
    if (each.threads.empty())
      continue;
    auto [least, most] =
        std::minmax_element(each.threads.begin(), each.threads.end());
    each.all = std::max(each.all, *least);
    if (*most <= each.all)
      each.threads.clear();
  }
}

static KnowledgeRef join(const KnowledgeRef &a, const KnowledgeRef &b) {
  if (b->covers(*a))
    return b;
  if (a->covers(*b))
    return a;
  auto both = std::make_shared<Knowledge>(*a);
  both->absorb(*b);
  both->shorten();
  return both;
}

KnowledgeRef llrt::emu::joined(const KnowledgeRef &a, const KnowledgeRef &b) {
  if (!b || a == b)
    return a;
  if (!a)
    return b;
  // The lanes of a warp ask the same one after the other, in turn for what they
  // have seen and for what is fenced, and go on sharing what they get.
  struct Answer {
    KnowledgeRef a, b, both;
  };
  static thread_local Answer answers[2];
  static thread_local unsigned older = 0;
  for (const Answer &each : answers)
    if (each.a == a && each.b == b)
      return each.both;
  Answer &replaced = answers[older];
  older = 1 - older;
  replaced = {a, b, join(a, b)};
  return replaced.both;
}

KnowledgeRef Gather::copy() const {
  if (start)
    return start;
  if (sum.empty())
    return nullptr;
  auto result = std::make_shared<Knowledge>(sum);
  result->shorten();
  return result;
}

KnowledgeRef Gather::take() {
  KnowledgeRef result = copy();
  *this = Gather();
  return result;
}
