#!/bin/sh
# Makes .venv with the exact pins of requirements.txt and the package itself. Safe to interrupt and to run again:
# the stamp is written last, and only a stamp that matches both files counts as done.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
venv=.venv
stamp=$venv/.dlbook-stamp
log=$venv/setup.log
free_mib_needed=9000

stop() { printf 'dlbook set-up: %s\n' "$1" >&2; exit 1; }

want=$(cat requirements.txt pyproject.toml | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && [ -x $venv/bin/python ] && exit 0

command -v "$PYTHON" >/dev/null 2>&1 ||
    stop "there is no '$PYTHON' here; install Python 3.11 or newer, or name one: make book PYTHON=/path/to/python3.11"
version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
    stop "'$PYTHON' does not run; name a working Python: make book PYTHON=/path/to/python3.11"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "Python 3.11 or newer is needed and '$PYTHON' is $version; name a newer one: make book PYTHON=/path/to/python3.11"

free_mib=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
[ -d $venv/lib ] && [ -n "$(find $venv/lib -maxdepth 4 -type d -name torch 2>/dev/null)" ] && free_mib_needed=1000
[ "$free_mib" -ge "$free_mib_needed" ] ||
    stop "not enough disk space: about $free_mib_needed MiB are needed here and $free_mib MiB are free; make room and run it again"

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$PYTHON" -m venv --clear $venv ||
        stop "'$PYTHON' cannot make a virtual environment (on Debian and Ubuntu: install python3-venv), or the disk is full"
fi

explain() {
    if grep -q -i 'No space left on device' $log; then
        stop "the disk became full; make room and run it again (it goes on where it stopped)"
    elif grep -q -i -E 'NewConnectionError|Temporary failure in name resolution|ConnectTimeout|Connection refused|Network is unreachable|Name or service not known|getaddrinfo failed' $log; then
        stop "no network: the packages of requirements.txt could not be fetched; connect and run it again"
    fi
    tail -n 15 $log >&2
    stop "installing $1 failed (above: the end of $log)"
}

echo "dlbook set-up: installing the pins of requirements.txt into .venv (some minutes, once)"
$venv/bin/python -m pip install --disable-pip-version-check --progress-bar off -r requirements.txt >$log 2>&1 || explain "requirements.txt"
$venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e . >>$log 2>&1 || explain "the package"
printf '%s' "$want" >"$stamp.new" && mv "$stamp.new" "$stamp"
