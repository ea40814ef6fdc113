#!/bin/sh
# Builds the program for an NVIDIA GPU, on a machine that need not have one. Needs Python and a C compiler beside
# what every build needs. Run it in the repository's root:
#
#     deploy/cuda/build.sh [release]
#
# CUDA_HOME names a CUDA toolkit of yours (13.0 or newer); without it one is brought from PyPI, into target/cuda.
# CUDA_COMPUTE_CAP is the GPU's compute capability, times ten: 80 for A100, 86 for A10, 89 for L4, 90 for H100 (the
# default). The kernels take some ten minutes on two cores. A machine that runs the program needs NVIDIA's driver and
# the libraries cublas, curand and cudart of the same CUDA version.
set -eu

profile=${1:-dev}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target/cuda"
cuda=$(cd "$target/cuda" && pwd)

if [ -z "${CUDA_HOME:-}" ]; then
    [ -x "$cuda/python/bin/pip" ] || python3 -m venv "$cuda/python"
    "$cuda/python/bin/pip" install --quiet \
        "cuda-toolkit[nvcc,cudart,cccl,crt,nvvm,cublas,curand,nvrtc]==13.0.*"
    CUDA_HOME=$(echo "$cuda"/python/lib/python3*/site-packages/nvidia/cu13)
    # The packages have no names that a linker looks for.
    ln -sfn lib "$CUDA_HOME/lib64"
    for library in "$CUDA_HOME"/lib/lib*.so.*; do
        plain=${library%%.so.*}.so
        [ -e "$plain" ] || ln -s "$(basename "$library")" "$plain"
    done
fi
export CUDA_HOME CUDA_PATH="$CUDA_HOME" CUDA_ROOT="$CUDA_HOME" CUDA_TOOLKIT_ROOT_DIR="$CUDA_HOME"
export PATH="$CUDA_HOME/bin:$PATH" CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-90}"
export LIBRARY_PATH="$CUDA_HOME/lib:${LIBRARY_PATH:-}"

# The driver's library is where the driver is. Here a library stands for it that has its name and the functions that
# the linker looks for; whoever runs the program gets the driver's own.
if ! ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
    mkdir -p "$cuda/driver"
    functions="CtxDestroy_v2 CtxGetCurrent CtxSetCurrent DeviceGet DeviceGetAttribute DeviceGetCount DeviceGetName
        DevicePrimaryCtxRelease_v2 DevicePrimaryCtxRetain EventCreate EventDestroy_v2 EventElapsedTime EventRecord
        EventSynchronize GetErrorName GetErrorString Init LaunchKernel MemAllocAsync MemAlloc_v2 MemFreeAsync
        MemFree_v2 MemGetInfo_v2 MemcpyDtoDAsync_v2 MemcpyDtoD_v2 MemcpyDtoHAsync_v2 MemcpyDtoH_v2 MemcpyHtoDAsync_v2
        MemcpyHtoD_v2 MemcpyPeerAsync MemsetD8Async MemsetD8_v2 ModuleGetFunction ModuleLoad ModuleLoadData
        ModuleUnload StreamCreate StreamDestroy_v2 StreamIsCapturing StreamSynchronize StreamWaitEvent"
    for function in $functions; do echo "int cu$function(void) { return 100; }"; done > "$cuda/driver/driver.c"
    ${CC:-cc} -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$cuda/driver/libcuda.so" "$cuda/driver/driver.c"
    LIBRARY_PATH="$cuda/driver:$LIBRARY_PATH"
fi

cargo build --bin radline --profile "$profile" --features cuda --target-dir "$cuda"
