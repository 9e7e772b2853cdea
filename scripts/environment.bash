# Sourced by the commands of this folder: a Python environment in which bottega is installed.
#
# Uses the virtual environment that is active, or makes .venv. What was installed last is remembered
# beside it, so that nothing is done when nothing has changed.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python; do
    if command -v "$name" >/dev/null &&
      "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  say "bottega needs Python 3.11 or later, and there is none on the PATH."
  exit 1
}

# use_environment GROUP...: enter the environment, and install bottega with these groups into it.
use_environment() {
  if [[ -z "${VIRTUAL_ENV:-}" ]]; then
    if [[ ! -x .venv/bin/python ]]; then
      say "Making a virtual environment in .venv"
      "$(find_python)" -m venv .venv
    fi
    # shellcheck disable=SC1091
    source .venv/bin/activate
  fi
  local group mark wanted groups=()
  for group in "$@"; do groups+=(--group "$group"); done
  mark="$VIRTUAL_ENV/.bottega-$*"
  mark="${mark// /-}"
  wanted="$(cat pyproject.toml requirements/locked.txt labextension/package.json yarn.lock | cksum; pwd)"
  if [[ "$(cat "$mark" 2>/dev/null)" != "$wanted" ]]; then
    say "Installing bottega and its groups $* into $VIRTUAL_ENV"
    if command -v uv >/dev/null; then
      UV_FIND_LINKS="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-}}" uv pip install --quiet --compile-bytecode \
        --constraint requirements/locked.txt --editable . 'pip>=25.1' "${groups[@]}"
    else
      # Dependency groups came with pip 25.1.
      python -m pip install --quiet --upgrade 'pip>=25.1'
      python -m pip install --quiet --constraint requirements/locked.txt --editable . "${groups[@]}"
    fi
    printf '%s' "$wanted" >"$mark"
  fi
}

# use_sdk_environment v2|v3: a virtual environment of its own for that line of the SageMaker Python SDK, in
# the versions of requirements/sdk_v2.txt or sdk_v3.txt. Its interpreter is then $SDK_PYTHON; the tests there
# start the daemon with $BOTTEGA_PYTHON, the interpreter of the environment that is entered.
use_sdk_environment() {
  local folder="$PWD/.venv-sdk-$1" lock="requirements/sdk_$1.txt" wanted
  SDK_PYTHON="$folder/bin/python"
  export BOTTEGA_PYTHON="$VIRTUAL_ENV/bin/python"
  wanted="$(cksum <"$lock"; "$BOTTEGA_PYTHON" --version; pwd)"
  if [[ "$(cat "$folder/.bottega" 2>/dev/null)" == "$wanted" ]]; then
    return
  fi
  say "Installing the SageMaker Python SDK of $lock into $folder"
  # Compiled at once: importing the SDK takes several times as long without. The lock is whole, or leaves out
  # what it says it leaves out, so nothing else is to come.
  if command -v uv >/dev/null; then
    uv venv --quiet --clear --python "$BOTTEGA_PYTHON" "$folder"
    uv pip sync --quiet --compile-bytecode --python "$SDK_PYTHON" "$lock"
  else
    "$BOTTEGA_PYTHON" -m venv --clear "$folder"
    "$SDK_PYTHON" -m pip install --quiet --no-deps --requirement "$lock"
  fi
  printf '%s' "$wanted" >"$folder/.bottega"
}

# sdk_tests v2|v3 OPTION...: the journeys of that SDK against a daemon of this tree.
sdk_tests() {
  say "Tests of the SageMaker Python SDK $1"
  use_sdk_environment "$1"
  "$SDK_PYTHON" -m pytest --config-file "tests/sdk_$1/pytest.ini" "tests/sdk_$1" "${@:2}"
}

# use_node_modules: what the JupyterLab extension is built and tested with, as yarn.lock says.
use_node_modules() { use_node_modules_of .; }

# use_node_modules_of FOLDER: the packages of that folder's own yarn.lock.
use_node_modules_of() {
  local state="$1/node_modules/.yarn-state.yml"
  if [[ ! -f "$state" || "$1/yarn.lock" -nt "$state" ]]; then
    say "Installing the JavaScript packages of yarn.lock"
    (cd "$1" && jlpm install --immutable)
    touch "$state"
  fi
}

# use_labextension: build the JupyterLab extension from this tree, and have JupyterLab use that.
use_labextension() {
  say "Building the JupyterLab extension"
  jlpm workspace @bottega/labextension build
  (cd jupyter_ext && jupyter-builder develop --overwrite bottega_jupyter)
}

# use_debian_packages COMMAND:PACKAGE...: install the packages whose command is missing. Without them
# the tests that need them are skipped, and say so.
use_debian_packages() {
  local pair missing=()
  for pair in "$@"; do
    compgen -G "${pair%%:*}" >/dev/null || command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  if ((${#missing[@]} == 0)) || ! command -v apt-get >/dev/null; then
    return
  fi
  if ((EUID != 0)); then
    say "Not installed: ${missing[*]}. The tests that need them are skipped; as root: apt-get install ${missing[*]}"
    return
  fi
  say "Installing the Debian packages ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || true
  local package
  for package in "${missing[@]}"; do
    apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
      say "$package could not be installed; the tests that need it are skipped."
  done
}
