// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Our declarations of the driver API against cuda.h, where a CUDA toolkit is.
#include "runtime/device/cuda/CudaApi.h"

#include <cstddef>
#include <gtest/gtest.h>

#ifdef LLAMAC_HAS_CUDA_H
#include <cuda.h>

namespace mine = llrt::cuda;

TEST(CudaApiTest, ValuesAreThoseOfCudaH) {
  EXPECT_EQ(int(mine::outOfMemory), int(CUDA_ERROR_OUT_OF_MEMORY));
  EXPECT_EQ(int(mine::stubLibrary), int(CUDA_ERROR_STUB_LIBRARY));
  EXPECT_EQ(int(mine::noDevice), int(CUDA_ERROR_NO_DEVICE));
  EXPECT_EQ(int(mine::multiprocessorCount),
            int(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  EXPECT_EQ(int(mine::computeCapabilityMajor),
            int(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR));
  EXPECT_EQ(int(mine::computeCapabilityMinor),
            int(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  EXPECT_EQ(int(mine::sharedSizeBytes),
            int(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
  EXPECT_EQ(int(mine::localSizeBytes), int(CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES));
  EXPECT_EQ(int(mine::numRegs), int(CU_FUNC_ATTRIBUTE_NUM_REGS));
  EXPECT_EQ(int(mine::maxDynamicSharedSizeBytes),
            int(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES));
  EXPECT_EQ(int(mine::nonPortableClusterSizeAllowed),
            int(CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED));
  EXPECT_EQ(int(mine::infoLogBuffer), int(CU_JIT_INFO_LOG_BUFFER));
  EXPECT_EQ(int(mine::infoLogBufferBytes),
            int(CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES));
  EXPECT_EQ(int(mine::errorLogBuffer), int(CU_JIT_ERROR_LOG_BUFFER));
  EXPECT_EQ(int(mine::errorLogBufferBytes),
            int(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES));
  EXPECT_EQ(int(mine::cooperative), int(CU_LAUNCH_ATTRIBUTE_COOPERATIVE));
  EXPECT_EQ(int(mine::clusterDimension),
            int(CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION));
  EXPECT_EQ(int(mine::programmaticStreamSerialization),
            int(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION));
}

TEST(CudaApiTest, LayoutsAreThoseOfCudaH) {
  EXPECT_EQ(sizeof(mine::LaunchAttribute), sizeof(CUlaunchAttribute));
  EXPECT_EQ(offsetof(mine::LaunchAttribute, value),
            offsetof(CUlaunchAttribute, value));
  EXPECT_EQ(sizeof(mine::LaunchConfig), sizeof(CUlaunchConfig));
  EXPECT_EQ(offsetof(mine::LaunchConfig, sharedBytes),
            offsetof(CUlaunchConfig, sharedMemBytes));
  EXPECT_EQ(offsetof(mine::LaunchConfig, stream),
            offsetof(CUlaunchConfig, hStream));
  EXPECT_EQ(offsetof(mine::LaunchConfig, attributes),
            offsetof(CUlaunchConfig, attrs));
  EXPECT_EQ(offsetof(mine::LaunchConfig, attributeCount),
            offsetof(CUlaunchConfig, numAttrs));
  EXPECT_EQ(sizeof(mine::DevicePointer), sizeof(CUdeviceptr));
  CUlaunchAttribute theirs{};
  theirs.value.clusterDim = {1, 2, 3};
  auto &ours = reinterpret_cast<mine::LaunchAttribute &>(theirs);
  EXPECT_EQ(ours.value.cluster.y, 2u);
}
#else
TEST(CudaApiTest, NeedsCudaH) { GTEST_SKIP() << "no cuda.h on this machine"; }
#endif
