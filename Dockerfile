# docker build -t hashemb . && docker run -e POSTGRES_PASSWORD=... hashemb
ARG PG=17
FROM postgres:$PG AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make postgresql-server-dev-$PG_MAJOR
COPY . /src
RUN make -C /src with_llvm=no PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config
RUN make -C /src install with_llvm=no PG_CONFIG=/usr/lib/postgresql/$PG_MAJOR/bin/pg_config DESTDIR=/out
FROM postgres:$PG
COPY --from=build /out /
