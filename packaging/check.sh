#!/usr/bin/env bash
# check.sh BINARY: makes a Debian package of a built skchat, unpacks it, and checks that everything it installs is there
# and works: the program, its manual pages, completions, example configuration and licences.
set -euo pipefail
here="$(dirname "$(realpath "$0")")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"

fail() {
    echo "packages: $1" >&2
    exit 1
}

package="$(COMPRESSION=none "$here/deb.sh" "$1" "$work")"
dpkg-deb -x "$package" "$root"

for file in usr/bin/skchat usr/share/man/man1/skchat.1.gz usr/share/man/man1/skchat-send.1.gz \
    usr/share/bash-completion/completions/skchat usr/share/zsh/vendor-completions/_skchat \
    usr/share/fish/vendor_completions.d/skchat.fish usr/share/doc/skchat/copyright \
    usr/share/doc/skchat/changelog.gz usr/share/doc/skchat/third-party-licences.gz \
    usr/share/doc/skchat/examples/config.toml; do
    [ -s "$root/$file" ] || fail "$file is missing in $package"
done

# The package, the program and the PKGBUILD for Arch have the same version.
version="$("$root/usr/bin/skchat" --version | cut -d' ' -f2)"
[ "$(dpkg-deb -f "$package" Version)" = "$version-1" ] || fail "the version of the package is not $version"
grep -q "^pkgver=$version\$" "$here/arch/PKGBUILD" || fail "the version in arch/PKGBUILD is not $version"

# Everything in it belongs to root, and nothing is writable by others.
dpkg-deb -c "$package" | awk '$2 != "root/root" || ($1 !~ /^l/ && substr($1, 9, 1) == "w") { print; bad = 1 }
    END { exit bad }' || fail "these files have the wrong owner or mode"

gzip -dc "$root/usr/share/man/man1/skchat.1.gz" | grep -q '^\.TH skchat' || fail "skchat.1.gz is not a manual page"
gzip -dc "$root/usr/share/doc/skchat/third-party-licences.gz" > "$work/licences"
grep -q '^spellbook .*MPL-2.0' "$work/licences" || fail "spellbook's licence is not named"
grep -q 'Mozilla Public License' "$work/licences" || fail "the text of spellbook's licence is missing"
SKCHAT_CONFIG="$root/usr/share/doc/skchat/examples/config.toml" SKCHAT_TOKEN=x "$root/usr/bin/skchat" config check \
    >/dev/null || fail "there are mistakes in the example configuration"

# The completions load, and complete a command from its first letters.
bash --norc -c '
    source "$1"
    COMP_WORDS=(skchat doct) COMP_CWORD=1
    _skchat skchat doct skchat
    [ "${COMPREPLY[*]}" = doctor ]
' bash "$root/usr/share/bash-completion/completions/skchat" || fail "the completions for bash do not work"
tried=bash
if command -v zsh >/dev/null; then
    zsh -fc '
        fpath=("$1" $fpath)
        autoload -Uz compinit && compinit -u -D
        [[ ${_comps[skchat]} = _skchat ]] && autoload +X _skchat
    ' zsh "$root/usr/share/zsh/vendor-completions" || fail "the completions for zsh do not load"
    tried="$tried, zsh"
fi
if command -v fish >/dev/null; then
    HOME="$work" fish --no-config -c 'source $argv[1]; complete -C "skchat doct"' \
        "$root/usr/share/fish/vendor_completions.d/skchat.fish" | grep -q '^doctor' \
        || fail "the completions for fish do not work"
    tried="$tried, fish"
fi
echo "the package is complete; completions tested in $tried"
