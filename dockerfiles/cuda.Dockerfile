# SPDX-License-Identifier: MIT
# muster with gpu-check, for services that compute on GPUs of NVIDIA. `make images IMAGES=cuda` builds it;
# needs BuildKit, or podman. Targets:
#
#   runtime   gpu-check for all of CUDA_ARCHS
#   mainpc    for compute capability 8.9 (RTX 4090) alone, pc2 for 8.6 (RTX 3060): smaller
#   single    everything built and run in one stage, to compare sizes with
#
#   BASE          what the images stand on: Debian 12 or 13, Ubuntu 22.04 or 24.04
#   BUILD_BASE    what muster is built on
#   CUDA_VERSION  of the toolkit; programs need a driver that is as new
#   CUDA_DEVEL    an image with nvcc and g++; its C library must not be newer than that of BASE
#   CUDA_ARCHS    the compute capabilities that runtime is for, without their dots
#   STATIC, SOURCE_SUITE   as in cpu.Dockerfile
ARG BASE=debian:bookworm-slim
ARG BUILD_BASE=${BASE}
ARG CUDA_VERSION=12.6.3
ARG CUDA_DEVEL=nvidia/cuda:${CUDA_VERSION}-devel-ubuntu22.04

# As in cpu.Dockerfile, with which it shares the result.
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

FROM ${CUDA_DEVEL} AS nvcc
WORKDIR /src
COPY dockerfiles/gpu-check/ dockerfiles/gpu-check/
COPY common/gpu_codes.h common/version.h common/
RUN mkdir -p /out/gpu && nvcc --version | sed -n 's/.*release .*, V\([0-9.]*\)$/cuda-cudart \1/p' >/out/parts

FROM nvcc AS cuda
ARG CUDA_ARCHS="86 89 90"
RUN dockerfiles/gpu-check/compile /out/gpu/gpu-check && strip /out/gpu/gpu-check

FROM nvcc AS cuda-89
RUN CUDA_ARCHS=89 dockerfiles/gpu-check/compile /out/gpu/gpu-check && strip /out/gpu/gpu-check

FROM nvcc AS cuda-86
RUN CUDA_ARCHS=86 dockerfiles/gpu-check/compile /out/gpu/gpu-check && strip /out/gpu/gpu-check

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
    --mount=type=bind,from=nvcc,source=/out/parts,target=/parts-cuda \
    install -d /usr/local/share/muster \
    && /list-packages "$VERSION" /parts /parts-cuda >/usr/local/share/muster/sbom.cdx.json
LABEL org.opencontainers.image.title="muster-cuda" \
      org.opencontainers.image.description="Starts and supervises the processes of a container, and checks its GPU" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.base.name="${BASE}" \
      muster.sbom="/usr/local/share/muster/sbom.cdx.json"
# What NVIDIA's container runtime puts into the container: the driver's libraries for computing and NVML.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["musterctl", "health"]
ENTRYPOINT ["muster-init"]

FROM muster AS mainpc
COPY --from=cuda-89 /out/gpu/ /usr/local/bin/
LABEL muster.cuda.archs="89"

FROM muster AS pc2
COPY --from=cuda-86 /out/gpu/ /usr/local/bin/
LABEL muster.cuda.archs="86"

# What one gets without stages, as the measure of the others; tidied up as well as that goes.
FROM ${CUDA_DEVEL} AS single
WORKDIR /src
COPY . .
ARG STATIC=musl
ARG SOURCE_SUITE
ARG CUDA_ARCHS="86 89 90"
RUN scripts/install-deps build musl runtime && make BUILD=/build && make BUILD=/build STATIC= /build/muster-sidecar \
    && install -s -t /usr/local/bin /build/*/muster-init /build/*/musterctl /build/muster-sidecar \
    && dockerfiles/gpu-check/compile /usr/local/bin/gpu-check && strip /usr/local/bin/gpu-check \
    && rm -rf /build /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old
ENTRYPOINT ["muster-init"]

FROM muster AS runtime
COPY --from=cuda /out/gpu/ /usr/local/bin/
ARG CUDA_ARCHS="86 89 90"
LABEL muster.cuda.archs="${CUDA_ARCHS}"
