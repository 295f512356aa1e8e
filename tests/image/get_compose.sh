#!/bin/sh
# SPDX-License-Identifier: MIT
# Puts the plugin of Docker Compose 2 into a folder, from Debian's package: get_compose.sh FOLDER
# It is unpacked, not installed: in Debian 12 the package of the same name is Compose 1, and Debian 13's
# plugin runs there, too.
set -eu

folder=$1
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
		-o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
apt update
apt download docker-compose
dpkg-deb -x docker-compose_*.deb .
mkdir -p "$folder"
mv usr/libexec/docker/cli-plugins/docker-compose "$folder/"
