# gst-tsrec: functions that the scripts of pipelines/ and examples/ share; sourced by them
#
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# setup PURPOSE...   installs missing packages, builds the plugins, and makes
#                    GStreamer find them. If REC_BUILD_DIR is set, it only makes
#                    GStreamer find the plugins in that build.
# fail TEXT...       prints the reason and exits with status 1
# bad_usage TEXT...  prints the reason and exits with status 2
# install_page       fetches hls.js for the page of the service, once
# version            prints the version
# print_problem LINE prints a line of gst-launch-1.0 if it is a warning or error
# launch_in_place ELEMENTS...
#                    replaces the script with gst-launch-1.0, and prints only its
#                    warnings and errors

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

bad_usage() {
  echo "${0##*/}: $* (${0##*/} --help lists the options)" >&2
  exit 2
}

print_problem() {
  case $1 in
    "WARNING: "* | "ERROR: "*) echo "${1%%:*}: ${1#*: from element *: }" >&2 ;;
    *) return 1 ;;
  esac
}

# "gst-launch-1.0 -q" would also hide warnings. Ctrl+C reaches every process of the
# terminal; the reader ignores it, so that the last warnings are still printed.
launch_in_place() {
  LC_MESSAGES=C LANGUAGE='' exec gst-launch-1.0 -e "$@" > >(
    trap '' INT
    while IFS= read -r line; do print_problem "$line" || :; done
  )
}

# Prints the comment at the top of the script, from "Usage:" on, as its --help.
usage() {
  sed -n '/^# Usage:/,/^[^#]/ { s/^# \{0,1\}//p }' "$0" | sed '${/^$/d}'
}

version() {
  echo "gst-tsrec $(sed -n "s/^  version : '\(.*\)',/\1/p" "$top/meson.build")"
}

build_plugins() {
  local dir=$top/build log
  log=$(mktemp) || exit 1
  if [ ! -f "$dir/build.ninja" ]; then
    echo "Building gst-tsrec in $dir" >&2
    meson setup "$dir" "$top" --buildtype=release -Dtests=auto >"$log" 2>&1 ||
      { tail -n 15 "$log" >&2; rm -f "$log"; fail "could not configure the build, see above"; }
  fi
  ninja -C "$dir" plugins >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; rm -f "$log"; fail "could not build the plugins, see above"; }
  rm -f "$log"
}

# registry_of BUILD-DIR: prints the path of the plugin registry, one per build. It is
# in the cache folder if this user cannot write to the build folder (a service that
# runs a build owned by root, for example): GStreamer makes the file accessible only
# to its user, and scans every plugin at each start if it can neither read nor write it.
registry_of() {
  local cache=${CACHE_DIRECTORY:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/gst-tsrec}
  if [ ! -w "$1" ] && mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ]; then
    echo "$cache/registry.bin"
  else
    echo "$1/registry.bin"
  fi
}

setup() {
  local dir=${REC_BUILD_DIR:-}
  if [ -z "$dir" ]; then
    "$top/pipelines/install-deps" build "$@" || exit 1
    build_plugins
    dir=$top/build
  fi
  export GST_PLUGIN_PATH_1_0=$dir/gst${GST_PLUGIN_PATH_1_0:+:$GST_PLUGIN_PATH_1_0}
  export GST_REGISTRY_1_0=${GST_REGISTRY_1_0:-$(registry_of "$dir")}
  # A service with DynamicUser= has no HOME; GLib warns about this at each start.
  export HOME=${HOME:-${CACHE_DIRECTORY:-/nonexistent}}
  # One call lists all elements; one call per element would delay the recording.
  elements=$'\n'$(gst-inspect-1.0 2>/dev/null | sed -n 's/^[^ :]*:  *\([^ :]*\): .*/\1/p')$'\n'
  first_element tsrecsink >/dev/null ||
    fail "GStreamer does not find tsrecsink in $dir/gst; gst-inspect-1.0 $dir/gst/tsrec/libgsttsrec.so prints the reason"
}

# first_element NAME...: prints the first installed element; false if there is none
first_element() {
  local name
  for name in "$@"; do
    if [[ $elements == *$'\n'"$name"$'\n'* ]]; then
      echo "$name"
      return 0
    fi
  done
  return 1
}

# What npm installed is good as long as it was installed from this lock file. With
# REC_BUILD_DIR set somebody else has installed Node.js.
install_page() {
  local web=$top/pipelines/lib/web
  cmp -s "$web/package-lock.json" "$web/node_modules/.installed" && return
  [ -n "${REC_BUILD_DIR:-}" ] || "$top/pipelines/install-deps" serve || exit 1
  echo "Installing hls.js by npm" >&2
  npm ci --prefix "$web" --silent >&2 ||
    fail "npm could not install what $web/package.json names"
  cp "$web/package-lock.json" "$web/node_modules/.installed"
}

# run_server ANNOUNCEMENT PROPERTY=VALUE...: the element recserver, until Ctrl+C
# or SIGTERM; "%s" of the announcement is its URL. gst-launch-1.0 runs in a session
# of its own, so that Ctrl+C in the terminal reaches this script alone: a second
# SIGINT would make it skip the EOS. SIGHUP reads the configuration again.
run_server() {
  local announcement=$1 child status=0
  shift
  first_element recserver >/dev/null ||
    fail "this build has no recserver: it needs libsoup-3.0 and json-glib-1.0 (pipelines/install-deps build)"
  LC_MESSAGES=C LANGUAGE='' setsid env --default-signal=INT,HUP \
    setpriv --pdeathsig INT gst-launch-1.0 -e -v recserver "tools-directory=$top/pipelines" "$@" > >(
    trap '' INT TERM HUP
    while IFS= read -r line; do
      # shellcheck disable=SC2059 # the format is ours
      [[ $line == *": url = "* ]] && printf "$announcement\n" "${line##* }"
      print_problem "$line" || :
    done
  ) &
  child=$!
  trap 'kill -INT "$child" 2>/dev/null' INT TERM
  trap 'kill -HUP "$child" 2>/dev/null' HUP
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    status=$?
  done
  [ "$status" -eq 0 ] || return 1
}
