// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of runtime/kernels as text, for the compiler that turns them into
// the module of each executable's section .llamac.kernels.ptx. The executable
// itself does not hold the text.
#ifndef LLAMAC_RUNTIME_KERNELS_KERNELSOURCES_H
#define LLAMAC_RUNTIME_KERNELS_KERNELSOURCES_H

namespace llrt {

struct KernelSource {
  const char *name; ///< "Sampler.cu"; a .h is only included
  const char *text;
};

/// Ends with an entry of nulls.
extern const KernelSource kernelSources[];

} // namespace llrt

#endif
