#!/usr/bin/env bash
# compose.yaml on a real Docker engine: up, talk, kill a node while everybody
# talks, promote the standby, down. 77 where no engine answers or no compose is.
#
#   tests/compose/compose_test.sh FOLDER      keeps npm's clients in FOLDER
#
#   SWITCHBOARD_BINARY=FILE  puts this program into the image instead of building
#                            it there (minutes saved; the rest is the same)
#   DEBIAN=IMAGE             the base of all images, if not debian:12
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
folder=${1:-$root/build/compose}
cd "$root"

docker info >/dev/null 2>&1 || { echo "no Docker engine answers"; exit 77; }
if docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif command -v docker-compose >/dev/null; then
  compose=(docker-compose)
else
  echo "there is neither docker compose nor docker-compose"
  exit 77
fi
command -v node >/dev/null || { echo "no node"; exit 77; }

# Beside whatever else runs on this machine.
export COMPOSE_PROJECT_NAME=switchboard-test SWITCHBOARD_PORT=18080 \
  SWITCHBOARD_NATS_PORT=14222 PROMETHEUS_PORT=19090
say() { echo "-- $*"; }
ok() { echo "ok - $*"; }
fail() {
  echo "not ok - $*"
  exit 1
}

clean_up() {
  local status=$?
  if [ $status -ne 0 ]; then
    "${compose[@]}" ps || true
    "${compose[@]}" logs --tail 20 || true
  fi
  "${compose[@]}" --profile observability --profile demo down --volumes \
    >/dev/null 2>&1 || true
  exit $status
}
trap clean_up EXIT

# wait_for SECONDS WHAT COMMAND...
wait_for() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || fail "$what"
    sleep 0.2
  done
  ok "$what"
}

