#!/usr/bin/env bash
# deb.sh BINARY FOLDER: makes a Debian package of a built skchat, and prints its path.
#
# DEBFULLNAME and DEBEMAIL name the maintainer. COMPRESSION is passed to dpkg-deb: xz, or none to save time.
set -euo pipefail
here="$(dirname "$(realpath "$0")")"
binary="$(realpath "$1")"
mkdir -p "$2"
out="$(realpath "$2")"

root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
ZSH_FUNCTIONS=/usr/share/zsh/vendor-completions "$here/layout.sh" "$binary" "$root"

# Every Debian system has the text of the Apache licence; the rest must be in one file.
doc="$root/usr/share/doc/skchat"
mv "$doc/LICENSE-MIT" "$doc/copyright"
rm "$doc/LICENSE-APACHE"
cat >> "$doc/copyright" <<TEXT

Alternatively, at your choice, the Apache License, Version 2.0:
/usr/share/common-licenses/Apache-2.0

The libraries that are part of the program have licences of their own: third-party-licences.gz in this folder.
TEXT

version="$("$binary" --version | cut -d' ' -f2)"
arch="$(dpkg --print-architecture)"
# Packed relocations (build.rs) need a loader that supports them, whatever functions the program uses.
packed="$(grep -qa 'GLIBC_ABI_DT_RELR' "$binary" && echo GLIBC_2.36 || true)"
glibc="$({ grep -ao 'GLIBC_2\.[0-9]*' "$binary"; echo "$packed"; } | sort -Vu | tail -1 | cut -d_ -f2)"
mkdir "$root/DEBIAN"
cat > "$root/DEBIAN/control" <<TEXT
Package: skchat
Version: $version-1
Architecture: $arch
Maintainer: ${DEBFULLNAME:-the skchat authors} <${DEBEMAIL:-root@localhost}>
Section: net
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: libc6 (>= $glibc), libgcc-s1
Recommends: xdg-utils
Suggests: hunspell-dictionary
Description: terminal chat client for Skype's HTTP chat protocol
 skchat shows the conversations of Teams accounts, of archives imported
 from Skype exports, and of its own gateway, in a terminal.
TEXT

file="$out/skchat_$version-1_$arch.deb"
dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" --build "$root" "$file" >&2
echo "$file"
