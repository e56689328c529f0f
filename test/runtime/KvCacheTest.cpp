// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The KV-cache manager against a plain model: pages as shared pointers.
#include "runtime/KvCache.h"
#include "runtime/ExecutableFormat.h"

#include <array>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <set>

using namespace llrt;

namespace {

constexpr uint32_t pageTokens = LLAMAC_PAGE_TOKENS;

/// What a sequence should hold, page by page, shared as the manager should.
struct PlainSequence {
  std::vector<int> tokens;
  std::vector<std::shared_ptr<int>> pages;
};

class Trial {
public:
  Trial(uint32_t pages, uint32_t slots, uint32_t maxTokens)
      : cache(pages, slots, maxTokens,
              (maxTokens + pageTokens - 1) / pageTokens),
        plain(slots), memory(pages), pages(pages), maxTokens(maxTokens) {}

  uint32_t plainPagesInUse() const {
    std::set<const void *> distinct;
    for (const auto &sequence : plain)
      if (sequence)
        for (const auto &page : sequence->pages)
          distinct.insert(page.get());
    return static_cast<uint32_t>(distinct.size());
  }

  bool plainFits(const PlainSequence &sequence, uint32_t tokens) const {
    size_t end = sequence.tokens.size() + tokens;
    if (end > maxTokens)
      return false;
    size_t needed = (end + pageTokens - 1) / pageTokens - sequence.pages.size();
    if (tokens && sequence.tokens.size() % pageTokens &&
        sequence.pages.back().use_count() > 1)
      ++needed;
    return plainPagesInUse() + needed <= pages;
  }

  void grow(uint32_t slot, uint32_t tokens) {
    PlainSequence &sequence = *plain[slot];
    bool fits = plainFits(sequence, tokens);
    uint32_t freeBefore = cache.freePages(), lengthBefore = cache.length(slot);
    std::vector<PageCopy> copies;
    bool refused = static_cast<bool>(cache.check(slot, tokens));
    Error error = cache.grow(slot, tokens, copies);
    ASSERT_EQ(static_cast<bool>(error), refused);
    ASSERT_EQ(static_cast<bool>(error), !fits)
        << (error ? error.message() : "it was let in");
    if (error) {
      ASSERT_EQ(cache.freePages(), freeBefore);
      ASSERT_EQ(cache.length(slot), lengthBefore);
      ASSERT_TRUE(copies.empty());
      ++refusals;
      return;
    }
    copied += copies.size();
    for (const PageCopy &copy : copies)
      memory[copy.to] = memory[copy.from];
    if (tokens && sequence.tokens.size() % pageTokens &&
        sequence.pages.back().use_count() > 1)
      sequence.pages.back() = std::make_shared<int>();
    for (uint32_t i = 0; i < tokens; ++i) {
      size_t position = sequence.tokens.size();
      sequence.tokens.push_back(++clock);
      if (position % pageTokens == 0)
        sequence.pages.push_back(std::make_shared<int>());
      memory[cache.pages(slot)[position / pageTokens]][position % pageTokens] =
          clock;
    }
  }

  void check(uint32_t slot) {
    const PlainSequence &sequence = *plain[slot];
    ASSERT_EQ(cache.length(slot), sequence.tokens.size());
    View<int32_t> held = cache.pages(slot);
    ASSERT_EQ(held.size(), sequence.pages.size());
    for (size_t i = 0; i < sequence.tokens.size(); ++i)
      ASSERT_EQ(memory[held[i / pageTokens]][i % pageTokens],
                sequence.tokens[i])
          << "slot " << slot << " token " << i;
    for (size_t i = 0; i < held.size(); ++i)
      ASSERT_EQ(cache.referencesOf(held[i]),
                static_cast<uint32_t>(sequence.pages[i].use_count()));
  }

  KvCache cache;
  std::vector<std::unique_ptr<PlainSequence>> plain;
  std::vector<std::array<int, pageTokens>> memory;
  uint32_t pages, maxTokens;
  int clock = 0;
  size_t refusals = 0, copied = 0;
};

} // namespace