container() { "${compose[@]}" ps -q "$1"; }
healthy() {
  [ "$(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]
}
in_node() { "${compose[@]}" exec -T "$1" switchboard "${@:2}"; }
on_primary() { "${compose[@]}" exec -T "$1" psql -qAtX -U postgres -d switchboard -c "$2"; }

build() {
  local target arguments=()
  [ -z "${DEBIAN:-}" ] || arguments=(--build-arg "DEBIAN=$DEBIAN")
  for target in nats postgres edge prometheus; do
    docker build -q "${arguments[@]}" -f config/Dockerfile --target $target \
      -t switchboard-$target . >/dev/null
  done
  if [ -n "${SWITCHBOARD_BINARY:-}" ]; then
    docker build -q "${arguments[@]}" -f config/Dockerfile --target runtime \
      -t switchboard-runtime . >/dev/null
    local stage
    stage=$(mktemp -d)
    cp "$SWITCHBOARD_BINARY" "$stage/switchboard"
    printf 'FROM switchboard-runtime\nCOPY switchboard /usr/local/bin/\n' > "$stage/Dockerfile"
    docker build -q -t switchboard "$stage" >/dev/null
    rm -r "$stage"
  else
    docker build -q "${arguments[@]}" -f config/Dockerfile --target switchboard \
      -t switchboard . >/dev/null
  fi
}

# talk RUN [COMMAND...]: customers and an agent; the command when they are halfway.
talk() {
  local run=$1
  shift
  PORT=$SWITCHBOARD_PORT NATS_PORT=$SWITCHBOARD_NATS_PORT RUN=$run LINES=20 \
    NATS_PASSWORD=$(cat .switchboard/secrets/nats_password) \
    TOKEN=$(in_node "$node" token create --agent li) \
    tests/interop/run.sh "" "$folder" cluster_talk.mjs |
    while IFS= read -r line; do
      if [ "$line" = halfway ]; then
        [ $# -eq 0 ] || { say "$*" && "$@" >/dev/null; }
      else
        echo "$line"
      fi
    done
}

# Nobody may do more than needed: seen from inside and from outside.
check_hardening() {
  local service id
  for service in nats-1 postgres postgres-standby node-1 edge prometheus; do
    id=$(container $service)
    [ "$(docker exec "$id" id -u)" != 0 ] || fail "$service runs as root"
    ! docker exec "$id" touch /etc/x 2>/dev/null || fail "$service can write to its root"
    [ "$(docker exec "$id" sed -n 's/^CapEff:\s*//p' /proc/self/status)" = 0000000000000000 ] ||
      fail "$service has capabilities"
    docker exec "$id" grep -q '^NoNewPrivs:\s*1' /proc/self/status ||
      fail "$service may gain privileges"
    [ "$(docker inspect -f '{{.HostConfig.Memory}}' "$id")" -gt 0 ] || fail "$service has no limit"
    ! docker inspect -f '{{.Config.Env}} {{.Args}}' "$id" |
      grep -qF -f <(sed -s '$a\' .switchboard/secrets/*) || fail "$service shows a secret"
  done
  ok "all run without root, capabilities and a writable root, none shows a secret"
  ! docker ps --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
    --format '{{.Ports}}' | grep -qE '(0\.0\.0\.0|\[?::\]?):' || fail "a port is open to the world"
  ok "ports are bound to the loopback alone"
}

standby_follows() {
  [ "$(on_primary postgres "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")" = 1 ]
}
balanced() {
  [ "$(on_primary "$database" 'SELECT count(DISTINCT owner) FROM slot')" = "$1" ]
}
scraped() {
  curl -fsS "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query?query=sum(up)" | grep -q '"3"'
}

# The dashboard asks for nothing that no node says.
check_dashboard() {
  local name
  for name in $(grep -o 'switchboard_[a-z_]*' config/grafana/dashboards/switchboard.json | sort -u); do
    curl -fsS "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query?query=count($name)" |
      grep -q '"value"' || fail "the dashboard shows $name, which no node has"
  done
  ok "all that the dashboard shows is there"
}

say "building"
config/make-secrets
build
say "up"
"${compose[@]}" --profile observability up -d --no-build >/dev/null
node=node-2 database=postgres
for service in nats-1 nats-2 nats-3 postgres postgres-standby node-1 node-2 node-3 edge; do
  wait_for 120 "$service is healthy" healthy $service
done
wait_for 30 "the standby follows" standby_follows
wait_for 60 "three nodes share the slots" balanced 3
wait_for 30 "Prometheus reads all three nodes" scraped
check_hardening
in_node node-2 agent add li --language zh:5 --capacity 50 >/dev/null

talk before
check_dashboard
talk killed docker kill "$(container node-1)"
wait_for 30 "two nodes share the slots of three" balanced 2
"${compose[@]}" up -d --no-build node-1 >/dev/null 2>&1
wait_for 60 "the killed node has come back to its share" balanced 3
talk broker docker kill "$(container nats-2)"
"${compose[@]}" up -d --no-build nats-2 >/dev/null 2>&1

say "the primary is lost, the standby promoted"
lines=$(on_primary postgres 'SELECT count(*) FROM entry')
# What is not copied yet would be lost: the standby follows moments behind.
caught_up() { [ "$(on_primary postgres-standby 'SELECT count(*) FROM entry')" = "$lines" ]; }
wait_for 30 "the standby has all $lines entries" caught_up
! "${compose[@]}" exec -T postgres-standby /etc/switchboard/postgres-entry promote 2>/dev/null ||
  fail "promoted beside a primary that answers"
ok "no promotion while the primary answers"
"${compose[@]}" stop node-1 node-2 node-3 >/dev/null 2>&1
"${compose[@]}" rm -sf postgres >/dev/null 2>&1
"${compose[@]}" exec -T postgres-standby /etc/switchboard/postgres-entry promote >/dev/null
database=postgres-standby
docker start "$(container node-1)" "$(container node-2)" "$(container node-3)" >/dev/null
for service in node-1 node-2 node-3; do wait_for 60 "$service is healthy" healthy $service; done
[ "$(on_primary $database 'SELECT min(epoch) >= 1000000 FROM slot')" = t ] || fail "epochs were not raised"
talk promoted
"${compose[@]}" --profile demo up -d --no-build demo >/dev/null 2>&1
demo_answers() { "${compose[@]}" logs demo | grep -q 'answers [1-9]'; }
wait_for 60 "the demo's customers are answered" demo_answers
in_node "$node" verify || fail "verify"
ok "verify finds no violation"
say "down"
"${compose[@]}" --profile observability --profile demo down --volumes >/dev/null 2>&1
[ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME")" ] ||
  fail "something is left"
ok "nothing is left"
