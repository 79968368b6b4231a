#!/bin/sh
# Make the environment VENV hold the packages of requirements/LOCK.txt, for the Makefile.
#
#   requirements/install.sh VENV LOCK [OPTION OF pip OR uv]…
#
# Nothing happens when it holds them already. An installation that was interrupted goes on. An environment that was
# made from other requirements, or for another Python than PYTHON names, is made anew, so that no stray stays in it.
# uv installs if it is on PATH, else the environment's own pip; UV= (empty) chooses pip.
set -eu
cd "$(dirname "$0")/.."
venv=$1 lock=$2
shift 2
requirements=requirements/$lock.txt
installed=$venv/$lock.txt    # a copy of the requirements, once they are installed
begun=$installed.part        # the same until then

if [ -z "${PYTHON:-}" ] && [ -x "$venv/bin/python" ] && cmp -s "$requirements" "$installed"; then
    exit
fi

# The path of the interpreter itself: what PATH finds may be a shim, or the environment that is about to be made anew.
find_python() {
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        "$name" -c 'import sys; assert sys.version_info >= (3, 11); print(sys._base_executable)' 2>/dev/null && return
    done
    echo "LiteVault needs Python 3.11 or newer, and ${PYTHON:-python3} is not, or does not run." >&2
    echo "Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2
    return 1
}

version_of() {
    "$1" -c 'import sys; print(sys.version)' 2>/dev/null
}

# Whether all that is in the environment comes from today's requirements and the same Python.
is_usable() {
    [ -x "$venv/bin/python" ] && [ "$(version_of "$venv/bin/python")" = "$(version_of "$python")" ] || return 1
    is_ours=no
    for copy in "$venv"/*.txt "$venv"/*.txt.part; do
        [ -e "$copy" ] || continue
        cmp -s "$copy" "requirements/$(basename "$copy" .part)" || return 1
        is_ours=yes
    done
    [ $is_ours = yes ]
}

python=$(find_python)
if is_usable; then
    if cmp -s "$requirements" "$installed"; then exit; fi
    # Of a package whose installation was cut off, pip would believe that it is there.
    for package in "$venv"/lib/python*/site-packages/*.dist-info; do
        if [ -d "$package" ] && [ ! -e "$package/RECORD" ]; then rm -r "$package"; fi
    done
else
    rm -rf "$venv"
    if ! "$python" -m venv "$venv"; then
        echo "$python cannot make an environment. On Debian and Ubuntu: apt install python3-venv" >&2
        rm -rf "$venv"
        exit 1
    fi
fi
cp "$requirements" "$begun"

uv=${UV-$(command -v uv || true)}
packages=$(grep -c '==' "$requirements")
compile=--compile
case $lock in
    base) purpose="running LiteVault" compile=--no-compile ;;
    dev) purpose="its tests and checks" ;;
    bench) purpose="its benchmarks" ;;
    build) purpose="its releases" ;;
    audit) purpose="its list of packages" compile=--no-compile ;;
    docs) purpose="the pages of its docs" compile=--no-compile ;;
    kubernetes) purpose="the schemas of Kubernetes" compile=--no-compile ;;
    mutation) purpose="its mutants" ;;
    *) purpose="a small real model" ;;
esac
if [ -n "$uv" ]; then
    installer=$("$uv" --version | cut -d ' ' -f 1,2)
else
    installer=$("$venv/bin/python" -m pip --version | cut -d ' ' -f 1,2)
fi
echo "Installing $packages packages into $venv with $installer, for $purpose. This happens once …"

# Ready-made packages only, so that no compiler is needed. To compile all byte code takes long, and running needs
# little of it: Python compiles what it imports. The processes of the tests should not have to wait for that.
set -- --quiet --only-binary :all: --require-hashes -r "$requirements" "$@"
if [ -n "$uv" ]; then
    "$uv" pip install --python "$venv/bin/python" "$@" || failed=yes
else
    "$venv/bin/python" -m pip --disable-pip-version-check install $compile "$@" || failed=yes
fi
if [ -n "${failed:-}" ]; then
    echo "The packages of $requirements could not be installed; the lines above say why. Is the network there?" >&2
    echo "The same command again goes on where this one stopped." >&2
    exit 1
fi
mv "$begun" "$installed"
