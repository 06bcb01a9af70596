# The exporter in an image of two files: no shell, nothing that could write, no user but a number.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) --build-arg REVISION=$(git rev-parse HEAD) -t ejabberd_exporter .
#   docker run --read-only --cap-drop=ALL --security-opt=no-new-privileges -p 127.0.0.1:9334:9334 ejabberd_exporter
#
# The monitoring plugins make an image of their own: --target plugins, then --entrypoint /bin/check_xmpp_c2s.
# buildah and podman keep the HEALTHCHECK with --format docker only.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown REVISION=unknown TARGETOS TARGETARCH TARGETVARIANT
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} make build VERSION="$VERSION" REVISION="$REVISION"

FROM scratch AS plugins
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/check_* /bin/
USER 65534:65534

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/ejabberd_exporter /bin/
USER 65534:65534
# Inside a container loopback would reach nobody.
ENV EJABBERD_EXPORTER_WEB_LISTEN_ADDRESS=:9334
EXPOSE 9334
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/bin/ejabberd_exporter", "--healthcheck"]
ENTRYPOINT ["/bin/ejabberd_exporter"]
ARG VERSION=unknown REVISION=unknown
LABEL org.opencontainers.image.title="ejabberd_exporter" \
	org.opencontainers.image.description="Shows Prometheus whether an ejabberd XMPP service works, from inside and from outside" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.source="https://github.com/chapril/ejabberd_exporter" \
	org.opencontainers.image.documentation="https://github.com/chapril/ejabberd_exporter/blob/main/README.md" \
	org.opencontainers.image.version="$VERSION" \
	org.opencontainers.image.revision="$REVISION"
