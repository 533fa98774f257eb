#!/bin/bash
# Copies the primary once, and then follows it.
set -euo pipefail
data=${PGDATA:-/var/lib/postgresql/data}
export PGPASSWORD=$REPLICATION_PASSWORD
if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "${data:?}"/*
  until pg_basebackup --host postgres --username replicator --pgdata "$data" \
    --wal-method stream --slot standby --write-recovery-conf; do
    echo "standby: the primary is not ready, trying again" >&2
    rm -rf "${data:?}"/*
    sleep 2
  done
  chown -R postgres:postgres "$data"
  chmod 700 "$data"
fi
exec gosu postgres postgres -D "$data" \
  -c config_file=/etc/switchboard/postgresql.conf
