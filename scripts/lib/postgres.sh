# shellcheck shell=bash
#
# A private, throw-away PostgreSQL cluster for tests. To be sourced; needs nothing newer than bash 3.2,
# which is what macOS ships.
#
#   postgres_find            finds the server programs (on Debian as root: installs them)
#   postgres_start DATABASE [durable]
#                            starts a new cluster with one empty database and sets postgres_url; without
#                            `durable`, it does not wait for the disk
#   postgres_stop            stops it and removes every trace; call it from a trap, at any time
#
# A database of the user is never touched: the cluster has its own folder, port and socket, and the
# environment variables that lead PostgreSQL programs elsewhere are removed below.

for postgres_variable in $(compgen -e PG); do
  unset "$postgres_variable"
done
unset postgres_variable

postgres_minimum=15
postgres_bin=''     # folder of the server programs
postgres_dir=''     # folder of the cluster; empty: there is none
postgres_account='' # system account that runs the server; empty: the caller's
postgres_url=''

postgres_createcluster=/etc/postgresql-common/createcluster.conf

postgres_find() {
  if postgres_search; then
    return 0
  fi
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "No PostgreSQL server of version $postgres_minimum or newer: installing Debian's."
    postgres_install || return 1
    if postgres_search; then
      return 0
    fi
  fi
  cat >&2 <<EOF
No PostgreSQL server of version $postgres_minimum or newer was found (initdb, postgres, pg_ctl, pg_isready and
createdb in one folder). Its programs are enough, no server has to run. Install it with
  Debian, Ubuntu:  sudo apt-get install postgresql
  Fedora:          sudo dnf install postgresql-server
  macOS:           brew install postgresql@18
or put the folder of its programs in PATH.
EOF
  return 1
}

# Sets postgres_bin to the first folder with a complete server that is new enough.
postgres_search() {
  local folder
  while IFS= read -r folder; do
    if postgres_is_usable "$folder"; then
      postgres_bin=$folder
      return 0
    fi
  done < <(postgres_folders)
  return 1
}

# Prints the folders to look at, best first. Debian keeps the server programs out of PATH.
postgres_folders() {
  local program version prefix
  if program=$(command -v initdb); then
    dirname "$program"
  fi
  if command -v pg_config >/dev/null; then
    pg_config --bindir 2>/dev/null || true
  fi
  printf '%s\n' /usr/lib/postgresql/*/bin | sort -t / -k 5,5 -r -n
  if command -v brew >/dev/null; then
    for version in 18 17 16 15; do
      if prefix=$(brew --prefix "postgresql@$version" 2>/dev/null); then
        printf '%s\n' "$prefix/bin"
      fi
    done
  fi
}

postgres_is_usable() {
  local program major
  for program in initdb postgres pg_ctl pg_isready createdb; do
    [ -x "$1/$program" ] || return 1
  done
  major=$("$1/postgres" --version | sed -n 's/^postgres (PostgreSQL) \([0-9][0-9]*\).*/\1/p')
  [ -n "$major" ] && [ "$major" -ge "$postgres_minimum" ]
}

# Installs Debian's server without the cluster that the package would create and start: it would
# take the default port of a machine that is not ours.
postgres_install() {
  local status=0
  mkdir -p "$(dirname "$postgres_createcluster")"
  if [ -e "$postgres_createcluster" ]; then
    cp -p "$postgres_createcluster" "$postgres_createcluster.forge-saved"
  else
    : >"$postgres_createcluster.forge-absent"
  fi
  echo 'create_main_cluster = false' >>"$postgres_createcluster"
  apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Use-Pty=0 postgresql </dev/null || status=1
  postgres_restore_createcluster
  return "$status"
}

postgres_restore_createcluster() {
  if [ -e "$postgres_createcluster.forge-saved" ]; then
    mv -f "$postgres_createcluster.forge-saved" "$postgres_createcluster"
  elif [ -e "$postgres_createcluster.forge-absent" ]; then
    rm -f "$postgres_createcluster" "$postgres_createcluster.forge-absent"
    # Only ours if the package never got as far as making it.
    rmdir "$(dirname "$postgres_createcluster")" 2>/dev/null || true
  fi
}

