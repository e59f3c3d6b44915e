# syntax=docker/dockerfile:1
# The service on CPU: docker build --tag gapnlp .   See docs/operations.md.

# The version that the tests run on.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
ARG EXTRAS=api,otel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY models ./models
COPY data/labelled ./data/labelled
COPY data/regression ./data/regression
COPY src ./src
# The environment gets no pip of its own: this stage's pip fills it from outside. Nothing is compiled: every dependency
# has a wheel, and the build ends where one has not.
RUN python -m venv --without-pip /opt/gapnlp \
    && python -m pip --python /opt/gapnlp/bin/python install --only-binary=:all: ".[${EXTRAS}]"

FROM python:${PYTHON}-slim-bookworm AS runtime
RUN python -m pip uninstall --yes --quiet setuptools wheel pip \
    && groupadd --system --gid 10001 gapnlp \
    && useradd --system --uid 10001 --gid gapnlp --home-dir /data --no-create-home --shell /usr/sbin/nologin gapnlp \
    && install --directory --owner=gapnlp --group=gapnlp --mode=0700 /data
COPY --chmod=0755 deploy/entrypoint.sh /usr/local/bin/gapnlp-entrypoint
COPY --from=build /opt/gapnlp /opt/gapnlp
ENV PATH=/opt/gapnlp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GAPNLP_DATA_DIR=/data \
    GAPNLP_HOST=0.0.0.0 \
    GAPNLP_PORT=8000
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Requests in flight get GAPNLP_SHUTDOWN_SECONDS to end.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['GAPNLP_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["gapnlp-entrypoint", "gapnlp"]
CMD ["serve"]
