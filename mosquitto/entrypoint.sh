#!/bin/sh
# Runs Mosquitto in a container: renders mosquitto.conf, keeps accounts readable for the broker,
# reloads them when the platform has written new ones, and never stays down for a bad store.
set -eu

: "${S2G_MQTT_PLATFORM_PASSWORD:?set it in .env}"
if [ "$S2G_MQTT_PLATFORM_PASSWORD" = change-me ] && [ "${S2G_ENV:-prod}" != dev ]; then
    echo "S2G_MQTT_PLATFORM_PASSWORD is still the placeholder; set it in .env" >&2
    exit 1
fi
here=${S2G_BROKER_FILES:-/mosquitto/sync2gear}
root=${S2G_BROKER_DIR:-/mosquitto}
accounts=$root/accounts
store=$root/data
configuration=$root/mosquitto.conf
mkdir -p "$accounts" "$store"

mosquitto_passwd -b -c "$accounts/platform" platform "$S2G_MQTT_PLATFORM_PASSWORD"
[ -e "$accounts/devices" ] || : >"$accounts/devices"
# What follows our rules in a file that stands is the platform's: a section per integration account.
length=$(wc -c <"$here/acl")
[ "$(head -c "$length" "$accounts/acl" 2>/dev/null)" = "$(cat "$here/acl")" ] || cp "$here/acl" "$accounts/acl"

# Certificate and key as one file, replaced as a whole; the broker's account may read the copy only.
copy_certificate() {
    (umask 077 && cat "$S2G_TLS_CERT" "$S2G_TLS_KEY" >"$accounts/pair.new")
    cat "${S2G_TLS_CA:-$S2G_TLS_CERT}" >"$accounts/trust.new"
    chmod 0640 "$accounts/pair.new" "$accounts/trust.new"
    [ "$(id -u)" != 0 ] || chown mosquitto:mosquitto "$accounts/pair.new" "$accounts/trust.new"
    mv "$accounts/trust.new" "$accounts/trust.pem"
    mv "$accounts/pair.new" "$accounts/pair.pem"
}
templates=$here/mosquitto.conf
if [ -n "${S2G_TLS_CERT:-}" ]; then
    : "${S2G_TLS_KEY:?belongs to S2G_TLS_CERT: set both or neither}"
    copy_certificate
    templates="$templates $here/tls.conf"
fi
# shellcheck disable=SC2086  # one or two files
sed -e "s|\${persistence}|$store|" \
    -e "s|\${pid_file}|$store/pid|" \
    -e "s|\${memory_limit}|${S2G_MQTT_MEMORY_BYTES:-268435456}|" \
    -e "s|\${device_port}|${S2G_MQTT_DEVICE_PORT:-1883}|" \
    -e "s|\${device_host}|${S2G_MQTT_PLAIN_HOST:-${S2G_MQTT_HOST:-0.0.0.0}}|" \
    -e "s|\${device_passwords}|$accounts/devices|" \
    -e "s|\${platform_port}|${S2G_MQTT_PLATFORM_PORT:-1884}|" \
    -e "s|\${platform_host}|${S2G_MQTT_HOST:-0.0.0.0}|" \
    -e "s|\${platform_passwords}|$accounts/platform|" \
    -e "s|\${acl}|$accounts/acl|" \
    -e "s|\${tls_port}|${S2G_MQTT_TLS_PORT:-8883}|" \
    -e "s|\${tls_host}|${S2G_MQTT_HOST:-0.0.0.0}|" \
    -e "s|\${tls_pair}|$accounts/pair.pem|" \
    -e "s|\${tls_trust}|$accounts/trust.pem|" \
    -e "s|\${require_certificate}|${S2G_MQTT_REQUIRE_CERTIFICATE:-false}|" \
    $templates >"$configuration"
if [ "$(id -u)" = 0 ]; then
    # The platform writes `devices` from another container: its file inherits the broker's group.
    chown -R mosquitto:mosquitto "$store" "$accounts"
    chmod 2777 "$accounts"
    chmod 0640 "$accounts/platform" "$accounts/devices" "$accounts/acl"
fi

broker=
trap '[ -z "$broker" ] || kill -TERM "$broker"' TERM INT
start() {
    began=$(date +%s)
    mosquitto -c "$configuration" &
    broker=$!
}
accounts_now() { cat "$accounts/devices" "$accounts/acl" | cksum; }
certificate_now() {
    [ -z "${S2G_TLS_CERT:-}" ] || cat "$S2G_TLS_CERT" "$S2G_TLS_KEY" ${S2G_TLS_CA:+"$S2G_TLS_CA"} | cksum
}

start
known=$(accounts_now)
shown=$(certificate_now)
seen=$shown
guarded=no
while :; do
    # A wait that a signal ended says nothing of the broker: ask whether it is still there.
    if ! kill -0 "$broker" 2>/dev/null; then
        status=0
        wait "$broker" || status=$?
        if [ "$status" != 0 ] && [ $guarded = no ] && [ -e "$store/mosquitto.db" ] &&
            [ $(($(date +%s) - began)) -le 5 ]; then
            echo "the store could not be read; moved aside, starting empty" >&2
            mv "$store/mosquitto.db" "$store/mosquitto.db.damaged"
            guarded=yes
            start
            continue
        fi
        exit "$status"
    fi
    if [ "$(accounts_now)" != "$known" ]; then
        known=$(accounts_now)
        kill -HUP "$broker"
    fi
    before=$seen
    seen=$(certificate_now) || seen=$before
    # Once it has stayed the same for a second: certificate and key are two files.
    if [ "$seen" != "$shown" ] && [ "$seen" = "$before" ]; then
        shown=$seen
        copy_certificate
        kill -HUP "$broker"
    fi
    sleep 1
done
