# ByteFace for a machine of your own: docs/container.md. The steps are those of `make run`; a test compares them.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1
RUN python -m venv .venv
COPY requirements.txt requirements-milvus.txt requirements.lock ./
RUN .venv/bin/python -m pip install --disable-pip-version-check -c requirements.lock -r requirements.txt \
 && .venv/bin/python -m pip install --disable-pip-version-check -c requirements.lock -r requirements-milvus.txt
COPY app.py pyproject.toml README.md LICENSE requirements-train.txt requirements-int8.txt ./
COPY assets assets
COPY reid reid
COPY trainer trainer
RUN .venv/bin/python -m pip install --disable-pip-version-check -q --no-deps -e .

FROM python:3.11-slim-bookworm
# The code belongs to root and cannot be changed by what runs it; everything that is written lies below /data.
RUN useradd --uid 1000 --create-home byteface && install -d -m 700 -o byteface -g byteface /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 BYTEFACE_DATA=/data/galleries BYTEFACE_MODELS=/data/models \
    GRADIO_SERVER_NAME=0.0.0.0 BYTEFACE_ACCOUNTS=1
USER 1000
VOLUME /data
EXPOSE 7860
# The first start brings weights and demonstration photographs, 101 MB.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10m \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=8)"]
CMD ["python", "app.py"]
