#!/usr/bin/env bash
# layout.sh BINARY ROOT: puts what a package installs into ROOT: the program, its manual pages, completions for bash, zsh
# and fish, the example configuration, and the licences. All packages in this folder are made from it.
#
# ZSH_FUNCTIONS is the distribution's folder for zsh completions.
set -euo pipefail
binary="$(realpath "$1")"
root="$2"
cd "$(dirname "$0")/.."

zsh="${ZSH_FUNCTIONS:-/usr/share/zsh/site-functions}"
doc="$root/usr/share/doc/skchat"
man="$root/usr/share/man/man1"

# put FILE: writes standard input to a file of the package.
put() {
    mkdir -p "$(dirname "$1")"
    cat > "$1"
    chmod 644 "$1"
}

install -D -m 755 "$binary" "$root/usr/bin/skchat"

"$binary" man | gzip -9n | put "$man/skchat.1.gz"
for command in $("$binary" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\).*/\1/p'); do
    [ "$command" = help ] || "$binary" man "$command" | gzip -9n | put "$man/skchat-$command.1.gz"
done

"$binary" completions bash | put "$root/usr/share/bash-completion/completions/skchat"
"$binary" completions zsh | put "$root$zsh/_skchat"
"$binary" completions fish | put "$root/usr/share/fish/vendor_completions.d/skchat.fish"

put "$doc/examples/config.toml" < config.example.toml
gzip -9n < CHANGELOG.md | put "$doc/changelog.gz"
put "$doc/LICENSE-MIT" < LICENSE-MIT
put "$doc/LICENSE-APACHE" < LICENSE-APACHE
python3 packaging/third_party.py | gzip -9n | put "$doc/third-party-licences.gz"
