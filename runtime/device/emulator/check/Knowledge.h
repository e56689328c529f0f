// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who knows of what: the vector clocks behind the race check.
//
// Happens-before is decided as FastTrack does (Flanagan and Freund, PLDI 2009):
// every access is stamped with its thread and a clock; it is ordered before a
// later one if the later thread has learnt, through synchronisation, of the
// earlier thread up to that clock. Two things make it affordable for a grid of
// a hundred thousand threads. One clock counts for a whole block: it ticks at
// every synchronisation of any of its threads, so that after a barrier all that
// is known of a block is one number. And what threads know is shared: threads
// that came out of the same barrier point at the same Knowledge.
//
// The phases of mbarriers are actors of their own, one per mbarrier, because
// copies complete in any order: who has waited for one mbarrier knows nothing
// of the copies that another one counts.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_KNOWLEDGE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_KNOWLEDGE_H

#include <cstdint>
#include <memory>
#include <vector>

namespace llrt::emu {

/// Stands for the whole grid before this one (griddepcontrol.wait).
constexpr uint32_t previousGrid = ~0u;

class Knowledge {
public:
  struct OfBlock {
    uint32_t block = 0;
    uint32_t all = 0;              ///< every thread of it up to this clock
    std::vector<uint32_t> threads; ///< single threads, beyond `all`; or empty
    std::vector<uint32_t> phases;  ///< mbarriers, by their number in the block
  };

  const OfBlock *find(uint32_t block) const;
  bool knows(uint32_t block, uint32_t thread, uint32_t clock) const {
    const OfBlock *of = find(block);
    return of && (clock <= of->all || (thread < of->threads.size() &&
                                       clock <= of->threads[thread]));
  }
  bool knowsAll(uint32_t block, uint32_t clock) const {
    const OfBlock *of = find(block);
    return of && clock <= of->all;
  }
  bool knowsPhase(uint32_t block, uint32_t phase, uint32_t clock) const {
    const OfBlock *of = find(block);
    return of && phase < of->phases.size() && clock <= of->phases[phase];
  }
  bool covers(const Knowledge &other) const;
  bool empty() const { return blocks.empty(); }

  void absorb(const Knowledge &other);
  void learnAll(uint32_t block, uint32_t clock);
  /// `threads`: how many the block has.
  void learn(uint32_t block, uint32_t thread, uint32_t clock, uint32_t threads);
  void learnPhase(uint32_t block, uint32_t phase, uint32_t clock);
  /// Single threads that `all` says as well are dropped.
  void shorten();
  void clear() { blocks.clear(); }

private:
  std::vector<OfBlock> blocks; ///< by block
  OfBlock &of(uint32_t block);
};

/// Never changes once it is shared. Null: knows nothing.
using KnowledgeRef = std::shared_ptr<const Knowledge>;

KnowledgeRef joined(const KnowledgeRef &a, const KnowledgeRef &b);

inline bool knows(const KnowledgeRef &ref, uint32_t block, uint32_t thread,
                  uint32_t clock) {
  return ref && ref->knows(block, thread, clock);
}

/// Collects what several threads bring.
class Gather {
public:
  void add(const KnowledgeRef &ref) {
    if (!ref || ref == last)
      return;
    if (!last && sum.empty())
      start = ref;
    else
      start = nullptr;
    last = ref;
    sum.absorb(*ref);
  }
  void learn(uint32_t block, uint32_t thread, uint32_t clock,
             uint32_t threads) {
    start = nullptr;
    sum.learn(block, thread, clock, threads);
  }
  void learnAll(uint32_t block, uint32_t clock) {
    start = nullptr;
    sum.learnAll(block, clock);
  }
  void learnPhase(uint32_t block, uint32_t phase, uint32_t clock) {
    start = nullptr;
    sum.learnPhase(block, phase, clock);
  }
  /// What has been collected; the Gather is empty afterwards.
  KnowledgeRef take();
  /// The same, and it is kept.
  KnowledgeRef copy() const;

private:
  Knowledge sum;
  KnowledgeRef last;
  KnowledgeRef start; ///< all that has been added so far, if it was one
};

} // namespace llrt::emu

#endif
