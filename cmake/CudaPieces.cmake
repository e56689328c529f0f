# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# LLAMAC_PTXAS: the path of ptxas, of CUDA 13.0 or later, or empty.
#
# Taken from $CUDA_HOME or /usr/local/cuda where present, else from the PyPI wheel that carries it, put into the build
# folder. Nothing of CUDA is needed to build llamac: without ptxas the tests that assemble PTX are skipped.
option(LLAMAC_FETCH_CUDA "Fetch ptxas from PyPI where no CUDA toolkit is installed" ON)

# The version of a ptxas as CUDA names it ("13.0"), empty when it does not run.
function(llamac_ptxas_version result ptxas)
  set(${result} "" PARENT_SCOPE)
  execute_process(COMMAND ${ptxas} --version OUTPUT_VARIABLE text ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0 AND text MATCHES "release ([0-9.]+)")
    set(${result} ${CMAKE_MATCH_1} PARENT_SCOPE)
  endif()
endfunction()

function(llamac_find_ptxas)
  set(candidates /usr/local/cuda/bin/ptxas)
  if(DEFINED ENV{CUDA_HOME})
    list(PREPEND candidates $ENV{CUDA_HOME}/bin/ptxas)
  endif()
  foreach(candidate IN LISTS candidates)
    if(EXISTS ${candidate})
      llamac_ptxas_version(version ${candidate})
      if(version VERSION_GREATER_EQUAL 13.0)
        message(STATUS "ptxas ${version}: ${candidate}")
        set(LLAMAC_PTXAS ${candidate} PARENT_SCOPE)
        return()
      endif()
      message(STATUS "${candidate} is of CUDA '${version}': 13.0 or later is needed")
    endif()
  endforeach()
  if(LLAMAC_FETCH_CUDA)
    set(fetched ${LLAMAC_DOWNLOADS}/cuda/nvidia/cu13/bin/ptxas)
    if(NOT EXISTS ${fetched})
      llamac_pip_download(wheel nvidia-cuda-nvcc 13.0.88
        56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03
        nvidia_cuda_nvcc-13.0.88-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl)
      if(wheel)
        file(ARCHIVE_EXTRACT INPUT ${wheel} DESTINATION ${LLAMAC_DOWNLOADS}/cuda PATTERNS "*/bin/ptxas" "*/License.txt")
        file(CHMOD ${fetched} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
        file(REMOVE ${wheel})
      else()
        message(WARNING ${wheel_MESSAGE})
      endif()
    endif()
    llamac_ptxas_version(version ${fetched})
    if(version)
      message(STATUS "ptxas ${version}: ${fetched}")
      set(LLAMAC_PTXAS ${fetched} PARENT_SCOPE)
      return()
    endif()
  endif()
  message(STATUS "No ptxas: the tests that assemble PTX are skipped")
endfunction()

set(LLAMAC_PTXAS "")
llamac_find_ptxas()
