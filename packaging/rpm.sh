#!/usr/bin/env bash
# rpm.sh BINARY FOLDER: makes an RPM package of a built skchat, and prints its path.
set -euo pipefail
here="$(dirname "$(realpath "$0")")"
binary="$(realpath "$1")"
mkdir -p "$2"
out="$(realpath "$2")"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$here/layout.sh" "$binary" "$work/root"
mkdir -p "$work/root/usr/share/licenses/skchat"
mv "$work/root/usr/share/doc/skchat"/LICENSE-* "$work/root/usr/share/licenses/skchat/"

cat > "$work/skchat.spec" <<TEXT
Name: skchat
Version: $("$binary" --version | cut -d' ' -f2)
Release: 1
Summary: Terminal chat client for Skype's HTTP chat protocol
License: (MIT OR Apache-2.0) AND MPL-2.0
Recommends: xdg-utils

%description
skchat shows the conversations of Teams accounts, of archives imported
from Skype exports, and of its own gateway, in a terminal.

%install
cp -a $work/root/. %{buildroot}/

%files
/usr/bin/skchat
/usr/share/man/man1/skchat*
/usr/share/bash-completion/completions/skchat
/usr/share/zsh/site-functions/_skchat
/usr/share/fish/vendor_completions.d/skchat.fish
%doc /usr/share/doc/skchat
%license /usr/share/licenses/skchat
TEXT
rpmbuild --quiet -bb "$work/skchat.spec" --define "_topdir $work/build" --define "_rpmdir $work" \
    --define "debug_package %{nil}" --define "__os_install_post %{nil}" --define "_build_id_links none" >&2
find "$work" -name '*.rpm' -exec cp {} "$out/" \;
find "$out" -name 'skchat-*.rpm'
