// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX by name. Macros, so that a report's line is the line of the use.
#pragma once
using uint = unsigned;
using ull = unsigned long long;

#define SHARED(p) ((uint)__cvta_generic_to_shared(p))

// cp.async: 16 bytes of this thread.
#define COPY16(to, from)                                                       \
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(SHARED(to)),  \
               "l"(from)                                                       \
               : "memory")
#define COPY_COMMIT() asm volatile("cp.async.commit_group;" ::: "memory")
#define COPY_WAIT(pending)                                                     \
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory")

// mbarrier.
#define MBARRIER_INIT(bar, count)                                              \
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(SHARED(bar)),   \
               "r"(count)                                                      \
               : "memory")
#define MBARRIER_ARRIVE(bar)                                                   \
  asm volatile("{ .reg .b64 s; mbarrier.arrive.shared::cta.b64 s, [%0]; }" ::  \
                   "r"(SHARED(bar))                                            \
               : "memory")
#define MBARRIER_EXPECT(bar, bytes)                                            \
  asm volatile("{ .reg .b64 s; "                                               \
               "mbarrier.arrive.expect_tx.shared::cta.b64 s, [%0], %1; }" ::   \
                   "r"(SHARED(bar)),                                           \
               "r"(bytes)                                                      \
               : "memory")
#define MBARRIER_WAIT(bar, parity)                                             \
  asm volatile("{ .reg .pred p;\n"                                             \
               "again: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n" \
               "@p bra done;\n bra again;\n done: }" ::"r"(SHARED(bar)),       \
               "r"(parity)                                                     \
               : "memory")
#define FENCE_BARRIERS()                                                       \
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory")
#define FENCE_ASYNC() asm volatile("fence.proxy.async;" ::: "memory")

// Bulk copies.
#define BULK_LOAD(to, from, bytes, bar)                                        \
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"  \
               "bytes [%0], [%1], %2, [%3];" ::"r"(SHARED(to)),                \
               "l"(from), "r"(bytes), "r"(SHARED(bar))                         \
               : "memory")
#define BULK_STORE(to, from, bytes)                                            \
  asm volatile(                                                                \
      "cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(to), \
      "r"(SHARED(from)), "r"(bytes)                                            \
      : "memory")
#define BULK_ADD(to, from, bytes)                                              \
  asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.s32 "   \
               "[%0], [%1], %2;" ::"l"(to),                                    \
               "r"(SHARED(from)), "r"(bytes)                                   \
               : "memory")
#define BULK_COMMIT() asm volatile("cp.async.bulk.commit_group;" ::: "memory")
#define BULK_WAIT_READ(pending)                                                \
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(pending) : "memory")
#define BULK_WAIT(pending)                                                     \
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(pending) : "memory")

// Strong accesses of global memory.
#define LOAD_ACQUIRE(value, p)                                                 \
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];"                           \
               : "=r"(value)                                                   \
               : "l"(p)                                                        \
               : "memory")
#define STORE_RELEASE(p, value)                                                \
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(value)      \
               : "memory")
#define STORE_RELAXED(p, value)                                                \
  asm volatile("st.relaxed.gpu.global.u32 [%0], %1;" ::"l"(p), "r"(value)      \
               : "memory")
#define ADD_RELEASE(p, value)                                                  \
  asm volatile("red.release.gpu.global.add.u32 [%0], %1;" ::"l"(p), "r"(value) \
               : "memory")
#define LOAD_RELAXED64(value, p)                                               \
  asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];"                           \
               : "=l"(value)                                                   \
               : "l"(p)                                                        \
               : "memory")
#define STORE_RELAXED64(p, value)                                              \
  asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(p), "l"(value)      \
               : "memory")

// Named barriers.
#define BARRIER_SYNC(id, threads)                                              \
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory")
#define BARRIER_ARRIVE(id, threads)                                            \
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory")

// Clusters.
#define CLUSTER_ARRIVE()                                                       \
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory")
#define CLUSTER_WAIT()                                                         \
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory")
#define CLUSTER_RANK(rank)                                                     \
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank))
#define MAP_RANK(out, p, rank)                                                 \
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;"                          \
               : "=r"(out)                                                     \
               : "r"(SHARED(p)), "r"(rank))
#define LOAD_CLUSTER(value, address)                                           \
  asm volatile("ld.shared::cluster.u32 %0, [%1];"                              \
               : "=r"(value)                                                   \
               : "r"(address)                                                  \
               : "memory")
#define STORE_ASYNC(address, value, bar)                                       \
  asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 "    \
               "[%0], %1, [%2];" ::"r"(address),                               \
               "r"(value), "r"(bar)                                            \
               : "memory")

// Tensor cores.
#define LDMATRIX4(r, p)                                                        \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" \
               : "=r"((r)[0]), "=r"((r)[1]), "=r"((r)[2]), "=r"((r)[3])        \
               : "r"(SHARED(p))                                                \
               : "memory")
#define LDMATRIX2_TRANS(r, p)                                                  \
  asm volatile(                                                                \
      "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"          \
      : "=r"((r)[0]), "=r"((r)[1])                                             \
      : "r"(SHARED(p))                                                         \
      : "memory")
#define MMA_BF16(d, a, b)                                                      \
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "          \
               "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"         \
               : "+f"((d)[0]), "+f"((d)[1]), "+f"((d)[2]), "+f"((d)[3])        \
               : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]),           \
                 "r"((b)[0]), "r"((b)[1]))
