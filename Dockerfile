# All programs in one image of static files: docker build --build-arg VERSION=$(git describe --tags --always) .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown REVISION=unknown
RUN make build VERSION="$VERSION" REVISION="$REVISION"

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/ /bin/
USER 65534:65534
# Inside a container loopback would reach nobody.
ENV EJABBERD_EXPORTER_WEB_LISTEN_ADDRESS=:9334
EXPOSE 9334
HEALTHCHECK CMD ["/bin/ejabberd_exporter", "--healthcheck"]
ENTRYPOINT ["/bin/ejabberd_exporter"]
