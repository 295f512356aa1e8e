#!/bin/sh
# SPDX-License-Identifier: MIT
# The oneshot that everything waits for: the data directory and nginx's configuration.
set -eu

data=$DEMO_DIR/data
mkdir -p "$data/nginx"
sed -e "s|@DATA@|$data|g" -e "s|@WEB@|$DEMO_WEB_PORT|g" -e "s|@API@|$DEMO_API_PORT|g" \
	nginx.conf >"$data/nginx.conf"
if [ "$(id -u)" = 0 ]; then
	chown -R nobody "$data"
	chown nobody "$DEMO_DIR"
fi
echo "wrote $data/nginx.conf"