# Runs a program of the server. They refuse to run as root.
postgres_run() {
  local program=$postgres_bin/$1
  shift
  # From a folder that the account may enter, and with a locale that every system has: without one
  # the server does not start on macOS.
  (
    cd "$postgres_dir" || exit 1
    export LC_ALL=C
    if [ -z "$postgres_account" ]; then
      exec "$program" "$@"
    elif command -v runuser >/dev/null; then
      exec runuser -u "$postgres_account" -- "$program" "$@"
    else
      # shellcheck disable=SC2016 # the inner shell expands these
      exec su -s /bin/sh -c 'exec "$@"' -- "$postgres_account" sh "$program" "$@"
    fi
  )
}

postgres_start() {
  local database=$1 attempt port=''
  # Not in TMPDIR: the path of a unix socket may have about 100 characters, and as root the server's
  # account has to be able to reach the folder.
  postgres_dir=$(mktemp -d /tmp/forge-pg.XXXXXX) || return 1
  if [ "$(id -u)" -eq 0 ]; then
    postgres_account=nobody
    if id -u postgres >/dev/null 2>&1; then
      postgres_account=postgres
    fi
    chown "$postgres_account" "$postgres_dir" || return 1
  fi

  # Redirected as sub-shells, here and below: a trap that fires meanwhile still writes to the terminal.
  if ! (postgres_run initdb -D "$postgres_dir/data" -U forge -A trust -E UTF8 --locale=C --no-sync) \
    >"$postgres_dir/initdb.log" 2>&1; then
    postgres_show_log initdb.log
    return 1
  fi
  cat >>"$postgres_dir/data/postgresql.conf" <<EOF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$postgres_dir'
max_connections = 300
shared_buffers = 128MB
EOF
  if [ "${2:-}" != durable ]; then
    # Nothing in this cluster has to survive a crash.
    cat >>"$postgres_dir/data/postgresql.conf" <<EOF
fsync = off
synchronous_commit = off
full_page_writes = off
EOF
  fi

  # A port that looks free may be taken before the server has it, so the server itself tries.
  for attempt in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    if (postgres_run pg_ctl start -s -w -t 30 -D "$postgres_dir/data" -l "$postgres_dir/server.log" \
      -o "-p $port") >/dev/null 2>&1; then
      break
    fi
    if [ "$attempt" -eq 5 ] || ! grep -q 'could not create any TCP/IP sockets' "$postgres_dir/server.log"; then
      postgres_show_log server.log
      return 1
    fi
    rm -f "$postgres_dir/server.log"
  done

  if ! postgres_wait "$port" ||
    ! postgres_run createdb -w -h 127.0.0.1 -p "$port" -U forge "$database"; then
    postgres_show_log server.log
    return 1
  fi
  # shellcheck disable=SC2034 # for the script that sources this
  postgres_url=postgres://forge@127.0.0.1:$port/$database
}

# Waits at most 30 seconds until the server answers where the tests will look for it.
postgres_wait() {
  local deadline=$((SECONDS + 30))
  until postgres_run pg_isready -q -h 127.0.0.1 -p "$1" -U forge -d postgres; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      return 1
    fi
    sleep 0.1
  done
}

postgres_show_log() {
  echo "PostgreSQL did not start; the end of its $1:" >&2
  tail -n 40 "$postgres_dir/$1" >&2 || true
}

postgres_stop() {
  local attempt
  postgres_restore_createcluster
  if [ -z "$postgres_dir" ]; then
    return 0
  fi
  if [ -e "$postgres_dir/data/postmaster.pid" ]; then
    (postgres_run pg_ctl stop -s -w -t 30 -m immediate -D "$postgres_dir/data") >/dev/null 2>&1 || true
  fi
  # A server that was interrupted while it started may still be writing on its way out.
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if rm -rf "$postgres_dir" 2>/dev/null; then
      postgres_dir=''
      return 0
    fi
    sleep 0.2
  done
  echo "could not remove $postgres_dir ($attempt attempts)" >&2
  return 1
}
