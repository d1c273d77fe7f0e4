# The image of any service. Everything is made on the build machine's own platform and only copied to the image's, so
# that arm64 builds on amd64 without emulation. Works with docker 20.10 and newer (BuildKit).
#
#   docker buildx build --platform linux/arm64 --target lambda --build-arg SERVICE=api --provenance=false --sbom=false .
#
# Targets: `lambda` for functions, `server` for what listens on 8080 (App Runner, ECS, EKS).
# An own package index: --secret id=uv.toml,src=… and --secret id=pip.conf,src=… are used where given.
ARG BASE_IMAGE=public.ecr.aws/docker/library/python:3.14-slim

FROM --platform=$BUILDPLATFORM ${BASE_IMAGE} AS uv
ARG UV_VERSION=0.13.9
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    python -m pip install --quiet --root-user-action=ignore --disable-pip-version-check "uv==${UV_VERSION}"
# Bytecode is never checked against its source, which cannot change in an image: fewer reads at start.
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH
WORKDIR /build

# What goes in, as three lists. The next stages see only the lists' content: a changed source file of the service leaves
# the layers of third-party packages and of what services share alone.
FROM uv AS lists
ARG SERVICE
COPY pyproject.toml uv.lock ./
COPY src src
RUN uv export -q --frozen --no-dev --no-annotate --no-header --package "${SERVICE:?is the build argument that names the service}" \
      --no-emit-workspace -o third-party.txt && \
    uv export -q --frozen --no-dev --no-annotate --no-header --package "${SERVICE}" \
      --no-hashes --no-editable -o all.txt && \
    sed -n 's/^\(\.\/[^ ;[]*\).*/\1/p' all.txt > packages.txt && \
    mkdir shared && touch shared/shared.txt own.txt && \
    while read -r package; do \
      if [ "${package}" = "./src/services/${SERVICE}" ]; then echo "${package}" > own.txt; \
      else echo "${package}" >> shared/shared.txt && cp -a --parents "${package}" shared; fi; \
    done < packages.txt && \
    test -s own.txt

FROM uv AS third-party
ARG TARGETARCH
COPY --from=lists /build/third-party.txt ./
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    case "${TARGETARCH}" in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) echo "no wheels for ${TARGETARCH}" >&2; exit 1 ;; esac && \
    uv pip install -q --require-hashes --no-deps --only-binary :all: --python-platform "${machine}-manylinux_2_28" \
      --target /app/lib -r third-party.txt && \
    rm -rf /app/lib/bin /app/lib/.lock

FROM uv AS shared
COPY --from=lists /build/shared ./
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    mkdir -p /app/shared && \
    if [ -s shared.txt ]; then uv pip install -q --no-deps --no-sources --target /app/shared -r shared.txt; fi && \
    rm -rf /app/shared/bin /app/shared/.lock /app/shared/*.dist-info/direct_url.json /app/shared/*.dist-info/uv_cache.json

FROM lists AS own
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=uv.toml,target=/etc/uv/uv.toml \
    uv pip install -q --no-deps --no-sources --target /app/own -r own.txt && \
    rm -rf /app/own/bin /app/own/.lock /app/own/*.dist-info/direct_url.json /app/own/*.dist-info/uv_cache.json

FROM ${BASE_IMAGE} AS runtime
ENV PYTHONPATH=/app/own:/app/shared:/app/lib PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=third-party /app/lib lib
COPY --from=shared /app/shared shared
COPY --from=own /app/own own
USER 10001:10001

FROM runtime AS lambda
# The command is the handler, like api.lambda_handler.handler; the function's configuration sets it.
ENTRYPOINT ["python", "-m", "awslambdaric"]

FROM runtime AS server
# The only place to write to where the root is read-only. Fargate gives a volume to root, mode 0755, but for what the
# image says of it: the base's /tmp is everyone's (Amazon ECS: Use bind mounts).
VOLUME /tmp
ENV PORT=8080
EXPOSE 8080
# The command is the application, like web.app:app. App Runner does not say whether a command of its own would replace
# the entry point, and names the application in UVICORN_APP.
#  - X-Forwarded-* is believed from nobody on the network, which is uvicorn's default: App Runner's address is open to
#    all, and the gateway passes on what came in. FORWARDED_ALLOW_IPS in service.yaml says otherwise.
#  - An idle connection is kept longer than callers keep theirs, and ends before a network load balancer forgets it
#    (350 s) without telling either side.
#  - After SIGTERM requests get 28 s to end (the gateway waits for 29), and what the application does at its end the
#    rest of ECS's 30; on EKS there are 35 after the time to drain.
ENTRYPOINT ["python", "-m", "uvicorn", "--host", "0.0.0.0", "--port", "8080", "--ws", "none", \
  "--log-level", "warning", "--no-access-log", "--timeout-keep-alive", "300", "--timeout-graceful-shutdown", "28"]
