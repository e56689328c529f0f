# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Shared by test/check.sh and examples/quickstart.sh, which source it from the root of the tree:
# installs what is missing, configures and builds. Doing it again does only what is left to do.

# What Debian 12 has to bring. LLVM and MLIR 22 come from its own archive.
packages=(
  cmake ninja-build ccache                                       # build
  clang-22 lld-22 libstdc++-12-dev                               # compile and link
  libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools         # the compiler's libraries, FileCheck, lit, mlir-runner
  libcli11-dev nlohmann-json3-dev libxxhash-dev libgtest-dev     # headers; docs/dependencies.md says what for
  python3 python3-pip                                            # lit; pip fetches sentencepiece's source
  xz-utils                                                       # packs bench/gpu-kit
)

say() { printf '== [%4d s] %s\n' "$SECONDS" "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

install_packages() {
  local missing=() package
  command -v dpkg-query >/dev/null || die "this script installs with apt, which this system has not.
Install the equivalents of: ${packages[*]}
and build with: cmake --preset release && cmake --build --preset release"
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  if [ ${#missing[@]} = 0 ]; then
    say "every package that the build needs is installed"
    return
  fi
  local root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo: install ${missing[*]}"
    root=(sudo)
  fi
  say "installing with apt: ${missing[*]}"
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >build/apt.log 2>&1 ||
    { tail -n 20 build/apt.log >&2; die "apt-get could not install them; all that it said is in build/apt.log"; }
}

# configure PRESET
configure() {
  say "configuring build/$1"
  cmake --preset "$1" >"build/configure-$1.log" 2>&1 ||
    { tail -n 40 "build/configure-$1.log" >&2; die "cmake failed; all that it said is in build/configure-$1.log"; }
  sed -n 's/^-- \(Fetching .*\|.*ptxas.*\)/            \1/p' "build/configure-$1.log"
}

# build PRESET TARGET...
build() {
  local preset=$1; shift
  say "building $* in build/$preset"
  local jobs; jobs=$(nproc)
  NINJA_STATUS='[%f/%t] ' ninja -C "build/$preset" -j "$jobs" "$@" >"build/build-$preset.log" 2>&1 ||
    { grep -E -A 30 '^FAILED|error:' "build/build-$preset.log" | tail -n 60 >&2
      die "the build failed; all that it said is in build/build-$preset.log"; }
}

mkdir -p build
export CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache}
