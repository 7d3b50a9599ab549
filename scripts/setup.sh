#!/bin/sh
# Makes .venv with the exact pins of requirements.txt and the package itself. Safe to interrupt and to run again:
# the stamp is written last, and only a stamp that matches the pins, the place and the choice of torch counts as done.
#
# By uv where it is on the PATH, else by pip; by pip always where CI=true, since torch comes from a file on disk there.
# TORCH=cpu takes torch from PyTorch's own index of builds without CUDA. The choice is kept; TORCH=default undoes it.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
venv=.venv
stamp=$venv/.dlbook-stamp
place=$venv/.dlbook-place
log=$venv/setup.log
torch_without_cuda=https://download.pytorch.org/whl/cpu
packages=240 fetch_mib=3200 disk_mib=6600 free_mib_needed=9000

stop() { printf 'dlbook set-up: %s\n' "$1" >&2; exit 1; }

# A linked .venv is another checkout's, which looks after it.
[ -L $venv ] && [ -x $venv/bin/python ] && exit 0

torch=${TORCH:-$(sed -n 2p $place 2>/dev/null || true)}
torch=${torch:-default}
case $torch in
    cpu) packages=220 fetch_mib=900 disk_mib=2600 free_mib_needed=4000 ;;
    default) ;;
    *) stop "TORCH=$torch is not known; say TORCH=cpu (no GPU: a third of the bytes) or TORCH=default" ;;
esac
here=$(pwd -P)
want=$({ cat requirements.txt pyproject.toml; echo "$here $torch"; } | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && [ -x $venv/bin/python ] && exit 0

command -v "$PYTHON" >/dev/null 2>&1 ||
    stop "there is no '$PYTHON' here; install Python 3.11 or newer, or name one: make book PYTHON=/path/to/python3.11"
version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
    stop "'$PYTHON' does not run; name a working Python: make book PYTHON=/path/to/python3.11"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "Python 3.11 or newer is needed and '$PYTHON' is $version; name a newer one: make book PYTHON=/path/to/python3.11"

# The scripts of an environment name its folder, and pip takes torch's two builds for the same version.
if [ -f $place ] && [ "$(cat $place)" != "$(printf '%s\n%s' "$here" "$torch")" ]; then
    echo "dlbook set-up: this checkout was moved, or another torch is asked for: .venv is made again"
    rm -rf $venv
fi

free_mib=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
[ -d $venv/lib ] && [ -n "$(find $venv/lib -maxdepth 4 -type d -name torch 2>/dev/null)" ] && free_mib_needed=1000
[ "$free_mib" -ge "$free_mib_needed" ] ||
    stop "not enough disk space: about $free_mib_needed MiB are needed here and $free_mib MiB are free; make room and run it again"

installer=
interrupted() {
    if [ -n "$installer" ]; then
        kill "$installer" 2>/dev/null || true
        wait "$installer" 2>/dev/null || true
    fi
    printf '\ndlbook set-up: stopped; run the same command again, and it goes on from there\n' >&2
    exit 130
}
trap interrupted INT TERM

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    "$PYTHON" -m venv --clear $venv ||
        stop "'$PYTHON' cannot make a virtual environment (on Debian and Ubuntu: install python3-venv), or the disk is full"
fi
printf '%s\n%s' "$here" "$torch" >$place
: >$log

explain() {
    if grep -q -i 'No space left on device' $log; then
        stop "the disk became full; make room and run it again (it goes on where it stopped)"
    elif grep -q -i -E 'NewConnectionError|Temporary failure in name resolution|ConnectTimeout|Connection refused|Network is unreachable|Name or service not known|getaddrinfo failed|dns error|error sending request' $log; then
        stop "no network: the packages of requirements.txt could not be fetched; connect and run it again"
    fi
    tail -n 15 $log >&2
    stop "installing $1 failed (above: the end of $log)"
}

# What is fetched, by the installer's own words; then what is installed, by what lies in .venv.
how_far() {
    set -- $venv/lib/python*/site-packages/*.dist-info
    if [ $# -gt 5 ]; then
        echo "installed $(($# - 1)) of about $packages packages"
        return
    fi
    awk -v packages=$packages -v mib=$fetch_mib '
        function size(text) { sub(/.*\(/, "", text); n = text + 0; return text ~ /[kK]i?B/ ? n / 1024 : text ~ /Gi?B/ ? n * 1024 : n }
        /^ +(Downloading|Using cached) / && !/\.metadata/ { count++; sum += size($0) }     # pip
        /^Downloading .*\(/ { of[$2] = size($0) }                                           # uv begins
        /^ +Downloaded / { count++; sum += of[$2] }                                         # uv has it
        END { printf "fetched %d of about %d packages, %d of about %d MiB", count, packages, sum, mib }' $log
}

# Install what the arguments say, and tell meanwhile how far it is.
install() {
    if [ "$tool" = uv ]; then
        uv --no-progress pip install --python $venv/bin/python "$@" >>$log 2>&1 &
    else
        $venv/bin/python -m pip install --disable-pip-version-check --progress-bar off "$@" >>$log 2>&1 &
    fi
    installer=$!
    while [ -t 1 ] && kill -0 $installer 2>/dev/null; do
        printf '\r\033[2K  %s' "$(how_far)"
        sleep 1
    done
    code=0
    wait $installer || code=$?
    installer=
    [ ! -t 1 ] || printf '\r\033[2K'
    return $code
}

tool=pip faster=" (with uv on the PATH it is faster)"
if [ "${CI:-}" != true ] && command -v uv >/dev/null 2>&1; then tool=uv faster=; fi
[ "${CI:-}" != true ] || faster=
began=$(date +%s)
echo "dlbook set-up: installing about $packages packages into .venv by $tool: $fetch_mib MiB to fetch, $disk_mib MiB on disk; some minutes, once$faster"
if [ "$torch" = cpu ]; then
    # shellcheck disable=SC2046  # two pins, two arguments
    install --no-deps --index-url $torch_without_cuda $(grep -E '^(torch|torchvision)==' requirements.txt) || explain "torch without CUDA"
fi
install -r requirements.txt || explain "requirements.txt"
install --no-deps --no-build-isolation -e . || explain "the package"
printf '%s' "$want" >"$stamp.new" && mv "$stamp.new" "$stamp"
echo "dlbook set-up: done after $(($(date +%s) - began)) s"
