# One process, no downloads after the build. The corpus is mounted at /corpus, what must survive is kept in /data.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY cewen cewen
COPY rag rag
COPY index index
COPY api api
COPY evals evals
# The usual build of PyTorch for Linux brings CUDA libraries of several gigabytes that nothing here uses. To leave
# them out, hand in an index of CPU builds: --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL=
RUN python -m venv /opt/cewen && /opt/cewen/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 cewen && useradd --uid 10001 --gid cewen --no-create-home --shell /usr/sbin/nologin cewen \
    && install -d -o cewen -g cewen -m 0700 /data && install -d /corpus
COPY --from=build /opt/cewen /opt/cewen
ENV PATH=/opt/cewen/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CEWEN_HOST=0.0.0.0 \
    CEWEN_SEEDS_DIR=/corpus \
    CEWEN_INDEX_DIR=/data/index \
    CEWEN_CACHE_DIR=/data/cache \
    CEWEN_DATA_DIR=/data/state \
    CEWEN_LOG_FORMAT=json
USER 10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Without an access key it refuses to listen to other machines: see docs/security.md.
CMD ["cewen", "serve"]
