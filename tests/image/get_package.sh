#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts a program of Debian 13 into a folder: get_package.sh PACKAGE FILE FOLDER
# FILE is where it is in the package, without the first slash. The package is unpacked, not installed: Debian 12 has
# none of that name, or an older one, and these run there, too.
set -eu

package=$1 file=$2 folder=$3
suite=trixie
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
# shellcheck disable=SC2016 # the field is apt's
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
	sed -n '/-security/d; s/^Debian //p' | head -n 1)
[ -n "$mirror" ] || { echo "apt knows no mirror of Debian" >&2; exit 1; }
mkdir -p lists/partial cache/archives/partial
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >sources.list
apt() {
	apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}
apt update
apt download "$package/$suite"
dpkg-deb -x "$package"_*.deb .
mkdir -p "$folder"
mv "$file" "$folder/"
