# shellcheck shell=bash
# A registry to try things on: Debian's docker-registry, on a free port of the loopback device.
#
#     registry_start FOLDER     keeps its files in FOLDER; sets registry_host and registry_pid
#     registry_stop             ends it

registry_start() {
    local folder=$1 port='' waited
    mkdir -p "$folder"
    cat >"$folder/config.yml" <<YAML
version: 0.1
log: {level: info, formatter: text}
storage:
  filesystem: {rootdirectory: $folder/store}
  delete: {enabled: true}
http: {addr: "127.0.0.1:0"}
YAML
    # There before the registry is, for whoever looks into it first.
    : >"$folder/log"
    docker-registry serve "$folder/config.yml" >"$folder/log" 2>&1 &
    registry_pid=$!
    for ((waited = 0; waited < 150; waited++)); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$folder/log")
        [ -z "$port" ] || break
        kill -0 "$registry_pid" 2>/dev/null || break
        sleep 0.1
    done
    if [ -z "$port" ]; then
        cat "$folder/log"
        registry_stop
        return 1
    fi
    # shellcheck disable=SC2034 # for those who source this
    registry_host=127.0.0.1:$port
}

registry_stop() {
    [ -n "${registry_pid:-}" ] || return 0
    # Its status is that of the signal; with `set -e` it would become the caller's.
    kill "$registry_pid" 2>/dev/null || true
    wait "$registry_pid" 2>/dev/null || true
    registry_pid=
}
