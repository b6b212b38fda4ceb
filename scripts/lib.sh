# Shared by the scripts beside this file, which source it. Written for bash 3.2 and newer.
#
# The virtual environment is `.venv` in the project, or $STATERA_VENV. It holds
#   .statera          made by these scripts, for a project in the folder written inside
#   .statera.run/dev  written last, when an install is complete: what was installed from
# An environment without a matching second file is never trusted.

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="${STATERA_VENV:-$ROOT/.venv}"
case "$VENV" in /*) ;; *) VENV="$PWD/$VENV" ;; esac
LOCK="$VENV-lock/holder"

# Settings of the caller that would make Python or pip look elsewhere than in the environment.
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PYTHONNOUSERSITE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

# Print each argument as a line on standard error.
say() { printf '%s\n' "$@" >&2; }

die() {
  say "$@"
  exit 1
}

# Print the first Python between 3.11 and 3.14 that can make a virtual environment.
find_python() {
  local candidate seen="" without_venv=""
  for candidate in "${STATERA_PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    # Run it: a name on the path can be a stub that only says it is not installed.
    local version
    version="$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" || continue
    case "$version" in
      3.11 | 3.12 | 3.13 | 3.14)
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
          command -v "$candidate"
          return 0
        fi
        without_venv="$version"
        ;;
      *) seen="$seen $candidate ($version)" ;;
    esac
  done
  if [ -n "$without_venv" ]; then
    say "Python $without_venv is here, but without the modules 'venv' and 'ensurepip'."
    say "On Debian and Ubuntu: apt-get install python$without_venv-venv"
  else
    say "Statera needs Python 3.11, 3.12, 3.13 or 3.14, and found none.${seen:+ Found:$seen.}"
    say "Install one, or name one: STATERA_PYTHON=/path/to/python3.11 $0"
  fi
  return 1
}

# What an install depends on. Kept as text, so that any change is seen.
install_inputs() { cat "$ROOT/pyproject.toml" "$ROOT/requirements/lock.txt"; }

# Succeed where the environment is complete and up to date for 'run' or 'dev'.
venv_ready() {
  local stamp="$VENV/.statera.$1"
  [ -f "$stamp" ] && [ "$(cat "$VENV/.statera" 2>/dev/null)" = "$ROOT" ] &&
    [ "$(cat "$stamp")" = "$(install_inputs)" ] &&
    "$VENV/bin/python" -c 'import statera' >/dev/null 2>&1
}

# Let one script at a time install. The lock is a link to the number of the process that holds it.
take_lock() {
  local holder told=""
  mkdir -p "${LOCK%/*}"
  until ln -s "$$" "$LOCK" 2>/dev/null; do
    holder="$(readlink "$LOCK" || true)"
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
      rm -f "$LOCK" # its process was killed
    else
      [ -n "$told" ] || say "Waiting for another install (process $holder) to end." \
        "If there is none, delete ${LOCK%/*}"
      told=yes
      sleep 1
    fi
    mkdir -p "${LOCK%/*}" || exit 1
  done
  trap release_lock EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

release_lock() {
  rm -f "$LOCK"
  rmdir "${LOCK%/*}" 2>/dev/null || true
}

drop_lock() {
  release_lock
  trap - EXIT INT TERM
}

# Make the environment ready for 'run' (the program) or 'dev' (also the tools for testing).
ensure_venv() {
  local kind="$1"
  venv_ready "$kind" && return 0
  # The development extra holds all that running needs.
  [ "$kind" = run ] && venv_ready dev && return 0
  take_lock
  if ! venv_ready "$kind"; then
    build_venv "$kind"
  fi
  drop_lock
}

build_venv() {
  local kind="$1" python target="$ROOT" started=$SECONDS
  local doing="Bringing the virtual environment up to date..."
  if [ -e "$VENV" ] && [ ! -f "$VENV/.statera" ]; then
    die "$VENV is there already and was not made by these scripts, so it is left alone." \
      "Move it away, or name another place: STATERA_VENV=/some/folder $0"
  fi
  # Keep a complete environment and bring it up to date; start again from any other.
  if ! { [ -f "$VENV/.statera.run" ] || [ -f "$VENV/.statera.dev" ]; } ||
    [ "$(cat "$VENV/.statera")" != "$ROOT" ] || ! "$VENV/bin/python" -c '' 2>/dev/null; then
    python="$(find_python)" || exit 1
    say "Making a virtual environment in $VENV ($("$python" --version))"
    rm -rf "$VENV"
    mkdir -p "$VENV"
    printf '%s\n' "$ROOT" >"$VENV/.statera"
    "$python" -m venv "$VENV"
    doing="Installing Statera and what it needs (about 1 GB on disk; one to three minutes)..."
  fi
  rm -f "$VENV/.statera.run" "$VENV/.statera.dev"
  # The program comes with what its web app needs, the PDF and the SBML of its screens included.
  if [ "$kind" = dev ]; then target="$ROOT[dev]"; else target="$ROOT[pdf,sbml,web]"; fi
  say "$doing"
  # The build tools are installed from the lock too, hence no separate environment for building.
  pip_install hatchling editables && pip_install --no-build-isolation --editable "$target" ||
    die "The install failed; see above. Check the network, then run $0 again."
  install_inputs >"$VENV/.statera.$kind.part"
  mv "$VENV/.statera.$kind.part" "$VENV/.statera.$kind"
  say "Installed in $((SECONDS - started)) s."
}

pip_install() {
  # Doubly quiet: errors only.
  "$VENV/bin/python" -m pip install -qq --progress-bar off \
    --constraint "$ROOT/requirements/lock.txt" "$@"
}