TEST(KvCacheTest, MatchesAPlainModelOver100000Steps) {
  constexpr uint32_t slots = 12;
  Trial trial(40, slots, 400);
  std::mt19937 random(12345);
  auto draw = [&](uint32_t limit) {
    return static_cast<uint32_t>(random() % limit);
  };
  size_t fullSlots = 0, forks = 0, shrinks = 0;
  for (int step = 0; step < 100000; ++step) {
    uint32_t slot = draw(slots), kind = draw(21);
    bool live = trial.plain[slot] != nullptr;
    ASSERT_EQ(trial.cache.live(slot), live);
    if (kind < 3) { // add
      Result<KvCache::Sequence> added = trial.cache.add();
      size_t used = 0;
      for (const auto &sequence : trial.plain)
        used += sequence != nullptr;
      ASSERT_EQ(static_cast<bool>(added), used < slots);
      if (added) {
        ASSERT_EQ(trial.plain[*added], nullptr);
        trial.plain[*added] = std::make_unique<PlainSequence>();
      } else {
        ++fullSlots;
      }
    } else if (kind < 15 && live) {
      trial.grow(slot, kind < 12 ? draw(4) : draw(150));
    } else if (kind < 18 && live) {
      Result<KvCache::Sequence> child = trial.cache.fork(slot);
      if (child) {
        ASSERT_EQ(trial.plain[*child], nullptr);
        trial.plain[*child] =
            std::make_unique<PlainSequence>(*trial.plain[slot]);
        ++forks;
      }
    } else if (kind == 18 && live) {
      PlainSequence &sequence = *trial.plain[slot];
      const uint32_t tokens =
          draw(static_cast<uint32_t>(sequence.tokens.size()) + 1);
      trial.cache.shrink(slot, tokens);
      sequence.tokens.resize(sequence.tokens.size() - tokens);
      sequence.pages.resize((sequence.tokens.size() + pageTokens - 1) /
                            pageTokens);
      ++shrinks;
    } else if (kind > 18 && live) {
      trial.cache.free(slot);
      trial.plain[slot] = nullptr;
    }
    if (HasFatalFailure())
      FAIL() << "step " << step;
    ASSERT_EQ(trial.cache.freePages(), trial.pages - trial.plainPagesInUse())
        << "step " << step;
    if (trial.plain[slot])
      trial.check(slot);
    if (step % 500 == 0)
      for (uint32_t i = 0; i < slots; ++i)
        if (trial.plain[i])
          trial.check(i);
  }
  for (uint32_t slot = 0; slot < slots; ++slot)
    if (trial.plain[slot]) {
      trial.check(slot);
      trial.cache.free(slot);
      trial.plain[slot] = nullptr;
    }
  EXPECT_EQ(trial.cache.freePages(), trial.pages) << "a page leaked";
  // The walk must have been through what it is to show.
  EXPECT_GT(trial.refusals, 1000u);
  EXPECT_GT(trial.copied, 1000u);
  EXPECT_GT(fullSlots, 100u);
  EXPECT_GT(forks, 1000u);
  EXPECT_GT(shrinks, 1000u);
}

TEST(KvCacheTest, RefusesOneAndLeavesItsNeighbour) {
  KvCache cache(2, 3, 1000, 16);
  std::vector<PageCopy> copies;
  KvCache::Sequence a = *cache.add(), b = *cache.add();
  ASSERT_FALSE(cache.grow(a, 64, copies));
  ASSERT_FALSE(cache.grow(b, 60, copies));
  Error error = cache.grow(a, 1, copies);
  ASSERT_TRUE(error);
  EXPECT_EQ(error.message(), "the KV cache is out of pages: 1 needed, 0 of 2 "
                             "free; wait for a sequence to end");
  EXPECT_EQ(cache.length(a), 64u);
  EXPECT_FALSE(cache.grow(b, 4, copies)) << "the neighbour's page has room";
  cache.free(b);
  EXPECT_FALSE(cache.grow(a, 1, copies));
}

TEST(KvCacheTest, CopiesASharedPageOnceAndOnlyWhenWritten) {
  KvCache cache(8, 4, 1000, 16);
  std::vector<PageCopy> copies;
  KvCache::Sequence parent = *cache.add();
  ASSERT_FALSE(cache.grow(parent, 100, copies));
  KvCache::Sequence child = *cache.fork(parent);
  EXPECT_EQ(cache.freePages(), 6u) << "a fork takes no page";
  ASSERT_FALSE(cache.grow(child, 1, copies));
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].from, cache.pages(parent)[1]);
  EXPECT_EQ(copies[0].to, cache.pages(child)[1]);
  EXPECT_EQ(cache.pages(parent)[0], cache.pages(child)[0]);
  copies.clear();
  ASSERT_FALSE(cache.grow(parent, 1, copies));
  ASSERT_FALSE(cache.grow(child, 1, copies));
  EXPECT_TRUE(copies.empty()) << "both own their last page now";
}

TEST(KvCacheTest, ForkAtAPageEdgeCopiesNothing) {
  KvCache cache(8, 4, 1000, 16);
  std::vector<PageCopy> copies;
  KvCache::Sequence parent = *cache.add();
  ASSERT_FALSE(cache.grow(parent, 64, copies));
  KvCache::Sequence child = *cache.fork(parent);
  ASSERT_FALSE(cache.grow(child, 1, copies));
  EXPECT_TRUE(copies.empty());
  EXPECT_EQ(cache.freePages(), 6u);
}

TEST(KvCacheTest, HoldsTheContextLimit) {
  KvCache cache(100, 1, 70, 2);
  std::vector<PageCopy> copies;
  KvCache::Sequence sequence = *cache.add();
  ASSERT_FALSE(cache.grow(sequence, 70, copies));
  Error error = cache.grow(sequence, 1, copies);
  ASSERT_TRUE(error);
  EXPECT_EQ(error.message(),
            "the context is full: 70 + 1 tokens, but a sequence holds 70");
  EXPECT_FALSE(cache.add()) << "there is one slot";
}
