# SPDX-License-Identifier: MIT
# The small image: muster-init, musterctl and muster-sidecar, to build upon (FROM muster) or to copy from
# (COPY --from=muster). `make images` builds it; needs BuildKit, or podman.
#
#   BASE          what the image stands on: Debian 12 or 13, Ubuntu 22.04 or 24.04
#   BUILD_BASE    what muster is built on
#   STATIC        musl: the smallest; 1: with glibc, which needs no source packages
#   SOURCE_SUITE  for musl: the release whose source packages are taken, where BUILD_BASE's are not to be had
ARG BASE=debian:bookworm-slim
ARG BUILD_BASE=${BASE}

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY scripts/install-deps scripts/build-musl-libs scripts/fetch-source scripts/
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    scripts/install-deps build musl
ARG STATIC=musl
ARG SOURCE_SUITE
COPY . .
RUN --mount=type=cache,target=/var/lib/apt,sharing=locked \
    make BUILD=/build && make BUILD=/build STATIC= /build/muster-sidecar \
    && install -D -s -t /out/init /build/*/muster-init /build/*/musterctl \
    && install -D -s -t /out/sidecar /build/muster-sidecar \
    && dockerfiles/list-parts /build >/out/parts

# Nothing but the two programs that need nothing: for any image, whatever its C library.
FROM scratch AS static
COPY --from=build /out/init/ /usr/local/bin/
ENV PATH=/usr/local/bin
ENTRYPOINT ["muster-init"]

# Any user may be set (--user), and a tmpfs over /run/muster takes its mode: so all may write there.
FROM ${BASE} AS muster
RUN --mount=type=bind,source=scripts/install-deps,target=/install-deps \
    /install-deps runtime \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
    && groupadd --system --gid 10001 muster \
    && useradd --system --uid 10001 --gid muster --home-dir / --no-create-home --shell /usr/sbin/nologin muster \
    && install -d -m 1777 /run/muster
COPY --from=build /out/init/ /usr/local/bin/
COPY --from=build /out/sidecar/ /usr/local/bin/
ARG BASE
ARG VERSION=unknown
RUN --mount=type=bind,source=dockerfiles/list-packages,target=/list-packages \
    --mount=type=bind,from=build,source=/out/parts,target=/parts \
    install -d /usr/local/share/muster && /list-packages "$VERSION" /parts >/usr/local/share/muster/sbom.cdx.json
LABEL org.opencontainers.image.title="muster" \
      org.opencontainers.image.description="Starts and supervises the processes of a container" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.base.name="${BASE}" \
      muster.sbom="/usr/local/share/muster/sbom.cdx.json"
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["musterctl", "health"]
ENTRYPOINT ["muster-init"]

# What compose/ and demo/reference/ run in their hosts: real servers, and agents that stand for the rest.
FROM build AS agents
RUN make BUILD=/build STATIC= /build/demo/agent && install -D -s -t /out/agents /build/demo/agent \
    && install -m 644 -t /out/agents demo/reference/agent.py

FROM muster AS reference
USER root
RUN apt-get update && apt-get install -y --no-install-recommends nginx python3 redis-server \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log
COPY --from=agents /out/agents/ /opt/reference/
USER 10001:10001
