# One image for every program of ours: api, worker, migrate, seed, speaker and the command line.
# docker-compose.yml chooses the command.

FROM node:24-bookworm-slim AS web
WORKDIR /src
COPY platform/web/package.json platform/web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY platform/web ./
RUN npm run build

FROM python:3.11-slim-bookworm AS python
RUN pip install --no-cache-dir uv==0.13.8 && python -m venv /opt/sync2gear
ENV VIRTUAL_ENV=/opt/sync2gear UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1
WORKDIR /src
COPY requirements.lock ./
COPY broker broker
COPY platform/pyproject.toml platform/pyproject.toml
COPY platform/sync2gear_platform platform/sync2gear_platform
COPY firmware_py firmware_py
COPY cli cli
# The lock as constraints: the versions and hashes of the lock, without its development tools.
RUN uv pip install --constraint requirements.lock ./broker "./platform[google]" ./firmware_py ./cli

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends espeak-ng libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home sync2gear \
    && install -d -o sync2gear -g sync2gear /data
COPY --from=python /opt/sync2gear /opt/sync2gear
COPY --from=web /src/dist /srv/web
ENV PATH=/opt/sync2gear/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    S2G_DATA_DIR=/data \
    S2G_WEB_DIR=/srv/web \
    S2G_HTTP_HOST=0.0.0.0 \
    S2G_HTTP_PORT=8080
USER sync2gear
WORKDIR /data
EXPOSE 8080 8443
CMD ["python", "-m", "sync2gear_platform", "api"]
