# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -DFILES=A.cu|B.h -DOUT=KernelSources.cpp -P Embed.cmake: the files as text, see KernelSources.h.
string(REPLACE "|" ";" FILES "${FILES}")
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} content)
  string(APPEND entries "    {\"${name}\", R\"llamac(${content})llamac\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"runtime/kernels/KernelSources.h\"

const llrt::KernelSource llrt::kernelSources[] = {
${entries}    {nullptr, nullptr}};
")
