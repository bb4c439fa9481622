# Sourced by the scripts beside it: makes .venv in the repository and installs unmask into it.
# shellcheck shell=bash

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
stamp="$venv/.unmask-installed"

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

# The first Python that runs, is new enough and can make environments.
find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3.14 python3 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        printf '%s\n' "$name"
        return
      fi
      fail "$name cannot make environments. Install its venv module (Debian, Ubuntu: apt-get install python3-venv) and run again."
    fi
  done
  fail "No Python of version 3.11 or newer was found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python) and run again."
}

# Runs a command quietly; prints what it said only if it fails.
quietly() {
  local what="$1" log
  shift
  log="$(mktemp)"
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "$what failed; what it said stands above."
  fi
  rm -f "$log"
}

make_venv() {
  if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    return
  fi
  local python
  python="$(find_python)" || exit 1
  printf 'Making %s with %s\n' "$venv" "$("$python" --version)" >&2
  quietly "Making the environment" "$python" -m venv --clear "$venv"
}

# A hash of what decides the installation; $1 = whether the sources belong to it.
fingerprint() {
  "$venv/bin/python" - "$root" "$1" <<'PYTHON'
import hashlib, pathlib, sys

root = pathlib.Path(sys.argv[1])
files = [root / "pyproject.toml"]
if sys.argv[2] == "with-sources":
    files += sorted(p for p in (root / "src" / "unmask").rglob("*") if p.is_file())
digest = hashlib.sha256()
for file in files:
    if "__pycache__" not in file.parts:
        digest.update(f"{file.relative_to(root)}\n".encode() + file.read_bytes())
print(digest.hexdigest())
PYTHON
}

# Whether the environment uses the sources where they lie, as scripts/test leaves it.
is_editable() {
  "$venv/bin/python" - >/dev/null 2>&1 <<'PYTHON'
import importlib.metadata, json, sys

url = importlib.metadata.distribution("unmask").read_text("direct_url.json")
sys.exit(not json.loads(url)["dir_info"].get("editable", False))
PYTHON
}

# OpenCV's usual build wants a desktop's libraries; its twin without windows does not.
check_opencv() {
  local said
  if said="$("$venv/bin/python" -c 'import cv2' 2>&1)"; then
    return
  fi
  case "$said" in
    *ImportError:*.so*) ;;
    *)
      printf '%s\n' "$said" >&2
      fail "OpenCV cannot be loaded; what it said stands above. Delete $venv and run again."
      ;;
  esac
  printf 'This machine has no desktop libraries: taking OpenCV without windows\n' >&2
  quietly "Replacing OpenCV" "$venv/bin/python" -m pip uninstall --yes opencv-python
  quietly "Replacing OpenCV" "$venv/bin/python" -m pip install --force-reinstall --no-deps "opencv-python-headless>=4.9"
  "$venv/bin/python" -c 'import cv2' >/dev/null 2>&1 ||
    fail "OpenCV lacks a system library: ${said##*$'\n'}. Install it (Debian, Ubuntu: apt-get install libgl1 libglib2.0-0) and run again."
}

# install user: what scanning needs. install dev: that, and the tools for tests, in place.
install() {
  local wanted
  make_venv
  if [ "$1" = dev ] || is_editable; then
    wanted="dev $(fingerprint without-sources)"
    # An editable environment that somebody else made serves to scan as it is.
    if [ "$1" = user ] && [ ! -e "$stamp" ]; then return; fi
  else
    wanted="user $(fingerprint with-sources)"
  fi
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    return
  fi
  printf 'Installing unmask into %s (torch is large: this can take some minutes)\n' "$venv" >&2
  rm -f "$stamp"
  # Files that were deleted from the sources would come back out of an old build.
  rm -rf "$root/build/lib"
  case "$wanted" in
    dev*) quietly "Installing" "$venv/bin/python" -m pip install --editable "$root[dev]" ;;
    *) quietly "Installing" "$venv/bin/python" -m pip install "$root" ;;
  esac
  check_opencv
  printf '%s\n' "$wanted" >"$stamp"
}
